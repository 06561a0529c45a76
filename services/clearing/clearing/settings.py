"""The clearing service's settings, from the environment. Secrets have no defaults."""

import socket
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from medfund.lanes.settings import LaneSettings, LogSettings


class WorkerSettings(LaneSettings):
    database_url: str = Field(validation_alias="CLEARING_WORKER_DSN")
    worker_name: str = Field(default_factory=lambda: f"clearing@{socket.gethostname()}")


class MigrationSettings(BaseSettings):
    database_url: str = Field(validation_alias="CLEARING_OWNER_DSN")


class BankSettings(LogSettings):
    database_url: str = Field(validation_alias="CLEARING_BANK_DSN")
    folder: Path = Field(validation_alias="MEDFUND_BANK_FOLDER")
    shared: bool = Field(False, validation_alias="MEDFUND_BANK_SHARED")
    accounts: Path = Field(validation_alias="MEDFUND_BANK_ACCOUNTS")
    metrics_port: int = Field(0, description="0: no metrics endpoint")
    metrics_host: str = "127.0.0.1"


class ApiSettings(LogSettings):
    database_url: str = Field(validation_alias="CLEARING_API_DSN")
    host: str = Field("127.0.0.1", validation_alias="CLEARING_API_HOST")
    port: int = Field(8081, validation_alias="CLEARING_API_PORT")
    public_key: Path = Field(validation_alias="MEDFUND_TOKEN_PUBLIC_KEY")
    pool_size: int = Field(8, ge=1, le=64, validation_alias="CLEARING_API_POOL")
