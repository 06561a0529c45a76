"""Answers as pages show them: `…` stands for anything."""

from typing import Any

ANYTHING = "…"


def covers(told: Any, found: Any) -> bool:
    """Whether an answer is what the page tells."""
    if told == ANYTHING:
        return True
    if isinstance(told, dict) and isinstance(found, dict):
        named = told.keys() - {ANYTHING}
        complete = named <= found.keys() if ANYTHING in told else named == found.keys()
        return complete and all(covers(told[name], found[name]) for name in named)
    if isinstance(told, list) and isinstance(found, list):
        return len(told) == len(found) and all(map(covers, told, found))
    return bool(told == found)
