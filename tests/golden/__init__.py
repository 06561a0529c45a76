"""Golden histories: what a deciding service decided about small stories, one for each of its capabilities.

    tests/golden/decided/<story>.jsonl    decided again by every later version: the same decisions, to the byte
    tests/golden/rebuilt/<story>.jsonl    decided otherwise since, on purpose: read back, and never decided again

Those of direct payment are in `direct_pay` below each, the others are of the clearing service.

A line is a record of one lane, in the order in which the broker appended them; its offset is its place among those of
its topic. What stays true: a file is never changed. Where a decision changes, the file goes to `rebuilt` under another
name, and `python -m tests.golden <story>` tells its story again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests import events
from tests.simulation.memory_log import MemoryLog, MemoryRecord

DECIDED = Path(__file__).with_name("decided")
REBUILT = Path(__file__).with_name("rebuilt")
TOLD_WITH: Mapping[str, Mapping[str, str]] = {
    "clearing": {"history of prepayments": "prepayment"},
    "direct_pay": {
        **dict.fromkeys(("providers", "policy", "master", "orders", "traces", "invoices", "mandates"), "purchases"),
        "days": "statements",
    },
}
"""By service: capabilities that are shown by the story of another one."""


def folder(within: Path, service: str) -> Path:
    return within if service == "clearing" else within / service


def decided(story: str, service: str = "clearing") -> Path:
    return folder(DECIDED, service) / f"{story}.jsonl"


def histories(within: Path) -> list[tuple[str, Path]]:
    """Each with the service that decided it."""
    return [(service, history) for service in TOLD_WITH for history in sorted(folder(within, service).glob("*.jsonl"))]


def lines(log: MemoryLog, lane: int) -> Iterator[str]:
    """A lane's records as text, of all topics, in their order."""
    records = [record for (_, of), kept in log.kept.items() if of == lane for record in kept]
    for record in sorted(records, key=lambda one: one.timestamp):
        yield json.dumps(_said(record), ensure_ascii=False)


def _said(record: MemoryRecord) -> dict[str, Any]:
    headers = {name.removeprefix("ce_"): text.decode() for name, text in record.headers}
    data = json.loads(record.value or b"")
    said = {
        "topic": record.topic.removeprefix("medfund."),
        "at": record.timestamp,
        "key": (record.key or b"").decode(),
        **{name: headers[name] for name in ("type", "id", "source", "time")},
        "data": data,
    }
    if (_headers(said), msgspec.json.encode(data)) != (tuple(record.headers), record.value):
        raise ValueError(f"a line cannot say all of {said['topic']} {record.offset}")
    return said


def _headers(said: dict[str, Any]) -> Sequence[tuple[str, bytes]]:
    return events.headers(said["type"], said["id"], said["source"], said["time"])


def put(log: MemoryLog, lane: int, said: Iterable[dict[str, Any]]) -> None:
    """Append records at the moments at which they were appended first."""
    for one in said:
        log.clock_ms = one["at"] - 1
        value = msgspec.json.encode(one["data"])
        log.put(one["topic"], lane, key=one["key"].encode(), value=value, headers=_headers(one))


def kept(history: Path) -> list[str]:
    return history.read_text("utf-8").splitlines()


def read(history: Path) -> list[dict[str, Any]]:
    """The records of a file, as `put` appends them."""
    return [json.loads(line) for line in kept(history)]
