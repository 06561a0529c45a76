"""What every process that works on lanes is told, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings


class LogSettings(BaseSettings):
    """Where the log is, and how it is cut."""

    kafka_bootstrap: str
    lanes: int = Field(12, ge=1, le=1024, validation_alias="MEDFUND_LANES")
    topic_prefix: str = Field("medfund", validation_alias="MEDFUND_TOPIC_PREFIX")


class SchedulerSettings(LogSettings):
    metrics_port: int = Field(0, description="0: no metrics endpoint")
