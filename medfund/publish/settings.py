"""Where `medfund publish` sends to, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings


class PublishSettings(BaseSettings):
    """The broker, and what the names of topics begin with."""

    kafka_bootstrap: str = ""
    topic_prefix: str = Field("medfund", validation_alias="MEDFUND_TOPIC_PREFIX")
