"""The floor: read the same records from Kafka and COPY them into one table with a unique id. Nothing else.

No check, no digest, no position, no double entry. Run as `python -m bench.floor PART PARTS`: one process of several,
each with its share of the lanes, and the same batches, fetches and overlap as a worker.
"""

import asyncio
import sys
import time
from dataclasses import dataclass

import uvloop

from ledger.settings import WorkerSettings
from medfund import garbage
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.log import LaneLog
from medfund.lanes.worker import LANES_AT_ONCE
from medfund.postgres import connect

BATCH = Limits().batch_records_max
TABLE = "create table floor (id bytea primary key, value bytea not null)"


@dataclass
class Tally:
    records: int = 0
    first: float = 0.0
    last: float = 0.0


async def lane(source: LaneLog, dsn: str, turn: asyncio.Semaphore, tally: Tally) -> None:
    source.seek({"claims": await source.first("claims")})
    end = await source.end("claims")
    async with connect.connection(dsn, name="floor") as connection:
        while source.position("claims") < end:
            async with turn:
                runs = await source.read(limit=BATCH, wait_s=1)
                rows = [(record.headers[1][1], record.value) for run in runs for record in run.records]
                async with connection.transaction():
                    await connection.copy_records_to_table("floor", records=rows, columns=("id", "value"))
                tally.last = time.monotonic()
                tally.first = tally.first or tally.last
                tally.records += len(rows)
    await source.close()


async def main(part: int, parts: int) -> Tally:
    settings = WorkerSettings()  # type: ignore[call-arg]  # from the environment
    log = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    turn = asyncio.Semaphore(LANES_AT_ONCE)
    mine = [await log.open_lane(number, ["claims"]) for number in range(part, settings.lanes, parts)]
    garbage.collect_seldom()
    tally = Tally()
    await asyncio.gather(*(lane(source, settings.database_url, turn, tally) for source in mine))
    return tally


if __name__ == "__main__":
    result = uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
    print(result.records, result.first, result.last)
