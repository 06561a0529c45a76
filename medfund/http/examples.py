"""What answers look like: how an example is shown, and the examples that every API has."""

from typing import Any

from pydantic import ConfigDict

Json = dict[str, Any]


NULL = "\u2400"
"""Stands for a null in an example, since the framework leaves nulls out of its document; put back in `openapi`."""


def of(example: Json) -> ConfigDict:
    """The model configuration that shows an example."""
    return ConfigDict(json_schema_extra={"examples": [shown(example)]})


def shown(node: Any) -> Any:
    """An example as it is given to the framework."""
    match node:
        case None:
            return NULL
        case dict():
            return {key: shown(value) for key, value in node.items()}
        case list():
            return [shown(one) for one in node]
        case _:
            return node


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
