"""The ledger's settings, from the environment. Secrets have no defaults."""

import socket
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from medfund.lanes.settings import LogSettings


class WorkerSettings(LogSettings):
    database_url: str = Field(validation_alias="LEDGER_WORKER_DSN")
    worker_name: str = Field(default_factory=lambda: f"ledger@{socket.gethostname()}")
    batch_records_max: int = Field(5000, ge=1, le=50_000)
    pace_ms: int = Field(80, ge=0, le=1000)
    lease_s: float = Field(10.0, ge=0.5)
    renew_s: float = Field(2.0, ge=0.1)
    stopped_lane_s: float = Field(15.0, ge=0.1, description="How soon a lane that could not go on is tried again")
    connect_timeout_s: float = Field(5.0, gt=0, description="How long the database may take to let us in")
    command_timeout_s: float = Field(30.0, gt=0, description="How long it may take for one statement")
    idle_in_transaction_s: float = Field(10.0, gt=0, description="How long a stopped worker keeps its locks")
    metrics_port: int = Field(0, description="0: no metrics endpoint")


class MigrationSettings(BaseSettings):
    database_url: str = Field(validation_alias="LEDGER_OWNER_DSN")


class VerifySettings(LogSettings):
    database_url: str = Field(validation_alias="LEDGER_READER_DSN")


class ApiSettings(LogSettings):
    database_url: str = Field(validation_alias="LEDGER_READER_DSN")
    host: str = Field("127.0.0.1", validation_alias="LEDGER_API_HOST")
    port: int = Field(8080, validation_alias="LEDGER_API_PORT")
    public_key: Path = Field(validation_alias="MEDFUND_TOKEN_PUBLIC_KEY")
    pool_size: int = Field(8, ge=1, le=64, validation_alias="LEDGER_API_POOL")
