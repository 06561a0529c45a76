"""What the log is, beside what stands on it: whether it keeps everything, at the broker's time, and lets it be read.

Nothing here moves or stops anything: a fault has a name, and says where it is. What it costs a lane, the lane finds out
by itself (`LogGap`, `LogTruncated`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.structs import TopicPartition

from medfund.lanes import fetched, knocking
from medfund.lanes.fetched import Terms
from medfund.lanes.log import Fault, FaultCode

CALL_TIMEOUT_S = 10.0
HELD_UP_S = 20.0
"""A transaction may be open for so long, and a lane wait for it."""
LOOK_BYTES_MAX = 1 << 18


async def look(
    bootstrap: str, *, prefix: str, families: Sequence[str], lanes: int, identity: Mapping[str, Any]
) -> list[Fault]:
    """All that is wrong. Raises `KafkaError`, `OSError` or `TimeoutError`."""
    names = [f"{prefix}.{family}" for family in families]
    found = await settings(bootstrap, names, lanes=lanes, identity=identity)
    places = [TopicPartition(name, lane) for name in names if name not in missing(found) for lane in range(lanes)]
    async with asyncio.timeout(CALL_TIMEOUT_S), reader(bootstrap, "read_uncommitted", identity=identity) as everything:
        everything.assign(places)  # it learns about all topics at once, not about one after the other
        ends = await everything.end_offsets(places)
        async with reader(bootstrap, "read_committed", identity=identity) as committed:
            committed.assign(places)
            stable = await committed.end_offsets(places)
        held = await held_up(everything, stable, ends)
    return [*found, *(fault_of(place, at) for place, at in held.items())]


def missing(faults: Iterable[Fault]) -> set[str]:
    """Topics of which lanes cannot be read."""
    return {fault.topic for fault in faults if fault.code == "topic_missing"}


async def settings(bootstrap: str, names: Sequence[str], *, lanes: int, identity: Mapping[str, Any]) -> list[Fault]:
    """What the topics are set to that would lose something, or put it in another place or time."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(CALL_TIMEOUT_S * 1000), **identity)
    try:
        await admin.start()
        return await settings_of(admin, names, lanes=lanes)
    finally:
        await admin.close()


async def settings_of(admin: AIOKafkaAdminClient, names: Sequence[str], *, lanes: int) -> list[Fault]:
    found = []
    for topic in await admin.describe_topics(list(names)):
        if fault := _of_partitions(topic["topic"], topic["error_code"], len(topic["partitions"]), lanes):
            found.append(fault)
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names]):
        for code, _, _, name, entries in answer.resources:
            if not code:
                found += _of_settings(name, {entry[0]: entry[1] for entry in entries})
    return found


def _of_partitions(topic: str, error: int, count: int, lanes: int) -> Fault | None:
    if error == UnknownTopicOrPartitionError.errno:
        return Fault("topic_missing", topic, "the broker does not have it")
    if error or count == lanes:
        return None
    code: FaultCode = "partitions_changed" if count > lanes else "topic_missing"
    return Fault(code, topic, f"it has {count} partitions instead of {lanes}")


def _of_settings(topic: str, kept: Mapping[str, str]) -> list[Fault]:
    policies = kept.get("cleanup.policy", "delete").split(",")
    limits = [name for name in ("retention.ms", "retention.bytes") if kept.get(name, "-1") != "-1"]
    times = kept.get("message.timestamp.type", "LogAppendTime")
    faults: Mapping[FaultCode, tuple[bool, str]] = {
        "log_compacts": ("compact" in policies, f"cleanup.policy={kept.get('cleanup.policy')}"),
        "log_expires": ("delete" in policies and bool(limits), " ".join(f"{name}={kept[name]}" for name in limits)),
        "log_timestamps": (times != "LogAppendTime", f"message.timestamp.type={times}"),
        "log_elects_unclean": (
            kept.get("unclean.leader.election.enable") == "true",
            "unclean.leader.election.enable=true",
        ),
    }
    return [Fault(code, topic, detail) for code, (holds, detail) in faults.items() if holds]


async def held_up(
    everything: aiokafka.AIOKafkaConsumer,
    stable: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """Where a transaction is open, and when its first record was appended (ms). `everything` reads uncommitted ones."""
    held = {place: offset for place, offset in stable.items() if offset < ends.get(place, 0)}
    found: dict[TopicPartition, int] = {}
    if not held:
        return found
    everything.assign(list(held))
    for place, offset in held.items():
        everything.seek(place, offset)
    deadline = time.monotonic() + CALL_TIMEOUT_S / 4
    while (left := held.keys() - found.keys()) and time.monotonic() < deadline:
        for place, records in (await everything.getmany(*left, timeout_ms=250)).items():
            found.update((place, record.timestamp) for record in records[:1])
    if left:
        raise TimeoutError(f"since when a transaction is open could not be read of {len(left)} partitions")
    return found


def fault_of(place: TopicPartition, since_ms: int) -> Fault:
    detail = "a transaction is open, and nothing behind its first record can be read"
    return Fault("log_held_up", place.topic, detail, place.partition, max(time.time() - since_ms / 1000, 0.0))


def grave(faults: Sequence[Fault]) -> list[Fault]:
    """Without transactions that may still end in time."""
    return [fault for fault in faults if fault.age_s is None or fault.age_s >= HELD_UP_S]


@asynccontextmanager
async def reader(
    bootstrap: str, isolation: str, *, wait_s: float = CALL_TIMEOUT_S, identity: Mapping[str, Any]
) -> AsyncIterator[aiokafka.AIOKafkaConsumer]:
    """A client for whoever only looks: nothing follows from what it misses."""
    broker = {"bootstrap_servers": bootstrap, **identity}
    consumer = aiokafka.AIOKafkaConsumer(
        **broker,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level=isolation,
        max_partition_fetch_bytes=LOOK_BYTES_MAX,
        request_timeout_ms=int(wait_s * 1000),
        fetch_max_wait_ms=100,
    )
    try:
        await knocking.let_in(consumer.start(), broker)
        fetched.read_through(consumer, Terms(gaps=True))
        yield consumer
    finally:
        await fetched.stop(consumer)
