"""From publishing to visible in a balance, at the country's burst of 2,800 events a second."""

import asyncio
import json
import time
from bisect import bisect_left
from collections import defaultdict

import aiokafka
import asyncpg

from bench import drain
from bench.ground import LANES, PREFIX, Ground, none_refused
from medfund.lanes import partition
from tests import events

PER_SECOND = 2_800
TICK_S = 0.01
LOOK_EVERY_S = 0.002
SECONDS = 20
WARM_UP_S = 3


async def measure(ground: Ground) -> dict[str, float]:
    """Percentiles in milliseconds over every event sent after the warm-up."""
    await ground.empty_books()
    connection = await ground.connect()
    await drain.start_late(ground, connection, 0.0)  # what a database does after a long drain is not measured here
    providers = await known_providers(ground)
    seen: dict[int, list[tuple[float, int]]] = defaultdict(list)
    done = asyncio.Event()
    with ground.workers(1):
        await settled(connection)
        watching = asyncio.create_task(watch(connection, seen, done))
        sent = await send(ground, providers)
        await asyncio.sleep(2)
        done.set()
        await watching
    await none_refused(connection)
    await connection.close()
    return percentiles(sent, seen)


async def known_providers(ground: Ground) -> list[str]:
    """The backlog's own providers: they are registered on the log already."""
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=ground.kafka.address, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([aiokafka.TopicPartition(f"{PREFIX}.agency", lane) for lane in range(LANES)])
    found: list[str] = []
    while batches := await consumer.getmany(timeout_ms=1000):
        for records in batches.values():
            found += [json.loads(record.value).get("provider", "") for record in records]
    await consumer.stop()
    return [provider for provider in found if provider]


async def settled(connection: asyncpg.Connection) -> None:
    """Wait until the worker has caught up with everything."""
    still, last = 0, -1
    while still < 20:
        await asyncio.sleep(0.25)
        now = await connection.fetchval("select coalesce(sum(next_offset), 0) from positions")
        still, last = (still + 1 if now == last and now else 0), now


async def send(ground: Ground, providers: list[str]) -> list[tuple[int, int, float]]:
    """Send at an even pace; lane, offset and moment of each event, as the broker acknowledged it."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=ground.kafka.address, acks="all", enable_idempotence=True)
    await producer.start()
    area = "140500"
    sent = []
    per_tick = int(PER_SECOND * TICK_S)
    began = time.perf_counter()
    for tick in range(int(SECONDS / TICK_S)):
        await asyncio.sleep(max(0.0, began + tick * TICK_S - time.perf_counter()))
        for number in range(per_tick):
            place = tick * per_tick + number
            message = events.settlement(
                providers[place * 7919 % len(providers)], id=f"latency-{place}", funds={"390100": 12345}, area=area,
                insured_area=area, source=f"/gateway/{area}",
            )  # fmt: skip
            assert message.key
            lane = partition.lane_of(message.key, LANES)
            now = time.perf_counter()
            future = await producer.send(
                f"{PREFIX}.claims", message.value, key=message.key, partition=lane, headers=list(message.headers)
            )
            if tick * TICK_S >= WARM_UP_S:
                sent.append((lane, future, now))
    await producer.flush()
    await producer.stop()
    return [(lane, future.result().offset, moment) for lane, future, moment in sent]


async def watch(connection: asyncpg.Connection, seen: dict[int, list[tuple[float, int]]], done: asyncio.Event) -> None:
    """When each lane's position, which moves in the transaction of the balance, was first seen where."""
    query = "select lane, next_offset from positions where topic = 'claims'"
    while not done.is_set():
        for lane, position in await connection.fetch(query):
            if not seen[lane] or seen[lane][-1][1] != position:
                seen[lane].append((time.perf_counter(), position))
        await asyncio.sleep(LOOK_EVERY_S)


def percentiles(sent: list[tuple[int, int, float]], seen: dict[int, list[tuple[float, int]]]) -> dict[str, float]:
    waits = []
    for lane, offset, moment in sent:
        first = bisect_left(seen[lane], offset + 1, key=lambda look: look[1])
        waits.append((seen[lane][first][0] - moment) * 1000)
    waits.sort()
    return {"p50": waits[len(waits) // 2], "p99": waits[len(waits) * 99 // 100], "max": waits[-1]}
