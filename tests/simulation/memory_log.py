"""The log in memory, for schedules that a broker would be too slow for. Passes the same conformance suite as Kafka."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medfund.lanes.kafka import headers_of
from medfund.lanes.log import Decision, LogTruncated, Run


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
    prefix: str = "medfund"
    clock_ms: int = 1_772_000_000_000
    records: dict[tuple[str, int], list[MemoryRecord]] = field(default_factory=dict)

    def put(
        self, topic: str, lane: int, *, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> int:
        partition = self.records.setdefault((topic, lane), [])
        self.clock_ms += 1
        partition.append(
            MemoryRecord(f"{self.prefix}.{topic}", lane, len(partition), self.clock_ms, key, value, tuple(headers))
        )
        return len(partition) - 1

    async def append(self, lane: int, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            self.put(decision.topic, lane, key=decision.key, value=decision.value, headers=headers_of(decision))

    async def open_lane(self, lane: int, topics: Sequence[str]) -> "MemoryLane":
        return MemoryLane(self, lane)


@dataclass
class MemoryLane:
    log: MemoryLog
    lane: int
    positions: dict[str, int] = field(default_factory=dict)

    def _partition(self, topic: str) -> list[MemoryRecord]:
        return self.log.records.get((topic, self.lane), [])

    async def first(self, topic: str) -> int:
        return 0

    async def end(self, topic: str) -> int:
        return len(self._partition(topic))

    async def record_at(self, topic: str, offset: int) -> MemoryRecord | None:
        partition = self._partition(topic)
        return partition[offset] if 0 <= offset < len(partition) else None

    def seek(self, positions: Mapping[str, int]) -> None:
        self.positions.update(positions)

    def position(self, topic: str) -> int:
        return self.positions[topic]

    async def read(self, *, limit: int, wait_s: float, topics: Sequence[str] | None = None) -> list[Run]:
        await asyncio.sleep(0)
        runs = []
        for topic in topics or tuple(self.positions):
            first = self.positions[topic]
            if first > len(self._partition(topic)):
                raise LogTruncated(f"{topic}: nothing at {first}")
            records = self._partition(topic)[first : first + limit]
            limit -= len(records)
            if records:
                self.positions[topic] = first + len(records)
                runs.append(Run(topic, first, self.positions[topic], records))
        return runs

    async def close(self) -> None:
        pass
