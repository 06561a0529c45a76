"""Single records and short stretches of the log, for people who ask; every wait bounded, a few readers at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from medfund.http.problems import Problem
from medfund.lanes.kafka import KafkaError
from medfund.lanes.log import LaneLog, Log, LogTruncated, Record

STRETCH_MAX = 50_000
CHUNK_RECORDS = 1000
WAIT_S = 5.0
READERS_MAX = 4


class LogReading:
    """Opens a reader for each question and closes it: nothing is fetched that nobody asked for."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._readers = asyncio.Semaphore(READERS_MAX)

    async def record(self, lane: int, topic: str, offset: int) -> Record:
        """Raises `Problem` when the log does not answer or no longer has the record."""
        async with self._source(lane, topic) as source:
            record = await source.record_at(topic, offset)
        if record is None:
            raise Problem("log_unavailable", "The log no longer holds this record")
        return record

    async def stretch(self, lane: int, topic: str, first: int, last: int) -> AsyncIterator[Sequence[Record]]:
        """The records from `first` to `last`, both included, in chunks. Raises `Problem`."""
        if last - first >= STRETCH_MAX:
            raise Problem("too_much", f"The line spans more than {STRETCH_MAX} records")
        async with self._source(lane, topic) as source:
            source.seek({topic: first})
            while source.position(topic) <= last:
                runs = await source.read(limit=CHUNK_RECORDS, wait_s=1.0)
                yield [record for run in runs for record in run.records if record.offset <= last]

    @asynccontextmanager
    async def _source(self, lane: int, topic: str) -> AsyncIterator[LaneLog]:
        try:
            async with asyncio.timeout(WAIT_S), self._readers:
                source = await self._log.open_lane(lane, [topic])
                try:
                    yield source
                finally:
                    await source.close()
        except (TimeoutError, KafkaError, OSError) as error:
            raise Problem("log_unavailable") from error
        except LogTruncated as error:
            raise Problem("log_unavailable", "The log no longer holds these records") from error
