"""Draining a backlog, against the floor of the same run; and what a worker's memory does meanwhile."""

import asyncio
from dataclasses import dataclass

import asyncpg

from bench import floor
from bench.ground import LANES, PREFIX, Ground, booked, none_refused, pace, peak_mib, processor_s
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.settings import NOBODY


@dataclass
class Drained:
    per_second: float
    peak_mib: float
    processor_us: float
    """Processor time of a record, the worker's and the database's."""


async def measure_floor(ground: Ground, *, processes: int) -> float:
    """Records a second, from the first commit to the last."""
    connection = await ground.connect()
    await connection.execute(floor.TABLE)
    await connection.execute("grant insert on floor to medfund_worker")
    await connection.execute("checkpoint")
    parts = [("-m", "bench.floor", str(part), str(processes)) for part in range(processes)]
    told = await asyncio.gather(*(asyncio.to_thread(ground.run, *part) for part in parts))
    await connection.execute("drop table floor")
    await connection.close()
    tallies = [tuple(map(float, text.split())) for text in told]
    seconds = max(last for _, _, last in tallies) - min(first for _, first, _ in tallies)
    return sum(records for records, _, _ in tallies) / seconds


async def measure_drain(ground: Ground, *, workers: int, share: float = 1.0, service: str = "ledger") -> Drained:
    """Events a second from Kafka to balances, durable, once; of the whole backlog or of its last share."""
    await ground.empty_books(service)
    connection = await ground.connect(service)
    records = await start_late(ground, connection, share)
    database = ground.database_s()
    with ground.workers(workers, service=service) as processes:
        rate = await pace(lambda: booked(connection), until=records)
        peak = max(map(peak_mib, processes))
        spent = sum(processor_s(process.pid) for process in processes) + ground.database_s() - database
    await none_refused(connection)
    await connection.close()
    return Drained(rate.per_second, peak, spent / records * 1e6)


async def start_late(ground: Ground, connection: asyncpg.Connection, share: float) -> int:
    """Put every lane before the last share of its backlog; how many records are left."""
    log = KafkaLog(ground.kafka.address, prefix=PREFIX, identity=NOBODY)
    left = 0
    for lane in range(LANES):
        source = await log.open_lane(lane, ["claims"])
        end = await source.end("claims")
        await source.close()
        start = end - int(end * share)
        left += end - start
        await connection.execute(
            "insert into positions (lane, topic, start_offset, next_offset) values ($1, 'claims', $2, $2)", lane, start
        )
    return left
