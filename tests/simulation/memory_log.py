"""The log in memory, for schedules that a broker would be too slow for. Passes the same conformance suite as Kafka."""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from medfund.lanes.kafka import headers_of
from medfund.lanes.log import Copy, Decision, Fault, LogTruncated, Run

Place = tuple[str, int]
"""Topic and lane."""


@dataclass(frozen=True)
class MemoryRecord:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass
class MemoryLog:
    """Offsets that have no record are markers, or were removed."""

    prefix: str = "medfund"
    clock_ms: int = 1_772_000_000_000
    kept: defaultdict[Place, list[MemoryRecord]] = field(default_factory=lambda: defaultdict(list))
    firsts: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    ends: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))

    def records(self, topic: str, lane: int) -> Sequence[MemoryRecord]:
        return self.kept[topic, lane]

    def put(
        self, topic: str, lane: int, *, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> int:
        offset = self.ends[topic, lane]
        self.clock_ms += 1
        self.kept[topic, lane].append(
            MemoryRecord(f"{self.prefix}.{topic}", lane, offset, self.clock_ms, key, value, tuple(headers))
        )
        self.ends[topic, lane] += 1
        return offset

    def mark(self, topic: str, lane: int) -> None:
        """An offset without an event, as a transaction leaves it."""
        self.ends[topic, lane] += 1

    def truncate(self, topic: str, lane: int, offset: int) -> None:
        """Remove what lies before an offset."""
        self.firsts[topic, lane] = offset
        del self.kept[topic, lane][: self.place(topic, lane, offset)]

    def place(self, topic: str, lane: int, offset: int) -> int:
        """Where among the records the first one from an offset on stands."""
        return bisect_left(self.kept[topic, lane], offset, key=lambda record: record.offset)

    async def append(self, lane: int, decisions: Sequence[Decision | Copy]) -> None:
        for decision in decisions:
            self.put(decision.topic, lane, key=decision.key, value=decision.value, headers=headers_of(decision))

    async def faults(self, topics: Sequence[str], lanes: int) -> Sequence[Fault]:
        return ()

    async def open_lane(self, lane: int, topics: Sequence[str]) -> "MemoryLane":
        return MemoryLane(self, lane)


@dataclass
class MemoryLane:
    log: MemoryLog
    lane: int
    positions: dict[str, int] = field(default_factory=dict)

    async def first(self, topic: str) -> int:
        return self.log.firsts[topic, self.lane]

    async def end(self, topic: str) -> int:
        return self.log.ends[topic, self.lane]

    async def record_at(self, topic: str, offset: int) -> MemoryRecord | None:
        found = self._following(topic, offset, 1)
        return found[0] if found and found[0].offset == offset else None

    def _following(self, topic: str, offset: int, limit: int) -> list[MemoryRecord]:
        place = self.log.place(topic, self.lane, offset)
        return self.log.kept[topic, self.lane][place : place + limit]

    def seek(self, positions: Mapping[str, int]) -> None:
        self.positions.update(positions)

    def position(self, topic: str) -> int:
        return self.positions[topic]

    def put_aside(self, batches: Iterable[tuple[str, int]]) -> None:
        """Here no batch is unreadable."""

    async def read(self, *, limit: int, wait_s: float, topics: Sequence[str] | None = None) -> list[Run]:
        await asyncio.sleep(0)
        runs = []
        for topic in topics or tuple(self.positions):
            if limit > 0 and (run := self._run(topic, limit)).next > run.first:
                limit -= len(run.records)
                runs.append(run)
        return runs

    def _run(self, topic: str, limit: int) -> Run:
        first, end = self.positions[topic], self.log.ends[topic, self.lane]
        if not self.log.firsts[topic, self.lane] <= first <= end:
            raise LogTruncated(f"{topic}: nothing at {first}")
        records = self._following(topic, first, limit)
        self.positions[topic] = records[-1].offset + 1 if len(records) == limit else end
        return Run(topic, first, self.positions[topic], records)

    async def close(self) -> None:
        pass
