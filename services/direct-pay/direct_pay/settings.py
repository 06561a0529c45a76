"""The settings of direct payment, from the environment. Secrets have no defaults."""

import socket
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from medfund.lanes.settings import LaneSettings, LogSettings


class WorkerSettings(LaneSettings):
    database_url: str = Field(validation_alias="DIRECT_PAY_WORKER_DSN")
    worker_name: str = Field(default_factory=lambda: f"direct-pay@{socket.gethostname()}")


class MigrationSettings(BaseSettings):
    database_url: str = Field(validation_alias="DIRECT_PAY_OWNER_DSN")


class ApiSettings(LogSettings):
    database_url: str = Field(validation_alias="DIRECT_PAY_API_DSN")
    host: str = Field("127.0.0.1", validation_alias="DIRECT_PAY_API_HOST")
    port: int = Field(8082, validation_alias="DIRECT_PAY_API_PORT")
    public_key: Path = Field(validation_alias="MEDFUND_TOKEN_PUBLIC_KEY")
    pool_size: int = Field(8, ge=1, le=64, validation_alias="DIRECT_PAY_API_POOL")
