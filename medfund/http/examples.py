"""What answers look like: how an example is shown, and the examples that every API has."""

from typing import Any

from pydantic import ConfigDict

Json = dict[str, Any]


NULL = "\u2400"
"""Stands for a null in an example, since the framework leaves nulls out of its document; put back in `openapi`."""


def of(example: Json) -> ConfigDict:
    """The model configuration that shows an example."""
    return ConfigDict(json_schema_extra={"examples": [shown(example)]})


def body(example: Json) -> ConfigDict:
    """Of what is asked: it says nothing else than its model knows."""
    return {**of(example), "extra": "forbid"}


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

READY: Json = {"status": "ok"}

METRICS = 'medfund_lag_events{service="ledger"} 41.0\n'

AUDIT: Json = {
    "rows": [
        {
            "id": "019c4a2e-8f00-7b31-9f04-6d2c0f8a1e55",
            "at": "2026-02-10T09:12:44.310000+08:00",
            "person": "staff-31ad",
            "role": "finance",
            "operation": "hold",
            "route": "POST /v1/holds",
            "outcome": "asked",
            "detail": {
                "request": "019c4a2e-8ef8-7c1d-8c55-0f1b7f3a9d10",
                "command": "hold-5f0c1d2e3a4b59687786a5b4c3d2e1f0",
                "about": ["H15250200017", "H15250200017-310-21-202601", "case-2026-0017"],
            },
        }
    ],
    "next": None,
}
