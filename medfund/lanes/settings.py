"""What every process that works on lanes is told, from the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from aiokafka.helpers import create_ssl_context
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

NOBODY: Mapping[str, Any] = {}
"""What a client tells a broker that does not ask."""


class IdentitySettings(BaseSettings):
    """Who we are to the broker, where it knows its clients. Without a user it takes us for whoever reaches it."""

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_user: str = ""
    kafka_password: str = Field(default="", repr=False)
    kafka_ca_file: str = Field(default="", description="PEM; none: the system's own authorities")

    @model_validator(mode="after")
    def _named(self) -> Self:
        asks = self.kafka_security_protocol.startswith("SASL")
        if asks and not (self.kafka_user and self.kafka_password):
            raise ValueError(f"KAFKA_USER and KAFKA_PASSWORD must be given with {self.kafka_security_protocol}")
        if self.kafka_ca_file and not Path(self.kafka_ca_file).is_file():
            raise ValueError(f"KAFKA_CA_FILE names no file: {self.kafka_ca_file}")
        if self.kafka_user and not asks:
            raise ValueError(f"KAFKA_USER needs SASL, and KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}")
        return self

    @property
    def identity(self) -> Mapping[str, Any]:
        """What every client of the broker is opened with."""
        told: dict[str, Any] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.endswith("SSL"):
            told["ssl_context"] = create_ssl_context(cafile=self.kafka_ca_file or None)
        if self.kafka_user:
            told |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_user,
                "sasl_plain_password": self.kafka_password,
            }
        return told


class LogSettings(IdentitySettings):
    """Where the log is, and how it is cut."""

    kafka_bootstrap: str
    lanes: int = Field(12, ge=1, le=1024, validation_alias="MEDFUND_LANES")
    topic_prefix: str = Field("medfund", validation_alias="MEDFUND_TOPIC_PREFIX")


class SchedulerSettings(LogSettings):
    metrics_port: int = Field(0, description="0: no metrics endpoint")
    metrics_host: str = "127.0.0.1"


class LaneSettings(LogSettings):
    """Of a worker of any service; the service adds its name and its database."""

    batch_records_max: int = Field(5000, ge=1, le=50_000)
    pace_ms: int = Field(80, ge=0, le=1000)
    lease_s: float = Field(10.0, ge=0.5)
    renew_s: float = Field(3.0, ge=0.1)
    stopped_lane_s: float = Field(15.0, ge=0.1, description="How soon a lane that could not go on is tried again")
    connect_timeout_s: float = Field(5.0, gt=0, description="How long the database may take to let us in")
    command_timeout_s: float = Field(30.0, gt=0, description="How long it may take for one statement")
    idle_in_transaction_s: float = Field(10.0, gt=0, description="How long a stopped worker keeps its locks")
    metrics_port: int = Field(0, description="0: no metrics endpoint")
    metrics_host: str = "127.0.0.1"
