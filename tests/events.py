"""Events as tests write them: the contract's examples with a few members changed, as records of the log."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from medfund import money
from medfund.events import schemas, speakers
from medfund.events.kinds import KINDS
from medfund.lanes import partition

AREA = "152500"
CALLED: str = KINDS["provider.registered.v1"].example["name"]
"""What a hospital is called where nothing else is said."""
SOURCE = "/gateway/152500"


@dataclass(frozen=True)
class Message:
    """What a publisher hands to the broker."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = field(default=())


def message(
    type: str, *, id: str, source: str | None = None, time: str = "2025-03-04T10:15:30+08:00", **data: Any
) -> Message:
    """The example of an event type with some members changed; keyed as the type asks, from a source that may say it."""
    kind = KINDS[type]
    content = {**kind.example, **data}
    key = content["provider"] if kind.key == "provider" else content.get("area", AREA)
    said_by = source or schemas.source_of(kind)
    return Message(kind.family, key.encode(), msgspec.json.encode(content), headers(type, id, said_by, time))


def source_registered(source: str, *said_by: str, id: str, key: bytes, **data: Any) -> Message:
    """Two people of the agency let a source speak: for everything, unless told otherwise."""
    content = {"source": source, "speakers": said_by, "areas": None, "valid_from": "2000-01-01", **data}
    content.setdefault("approvers", ["staff-7c41", "staff-02e9"])
    type, time = "source.registered.v1", "2025-01-01T09:00:00+08:00"
    return Message("agency", key, msgspec.json.encode(content), headers(type, id, "/clearing/commands", time))


def registry(lanes: Iterable[int], of: int) -> list[Message]:
    """The sources that tests speak as, each registered for all that is its to say, in so many lanes."""
    return [
        source_registered(source, speaker, id=f"source-{speaker}", key=partition.lane_key(lane, of))
        for lane in lanes
        for speaker, source in schemas.SOURCES.items()
        if speaker in speakers.REGISTRABLE
    ]


def is_of_sources(message: Message) -> bool:
    return ("ce_type", b"source.registered.v1") in message.headers


def headers(type: str, id: str, source: str, time: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    )


def settlement(
    provider: str, *, id: str, funds: dict[str, int], cash: int = 0, reverses: str | None = None, **data: Any
) -> Message:
    """A settlement of these amounts in fen, or a reversal of one where `reverses` names its reference."""
    sign = 1 if reverses is None else -1
    amounts = {fund: money.yuan(sign * amount) for fund, amount in funds.items()}
    total = money.yuan(sign * (sum(funds.values()) + cash))
    content = {"provider": provider, "funds": amounts, "total": total, "cash": money.yuan(sign * cash)}
    content |= {"personal_account": "0.00", "settlement_ref": reference(id), "service_date": "2025-03-04", **data}
    if reverses is None:
        return message("settlement.recorded.v1", id=id, **content)
    return message("settlement.reversed.v1", id=id, reverses_ref=reverses, **content)


def registered(provider: str, *, id: str, area: str = AREA) -> Message:
    return message("provider.registered.v1", id=id, provider=provider, area=area)


def reference(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()[:32]


def providers(lane: int, lanes: int, count: int) -> list[str]:
    """Provider codes whose events belong to a lane."""
    found: list[str] = []
    for number in range(1, 100_000):
        code = f"H152502{number:05d}"
        if _lane(code, lanes) == lane:
            found.append(code)
        if len(found) == count:
            break
    return found


def area(lane: int, lanes: int) -> str:
    """A pooling area whose own events belong to a lane."""
    return next(code for number in range(100_000) if _lane(code := f"15{number:04d}", lanes) == lane)


@cache
def _lane(code: str, lanes: int) -> int:
    return partition.lane_of(code.encode(), lanes)
