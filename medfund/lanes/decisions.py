"""Decisions: the events that our own services write, as they wait in the outbox and go to the log."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from medfund.events import envelope
from medfund.events.kinds import KINDS, Event
from medfund.lanes.log import Decision

_KIND_OF = {kind.event: kind for kind in KINDS.values()}
_encode = msgspec.json.Encoder().encode


def key_of(event: Event) -> bytes | None:
    """Whom a decision is about; None where it is about its lane."""
    return envelope.key_of(_KIND_OF[type(event)], event)


def decision(event: Event, *, key: bytes, source: str, id: str, time: str, family: str | None = None) -> Decision:
    """An event under the id that is derived from its cause, so that deciding it again is a repeat.

    `family`: whose topic it goes to, where its type is on several.
    """
    kind = _KIND_OF[type(event)]
    return Decision(family or kind.family, key, source, id, kind.type, time, _encode(event))


def id_of(topic: str, lane: int, offset: int, number: int, of: int) -> str:
    """Of the decision that is `number` in the answer, of so many, to the fact at a place."""
    return f"{topic}/{lane}/{offset}/{number}-{of}"


@lru_cache(maxsize=1024)
def time_of(appended_ms: int) -> str:
    """When the cause was appended, as CloudEvents writes it: a decision's time is its cause's, never a clock's."""
    return (datetime.fromtimestamp(appended_ms // 1000, UTC) + timedelta(milliseconds=appended_ms % 1000)).isoformat()
