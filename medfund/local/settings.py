"""The local stack's settings, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings


class StackSettings(BaseSettings):
    """How many lanes, and whose servers; own ones where none are named."""

    kafka_bootstrap: str = ""
    database_url: str = Field(default="", description="DSN of an administrator, in the database to be used")
    lanes: int = Field(default=12, ge=1, le=1024, validation_alias="MEDFUND_LANES")
    topic_prefix: str = Field(default="medfund", validation_alias="MEDFUND_TOPIC_PREFIX")
