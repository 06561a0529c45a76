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


class LaneSettings(LogSettings):
    """Of a worker of any service; the service adds its name and its database."""

    batch_records_max: int = Field(5000, ge=1, le=50_000)
    pace_ms: int = Field(80, ge=0, le=1000)
    lease_s: float = Field(10.0, ge=0.5)
    renew_s: float = Field(2.0, ge=0.1)
    stopped_lane_s: float = Field(15.0, ge=0.1, description="How soon a lane that could not go on is tried again")
    connect_timeout_s: float = Field(5.0, gt=0, description="How long the database may take to let us in")
    command_timeout_s: float = Field(30.0, gt=0, description="How long it may take for one statement")
    idle_in_transaction_s: float = Field(10.0, gt=0, description="How long a stopped worker keeps its locks")
    metrics_port: int = Field(0, description="0: no metrics endpoint")
