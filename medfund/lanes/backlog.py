"""What of the log a service has not booked yet: how many records, and the first of them. For health, not to book."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import aiokafka
from aiokafka.structs import TopicPartition

from medfund.lanes.log import Record

FETCH_BYTES_MAX = 1 << 18
CHUNK_RECORDS = 1000


class Place(NamedTuple):
    lane: int
    topic: str


class Backlog(NamedTuple):
    """`unread` counts offsets, control records among them; `first` are the records read from where each place lags."""

    unread: int
    first: Sequence[tuple[str, Record]]
    """Family and record."""
    complete: bool
    """All that is unread was read."""


Stretches = Mapping[TopicPartition, tuple[int, int]]
"""From the next offset to the end."""


async def look(
    bootstrap: str, *, prefix: str, positions: Mapping[Place, int | None], records_max: int, wait_s: float
) -> Backlog:
    """`positions`: the next offset of every place, None where nothing was read yet.

    Raises `KafkaError`, `OSError` or `TimeoutError` when the log does not answer within `wait_s`.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        request_timeout_ms=int(wait_s * 1000),
    )
    try:
        async with asyncio.timeout(wait_s):
            await consumer.start()
            lagging = await _lagging(consumer, prefix, positions)
        records, complete = await _read(consumer, lagging, records_max, wait_s)
    finally:
        await consumer.stop()
    return Backlog(
        sum(end - position for position, end in lagging.values()),
        [(record.topic.removeprefix(f"{prefix}."), record) for record in records],
        complete,
    )


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
    """Records from the beginnings of the stretches, as many as `records_max` or as come in time."""
    records: list[Record] = []
    if not lagging:
        return records, True
    consumer.assign(list(lagging))
    for partition, (position, _) in lagging.items():
        consumer.seek(partition, position)
    deadline = time.monotonic() + wait_s
    left = set(lagging)
    while left and len(records) < records_max and time.monotonic() < deadline:
        for fetched in (await consumer.getmany(*left, timeout_ms=250, max_records=CHUNK_RECORDS)).values():
            records.extend(fetched)
        left = {partition for partition in left if await consumer.position(partition) < lagging[partition][1]}
    return records, not left
