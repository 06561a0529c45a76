"""From a line of a file to a record for the log, and what the ledger would say of it.

Pure. What stays true: `data` is forwarded as it was written, so the digest is that of the publisher's own bytes; a line
that passes here is refused later only for what the books alone know (an unknown provider, a conflict).
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from medfund.events import codec, envelope
from medfund.events.codec import Accepted
from medfund.events.envelope import Envelope, Headers, Outgoing
from medfund.events.kinds import KINDS, Family, Kind
from medfund.events.refusals import Problem
from medfund.lanes import partition

# For what has no usable key or no known type: it is sent on demand only, so that the ledger refuses it in public.
UNKNOWN_KEY = b"unknown"
UNKNOWN_FAMILY: Family = "claims"
CHECKED_LANES = 12


class Draft(NamedTuple):
    """A record without its lane; no key means a copy in every lane."""

    family: Family
    key: bytes | None
    value: bytes
    headers: Headers

    def keys(self, lanes: int) -> Sequence[tuple[int, bytes]]:
        """Where it goes: lane and key."""
        if self.key is None:
            return [(lane, partition.lane_key(lane, lanes)) for lane in range(lanes)]
        return ((partition.lane_of(self.key, lanes), self.key),)


class _Keys(msgspec.Struct, gc=False):
    provider: str = ""
    area: str = ""


_KEYS = msgspec.json.Decoder(_Keys)


def draft(line: bytes) -> Draft | Problem:
    """The record of a line; a problem where there is nothing that could be sent."""
    event = envelope.from_json(line)
    return event if isinstance(event, Problem) else of(event)


def of(event: Envelope) -> Draft:
    """The record of an event."""
    kind = KINDS.get(event.type)
    family = UNKNOWN_FAMILY if kind is None else kind.family
    return Draft(family, _key(event, kind), event.data, envelope.headers(event))


def _key(event: Envelope, kind: Kind | None) -> bytes | None:
    if event.key is not None:
        return event.key
    if kind is not None and kind.key == "lane":
        return None
    try:
        keys = _KEYS.decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNKNOWN_KEY
    text = keys.area if kind is not None and kind.key == "area" else keys.provider or keys.area
    return text.encode() or UNKNOWN_KEY


def read(line: bytes, *, now_ms: int) -> Accepted | Problem:
    """What the codec makes of a line, were it appended now; it is tested in one lane of those it goes to."""
    sketch = draft(line)
    if isinstance(sketch, Problem):
        return sketch
    lane, key = sketch.keys(CHECKED_LANES)[0]
    record = Outgoing(
        topic=sketch.family,
        partition=lane,
        offset=0,
        timestamp=now_ms,
        key=key,
        value=sketch.value,
        headers=sketch.headers,
    )
    outcome = codec.decode(record, family=sketch.family, lanes=CHECKED_LANES)
    return Problem(outcome.reason, outcome.detail) if isinstance(outcome, codec.Refused) else outcome


def check(line: bytes, *, now_ms: int) -> Problem | None:
    """What is wrong with a line, first thing first."""
    found = read(line, now_ms=now_ms)
    return found if isinstance(found, Problem) else None
