"""The log as a lane sees it: one partition of every topic, read by position, without a consumer group.

A position is the offset of the next record. Nothing is ever reset silently: a position that the log no longer
has is `LogTruncated`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol


class Record(Protocol):
    """One record as the broker gave it; `timestamp` is the broker's append time in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Run(NamedTuple):
    """Records of one topic in their order, and the positions before and after them.

    `next` may lie beyond the last record, over control records that carry no event.
    """

    topic: str
    first: int
    next: int
    records: Sequence[Record]


FaultCode = Literal[
    "topic_missing",
    "partitions_changed",
    "log_compacts",
    "log_expires",
    "log_timestamps",
    "log_elects_unclean",
    "log_held_up",
]


class Fault(NamedTuple):
    """What a log is that it must not be. `code` is stable; `age_s`: how long a lane has been held up."""

    code: FaultCode
    topic: str
    detail: str
    lane: int | None = None
    age_s: float | None = None


class UnreadBatch(NamedTuple):
    """A batch that was not opened, as one record at its first offset: its bytes as the broker keeps them, and why."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: None
    value: bytes
    headers: tuple[()]
    offsets: int
    """How many there are from the first one to its end."""
    detail: str


class LogTruncated(Exception):
    """The log no longer has (or does not have yet) the offset that we need next."""


class LogGap(LogTruncated):
    """Records were taken from the middle of the log, and no marker and no aborted transaction explains it."""


class BatchUnreadable(Exception):
    """A batch of the log cannot be opened. An operator may have it put aside as it is."""


class BatchTooLarge(BatchUnreadable):
    """A batch of the log would take more memory than a batch may."""


class LaneLog(Protocol):
    """One lane of the log. Topics are named by their family (`claims`), wherever the broker keeps them."""

    async def first(self, topic: str) -> int:
        """The first offset that the log still has."""
        ...

    async def end(self, topic: str) -> int:
        """The offset that the next record would get, as of now."""
        ...

    async def record_at(self, topic: str, offset: int) -> Record | None:
        """The record at an offset, None where the log does not have it. Leaves `read` to start where `seek` says."""
        ...

    def seek(self, positions: Mapping[str, int]) -> None:
        """Read from these positions on."""
        ...

    def position(self, topic: str) -> int:
        """The offset that `read` continues from."""
        ...

    def put_aside(self, batches: Iterable[tuple[str, int]]) -> None:
        """Of the batches that cannot be opened, give these as one `UnreadBatch` each (by topic and offset), and stop at
        any other. Without this all of them are given so."""
        ...

    async def read(self, *, limit: int, wait_s: float, topics: Sequence[str] | None = None) -> list[Run]:
        """Up to about `limit` records that follow the positions, of all topics or of some; empty after `wait_s`.

        Raises `LogTruncated`, `BatchUnreadable`.
        """
        ...

    async def close(self) -> None: ...


class Decision(NamedTuple):
    """An event that one of our services wrote, on its way to the log."""

    topic: str
    key: bytes
    source: str
    id: str
    type: str
    time: str
    value: bytes


class Copy(NamedTuple):
    """A record that is appended again to the end of its topic: the same event, and where it stood before."""

    topic: str
    key: bytes
    source: str
    id: str
    type: str
    time: str
    value: bytes
    retry_of: str


class Log(Protocol):
    """Where lanes are read from and decisions are appended to."""

    async def open_lane(self, lane: int, topics: Sequence[str]) -> LaneLog: ...

    async def append(self, lane: int, decisions: Sequence[Decision | Copy]) -> None:
        """Append in order to the lane's partition; returns when the log has all of them."""
        ...

    async def faults(self, topics: Sequence[str], lanes: int) -> Sequence[Fault]:
        """What the log is that it must not be."""
        ...
