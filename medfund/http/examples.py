"""What answers look like: how an example is shown, and the examples that every API has."""

from typing import Any

from pydantic import ConfigDict

Json = dict[str, Any]


def of(example: Json) -> ConfigDict:
    """The model configuration that shows an example."""
    return ConfigDict(json_schema_extra={"examples": [example]})


def name(zh: str, en: str) -> Json:
    return {"zh": zh, "en": en}


POSITIONS = {"3": {"agency": 57, "claims": 30718}}

HEALTH: Json = {
    "status": "ok",
    "faults": [],
    "database": True,
    "log": True,
    "lanes": 12,
    "lanes_without_worker": [],
    "lanes_stopped": [],
    "lag": {"events": 41, "oldest_s": 0.03, "yuan": "4188.12", "at_least": False},
    "log_faults": [],
}

METRICS = 'medfund_lag_events{service="ledger"} 41.0\n'
