"""The ledger's settings, from the environment. Secrets have no defaults."""

import socket
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from medfund.lanes.settings import LaneSettings, LogSettings


class WorkerSettings(LaneSettings):
    database_url: str = Field(validation_alias="LEDGER_WORKER_DSN")
    worker_name: str = Field(default_factory=lambda: f"ledger@{socket.gethostname()}")


class MigrationSettings(BaseSettings):
    database_url: str = Field(validation_alias="LEDGER_OWNER_DSN")


class VerifySettings(LogSettings):
    database_url: str = Field(validation_alias="LEDGER_READER_DSN")
    clearing_url: str = Field("", validation_alias="CLEARING_READER_DSN")
    """Where it is given, open items of the clearing service and statements of the bank are compared with the books."""
    direct_pay_url: str = Field("", validation_alias="DIRECT_PAY_READER_DSN")
    """Likewise, what direct payment expects orders to cost, and hospitals' old arrears, with the memo accounts."""


class ApiSettings(LogSettings):
    database_url: str = Field(validation_alias="LEDGER_API_DSN")
    host: str = Field("127.0.0.1", validation_alias="LEDGER_API_HOST")
    port: int = Field(8080, validation_alias="LEDGER_API_PORT")
    public_key: Path = Field(validation_alias="MEDFUND_TOKEN_PUBLIC_KEY")
    pool_size: int = Field(8, ge=1, le=64, validation_alias="LEDGER_API_POOL")
