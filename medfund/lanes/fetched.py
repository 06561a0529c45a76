"""What the broker's answers hold, batch by batch: opened within limits, and every offset between them explained.

What stays true: a position moves over an offset only with its record, or where the batches say that there is no event:
a marker, or what an aborted transaction left. Compaction takes records away and says nothing of it, and that is a
`LogGap`. A batch is opened whole or not at all, and not before it is known to fit into memory.

It takes the place of the iterator inside aiokafka's client, which passes over gaps in silence and opens whatever comes.
"""

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from struct import Struct
from typing import Any, NamedTuple

import aiokafka
from aiokafka import codec
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import TopicPartition

from medfund.lanes import unpacking
from medfund.lanes.log import BatchTooLarge, BatchUnreadable, LogGap, UnreadBatch

UNPACKED_BYTES_MAX = 16 << 20
"""Of a compressed batch. What comes as it is the broker limits by `max.message.bytes`."""
READ_BYTES_MAX = 8 << 20
"""Once so much was opened, whoever reads gets what there is, and the next batch the next time."""
HEADER_BYTES = 100
"""What a header takes beside its own."""
RECORDS_MAX = 100_000
"""Of a batch: each takes some hundred bytes beside its own."""
HEADERS_MAX = 200_000
"""Of all records of a batch together."""
HEADERS_COUNTED_FROM = 1 << 20
"""Fewer bytes cannot hold so many headers that they would matter."""

_HEAD = Struct(">qiibIhiqqqhii")
_MAGIC = 16
_CODEC, _APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
CODEC_NAMES = {0: "uncompressed", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_offset = attrgetter("offset")


class LogRecord(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Head(NamedTuple):
    """The beginning of a batch, format 2."""

    base: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_delta: int
    first_ms: int
    max_ms: int
    producer: int
    producer_epoch: int
    sequence: int
    records: int

    @property
    def next(self) -> int:
        return self.base + self.last_delta + 1

    def says(self, attribute: int) -> bool:
        return bool(self.attributes & attribute)


class Terms:
    """How the lanes of one client are read.

    `aside`: the batches, by place and first offset, that are given as one `UnreadBatch` each if they cannot be opened;
    any other that cannot be opened stops its lane. None: each is given so. `gaps`: whether missing offsets are passed
    over, for readers that book nothing. `room`: how many bytes may still be opened before the client is asked again.
    """

    def __init__(self, *, gaps: bool = False) -> None:
        self.aside: Collection[tuple[TopicPartition, int]] | None = None
        self.gaps = gaps
        self.room = READ_BYTES_MAX


def read_through(consumer: aiokafka.AIOKafkaConsumer, terms: Terms) -> None:
    """Let a started consumer read by these terms."""
    client, fetcher = consumer._client, consumer._fetcher
    answers: dict[TopicPartition, bytes] = {}
    send, getmany = client.send, consumer.getmany

    async def sent(node: int, request: Any, **named: Any) -> Any:
        response = await send(node, request, **named)
        if isinstance(request, FetchRequest):
            # The fetcher takes them up before anything else runs.
            answers.clear()
            for topic, partitions in response.topics:
                answers.update((TopicPartition(topic, number), rest[-1]) for number, *rest in partitions)
        return response

    async def portion(*places: TopicPartition, **named: Any) -> Any:
        terms.room = READ_BYTES_MAX
        return await getmany(*places, **named)

    client.send, consumer.getmany = sent, portion
    fetcher._records = _Fetched(answers, terms)


async def stop(consumer: aiokafka.AIOKafkaConsumer) -> None:
    """Also one that could not start, or whose last question failed a moment ago: stopping such a one ends in the
    cancellation of tasks of its own, which nobody may take for theirs, and leaves its connections open."""
    await asyncio.gather(consumer.stop(), return_exceptions=True)
    await consumer._client.close()


class _Fetched(OrderedDict[TopicPartition, Any]):
    """The client's answers that wait to be read."""

    def __init__(self, answers: dict[TopicPartition, bytes], terms: Terms) -> None:
        super().__init__()
        self._answers = answers
        self._terms = terms

    def __setitem__(self, place: TopicPartition, result: Any) -> None:
        if type(result) is FetchResult:
            theirs = result._partition_records
            result._partition_records = Batches(place, self._answers.pop(place), theirs, self._terms)
        super().__setitem__(place, result)


class Batches:
    """The records of one answer for one partition, from a position on."""

    def __init__(self, place: TopicPartition, raw: bytes, theirs: PartitionRecords, terms: Terms) -> None:
        self.next_fetch_offset: int = theirs.next_fetch_offset
        self._place = place
        self._aborts: list[tuple[int, int]] = theirs._aborted_transactions
        self._aborted: set[int] = set()
        self._terms = terms
        self._records = self._read(memoryview(raw))
        theirs._records_iterator = None  # it holds the answer in a circle, and circles are collected seldom

    def __iter__(self) -> Iterator[LogRecord | UnreadBatch]:
        return self._records

    def _read(self, raw: memoryview) -> Iterator[LogRecord | UnreadBatch]:
        begin = self.next_fetch_offset
        if len(raw) > _MAGIC and raw[_MAGIC] != 2:
            raise BatchUnreadable(self._said(f"at {begin} stands a batch of format {raw[_MAGIC]}, of an older broker"))
        try:
            for head, batch in _cut(raw):
                if self._terms.room <= 0:
                    return  # the next answer begins with it
                if head.next > self.next_fetch_offset:
                    yield from self._of(head, batch)
                    self.next_fetch_offset = head.next
        except (LogGap, BatchUnreadable, CorruptRecordException):
            # What stands before it is read first; the next answer begins with it.
            if self.next_fetch_offset == begin:
                raise

    def _of(self, head: Head, batch: memoryview) -> Iterator[LogRecord | UnreadBatch]:
        if head.base > self.next_fetch_offset and not self._terms.gaps:
            raise LogGap(self._said(f"nothing stands between {self.next_fetch_offset} and {head.base}"))
        if not DefaultRecordBatch(batch).validate_crc():
            raise CorruptRecordException(self._said(f"the checksum of the batch at {head.base} is wrong"))
        if self._is_without_events(head, batch):
            return
        if head.records != head.last_delta + 1 and not self._terms.gaps:
            raise LogGap(self._said(f"the batch from {head.base} to {head.next - 1} has {head.records} records"))
        try:
            size, records = _opened(head, batch)
        except BatchUnreadable as fault:
            self._terms.room -= len(batch)
            yield self._unread(head, batch, fault)
            return
        self._terms.room -= size
        topic, partition = self._place
        known = bisect_left(records, self.next_fetch_offset, key=_offset) if head.base < self.next_fetch_offset else 0
        for record in records[known:] if known else records:
            offset = record.offset
            self.next_fetch_offset = offset + 1
            yield LogRecord(topic, partition, offset, record.timestamp, record.key, record.value, tuple(record.headers))

    def _is_without_events(self, head: Head, batch: memoryview) -> bool:
        """A marker, or what an aborted transaction left."""
        while self._aborts and self._aborts[0][1] <= head.base:
            self._aborted.add(self._aborts.pop(0)[0])
        if head.says(_CONTROL):
            if any(ControlRecord.parse(record.key) == ABORT_MARKER for record in DefaultRecordBatch(batch)):
                self._aborted.discard(head.producer)
            return True
        return head.says(_TRANSACTIONAL) and head.producer in self._aborted

    def _unread(self, head: Head, batch: memoryview, fault: BatchUnreadable) -> UnreadBatch:
        at = self.next_fetch_offset
        detail = f"{CODEC_NAMES.get(head.attributes & _CODEC)} batch of {head.records} records: {fault}"
        if self._terms.aside is not None and (self._place, at) not in self._terms.aside:
            raise type(fault)(self._said(f"at {at} stands a {detail}"))
        self.next_fetch_offset = head.next
        topic, lane = self._place
        return UnreadBatch(topic, lane, at, head.max_ms, None, bytes(batch), (), head.next - at, detail)

    def _said(self, what: str) -> str:
        return f"lane {self._place.partition} of {self._place.topic}: {what}"


def _cut(raw: memoryview) -> Iterator[tuple[Head, memoryview]]:
    """The whole batches of an answer, as far as their format is ours; its last one may break off."""
    at = 0
    while len(raw) - at >= _HEAD.size and raw[at + _MAGIC] == 2:
        head = Head._make(_HEAD.unpack_from(raw, at))
        end = at + 12 + head.length
        if end > len(raw):
            return
        yield head, raw[at:end]
        at = end


def _opened(head: Head, batch: memoryview) -> tuple[int, list[Any]]:
    """About how many bytes a batch takes when it is opened, and all of its records. Raises `BatchUnreadable`."""
    if head.records > RECORDS_MAX:
        raise BatchTooLarge(f"more than {RECORDS_MAX}")
    try:
        plain = _plain(head, batch)
        records = _records(head, plain)
    except (MemoryError, BatchUnreadable):
        raise
    except unpacking.Damaged as fault:
        raise BatchUnreadable(str(fault)) from fault
    except Exception as fault:  # of the bytes that a codec or the client's own reader stumbles over
        raise BatchUnreadable(f"it cannot be opened: {type(fault).__name__}") from fault
    if head.records == head.last_delta + 1 and [*map(_offset, records)] != [*range(head.base, head.next)]:
        raise BatchUnreadable("its offsets do not follow each other")
    return len(plain) + HEADER_BYTES * sum([len(record.headers) for record in records]), records


def _records(head: Head, plain: memoryview | bytes) -> list[Any]:
    try:
        return list(DefaultRecordBatch(plain))
    except UnicodeDecodeError:  # one name of a header, and the client gives none of the records
        return _by_hand(head, plain[_HEAD.size :])


def _by_hand(head: Head, plain: bytes | memoryview) -> list[LogRecord]:
    """Names of headers that are no text keep their bytes as surrogates."""
    at, records = 0, []
    for _ in range(head.records):
        _, at = _varint(plain, at)
        delta_ms, at = _varint(plain, at + 1)
        delta, at = _varint(plain, at)
        key, at = _bytes(plain, at)
        value, at = _bytes(plain, at)
        count, at = _varint(plain, at)
        headers = []
        for _ in range(count):
            name, at = _bytes(plain, at)
            content, at = _bytes(plain, at)
            headers.append(((name or b"").decode("utf-8", "surrogateescape"), content))
        moment = head.max_ms if head.says(_APPEND_TIME) else head.first_ms + delta_ms
        records.append(LogRecord("", 0, head.base + delta, moment, key, value, tuple(headers)))
    if at != len(plain):
        raise unpacking.Damaged("its records do not end where it ends")
    return records


def _bytes(plain: bytes | memoryview, at: int) -> tuple[bytes | None, int]:
    length, at = _varint(plain, at)
    return (None, at) if length < 0 else (bytes(plain[at : at + length]), at + length)


def _plain(head: Head, batch: memoryview) -> memoryview | bytes:
    """The batch as if it had come unpacked, once it is known that it may be opened."""
    body, number = batch[_HEAD.size :], head.attributes & _CODEC
    if number and unpacking.bytes_max(number, body, limit=UNPACKED_BYTES_MAX) > UNPACKED_BYTES_MAX:
        raise BatchTooLarge(f"its {len(body)} bytes would unpack to more than {UNPACKED_BYTES_MAX}")
    plain = UNPACK[number](body)
    if len(plain) >= HEADERS_COUNTED_FROM and _headers(plain, head.records) > HEADERS_MAX:
        raise BatchTooLarge(f"with more than {HEADERS_MAX} headers")
    return _HEAD.pack(*head._replace(attributes=head.attributes & ~_CODEC)) + plain if number else batch


def _headers(plain: bytes | memoryview, count: int) -> int:
    """How many headers the records have together."""
    at = found = 0
    for _ in range(count):
        length, at = _varint(plain, at)
        end, at = at + length, at + 1  # attributes
        _, at = _varint(plain, at)  # time
        _, at = _varint(plain, at)  # offset
        for _ in ("key", "value"):
            length, at = _varint(plain, at)
            at += max(length, 0)
        number, _ = _varint(plain, at)
        found, at = found + number, end
    return found


def _varint(plain: bytes | memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while plain[at] > 127:
        number |= (plain[at] & 127) << shift
        shift, at = shift + 7, at + 1
    number |= plain[at] << shift
    return number >> 1 ^ -(number & 1), at + 1


UNPACK: dict[int, Callable[[memoryview], bytes | memoryview]] = {
    0: lambda body: body,
    1: codec.gzip_decode,
    2: lambda body: codec.snappy_decode(bytes(body)),
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}
