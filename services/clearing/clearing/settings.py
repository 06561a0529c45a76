"""The clearing service's settings, from the environment. Secrets have no defaults."""

import socket

from pydantic import Field
from pydantic_settings import BaseSettings

from medfund.lanes.settings import LaneSettings


class WorkerSettings(LaneSettings):
    database_url: str = Field(validation_alias="CLEARING_WORKER_DSN")
    worker_name: str = Field(default_factory=lambda: f"clearing@{socket.gethostname()}")


class MigrationSettings(BaseSettings):
    database_url: str = Field(validation_alias="CLEARING_OWNER_DSN")
