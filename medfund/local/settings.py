"""The local stack's settings, from the environment."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from medfund.events.speakers import Speaker
from medfund.lanes.settings import IdentitySettings
from medfund.local.services import ROLES, variable

ORDINARY_S = 60.0


class StackSettings(IdentitySettings):
    """How many lanes, and whose servers; own ones where none are named."""

    kafka_bootstrap: str = ""
    database_url: str = Field(default="", description="DSN of an administrator, in the database to be used")
    lanes: int = Field(default=12, ge=1, le=1024, validation_alias="MEDFUND_LANES")
    topic_prefix: str = Field(default="medfund", validation_alias="MEDFUND_TOPIC_PREFIX")
    scheduler: bool = Field(default=True, validation_alias="MEDFUND_SCHEDULER")
    """Whether days open by the clock; else whoever uses the stack opens them."""
    take_over: bool = Field(default=False, validation_alias="MEDFUND_TAKE_OVER")
    """Whether a named database may be another installation's, whose passwords are then replaced by ours."""
    patience_s: float = Field(
        default=ORDINARY_S,
        ge=1,
        le=3600,
        validation_alias="MEDFUND_PATIENCE",
        description="How long a part may take to start at first; while it works, it is given twice as much each time",
    )

    @model_validator(mode="after")
    def _of_a_broker_that_asks(self) -> Self:
        if not self.kafka_bootstrap and self.kafka_security_protocol != "PLAINTEXT":
            raise ValueError("KAFKA_SECURITY_PROTOCOL is for a broker that KAFKA_BOOTSTRAP names: our own asks nobody")
        return self

    @property
    def patience(self) -> float:
        """How many times as long as on an ordinary machine everything may take."""
        return self.patience_s / ORDINARY_S


class PrepareSettings(StackSettings):
    """For `medfund prepare`: servers of somebody else's, and the passwords that the roles of each service get."""

    kafka_bootstrap: str
    kafka_publishers: dict[Speaker, list[str]] = Field(
        default_factory=dict, description="The broker's users that publishers are, by what they speak as"
    )
    database_url: str
    ledger_owner_password: str
    ledger_worker_password: str
    ledger_api_password: str
    ledger_reader_password: str
    clearing_owner_password: str
    clearing_worker_password: str
    clearing_api_password: str
    clearing_bank_password: str
    clearing_reader_password: str
    direct_pay_owner_password: str
    direct_pay_worker_password: str
    direct_pay_api_password: str
    direct_pay_reader_password: str
    sources_asked_from: date | None = Field(
        default=None, validation_alias="MEDFUND_SOURCES_ASKED_FROM", description="None: from now on"
    )

    def passwords(self) -> dict[str, dict[str, str]]:
        """By service and role."""
        given = self.model_dump()
        return {
            service: {role: given[variable(service, role, "password").lower()] for role in roles}
            for service, roles in ROLES.items()
        }
