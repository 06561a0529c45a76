"""What of the log a service has not booked yet: how many records, and the first of them. For health, not to book."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import aiokafka
from aiokafka.structs import TopicPartition

from medfund.lanes import watching
from medfund.lanes.log import Fault, Record

CHUNK_RECORDS = 1000
BYTES_MAX = 16 << 20
"""Whoever asks how far behind the books are never holds much more."""


class Place(NamedTuple):
    lane: int
    topic: str


class Backlog(NamedTuple):
    """`unread` counts offsets, control records among them; `first` are the records read from where each place lags."""

    unread: int
    first: Sequence[tuple[str, Record]] = ()
    """Family and record."""
    complete: bool = True
    """All that is unread was read."""
    held_up: Sequence[Fault] = ()
    """Where a transaction is open, however short."""


Stretches = Mapping[TopicPartition, tuple[int, int]]
"""From the next offset to the end."""


async def look(
    bootstrap: str,
    *,
    prefix: str,
    positions: Mapping[Place, int | None],
    records_max: int,
    wait_s: float,
    identity: Mapping[str, Any],
) -> Backlog:
    """`positions`: the next offset of every place, None where nothing was read yet.

    Raises `KafkaError`, `OSError` or `TimeoutError` when the log does not answer within `wait_s`.
    """
    async with (
        _within(wait_s),
        watching.reader(bootstrap, "read_uncommitted", wait_s=wait_s, identity=identity) as everything,
    ):
        lagging = await _lagging(everything, prefix, positions)
        if not lagging:
            return Backlog(0)
        async with watching.reader(bootstrap, "read_committed", wait_s=wait_s, identity=identity) as committed:
            committed.assign(list(lagging))
            stable = await committed.end_offsets(list(lagging))
            held = await watching.held_up(everything, stable, {place: end for place, (_, end) in lagging.items()})
            readable = {place: (at, stable[place]) for place, (at, _) in lagging.items() if at < stable[place]}
            records, complete = await _read(committed, readable, records_max, wait_s)
    return Backlog(
        sum(end - position for position, end in lagging.values()),
        [(record.topic.removeprefix(f"{prefix}."), record) for record in records],
        complete and not held,
        [watching.fault_of(place, since_ms) for place, since_ms in held.items()],
    )


def _within(wait_s: float) -> asyncio.Timeout:
    """To connect and ask may take as long as to read, and so may what an open transaction is asked for."""
    return asyncio.timeout(3 * wait_s)


async def _lagging(
    consumer: aiokafka.AIOKafkaConsumer, prefix: str, positions: Mapping[Place, int | None]
) -> Stretches:
    known = {TopicPartition(f"{prefix}.{place.topic}", place.lane): offset for place, offset in positions.items()}
    consumer.assign(list(known))  # it learns about all topics at once, not about one after the other
    ends = await consumer.end_offsets(list(known))
    firsts = await consumer.beginning_offsets(list(known))
    # What the log no longer has cannot be looked at; the lane that needs it says so.
    starts = {partition: max(first, known[partition] or 0) for partition, first in firsts.items()}
    return {partition: (starts[partition], end) for partition, end in ends.items() if starts[partition] < end}


async def _read(
    consumer: aiokafka.AIOKafkaConsumer, lagging: Stretches, records_max: int, wait_s: float
) -> tuple[Sequence[Record], bool]:
    """Records from the beginnings of the stretches, as many as `records_max`, as `BYTES_MAX`, or as come in time."""
    records: list[Record] = []
    size = 0
    if not lagging:
        return records, True
    consumer.assign(list(lagging))
    for partition, (position, _) in lagging.items():
        consumer.seek(partition, position)
    deadline = time.monotonic() + wait_s
    left = set(lagging)
    while left and len(records) < records_max and size < BYTES_MAX and time.monotonic() < deadline:
        for fetched in (await consumer.getmany(*left, timeout_ms=250, max_records=CHUNK_RECORDS)).values():
            records.extend(fetched)
            size += sum(len(record.value or b"") for record in fetched)
        left = {partition for partition in left if await consumer.position(partition) < lagging[partition][1]}
    return records, not left
