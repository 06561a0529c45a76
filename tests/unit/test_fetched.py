"""What is read of the broker's answers: every offset with its record or its reason, and no batch that is a flood."""

import random
import struct
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka import codec as codecs
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from medfund.lanes import fetched
from medfund.lanes.fetched import Batches, Terms
from medfund.lanes.log import BatchTooLarge, BatchUnreadable, LogGap, UnreadBatch

PLACE = TopicPartition("medfund.claims", 3)
HEADERS = [("ce_id", b"e-1"), ("ce_type", b"test.v1")]
MiB = 1 << 20
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
TRANSACTIONAL, CONTROL = 0x10, 0x20
Packed = bytes


def batch(
    base: int,
    values: Sequence[bytes],
    *,
    codec: int = 0,
    headers: list[tuple[str, bytes]] = HEADERS,
    key: bytes = b"H15250200017",
    **head: int,
) -> Packed:
    """As a broker keeps it; `head` replaces parts of its beginning."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 30)
    for place, value in enumerate(values):
        builder.append(place, 1_772_000_000_000, key, value, headers)
    return sealed(bytes(builder.build()), base=base, **head)


def sealed(raw: bytes, **changed: int) -> Packed:
    """With another beginning, and the checksum that belongs to it."""
    head = fetched.Head._make(fetched._HEAD.unpack_from(raw))
    changed["attributes"] = changed.get("attributes", 0) | head.attributes
    body = raw[fetched._HEAD.size :]
    made = fetched._HEAD.pack(*head._replace(length=len(raw) - 12, **changed)) + body
    return made[:17] + struct.pack(">I", calc_crc32c(made[21:])) + made[21:]


def marker(base: int, *, producer: int, commit: bool) -> Packed:
    builder = DefaultRecordBatchBuilder(2, 0, 1, producer, 0, 0, 1 << 20)
    builder.append(0, 0, struct.pack(">hh", 0, int(commit)), bytes(6), [])
    return sealed(bytes(builder.build()), base=base, producer=producer, attributes=CONTROL | TRANSACTIONAL)


def reading(*batches: Packed, at: int = 0, aborted: Sequence[tuple[int, int]] = (), **terms: Any) -> Batches:
    raw = b"".join(batches)
    theirs = PartitionRecords(PLACE, MemoryRecords(raw), list(aborted), at, None, None, True, 1)
    made = Terms(gaps=terms.get("gaps", False))
    made.aside = terms.get("aside", ())
    return Batches(PLACE, raw, theirs, made)


def values(batches: Batches) -> list[tuple[int, bytes | None]]:
    return [(record.offset, record.value) for record in batches]


@pytest.mark.parametrize("name", ["none", *CODECS])
def test_records_are_read_as_they_were_written_whatever_compressed_them(name: str) -> None:
    written = [b"%d " % number * 400 for number in range(37)]
    read = reading(batch(5, written[:20], codec=CODECS.get(name, 0)), batch(25, written[20:]), at=5)
    assert values(read) == [*enumerate(written, 5)]
    assert read.next_fetch_offset == 42


def test_a_record_is_all_that_its_publisher_sent_at_the_brokers_time() -> None:
    [record] = reading(batch(7, [b"{}"], attributes=8, max_ms=1_772_345_678_901), at=7)
    assert record == ("medfund.claims", 3, 7, 1_772_345_678_901, b"H15250200017", b"{}", tuple(HEADERS))


def test_reading_begins_at_the_position_and_not_where_its_batch_begins() -> None:
    assert values(reading(batch(10, [b"a", b"b", b"c"]), at=11)) == [(11, b"b"), (12, b"c")]


def test_a_batch_of_which_the_end_is_missing_is_left_for_the_next_answer() -> None:
    read = reading(batch(0, [b"a"]), batch(1, [b"b"])[:-3])
    assert values(read) == [(0, b"a")]
    assert read.next_fetch_offset == 1


def test_markers_and_what_was_aborted_are_passed_over() -> None:
    read = reading(
        batch(0, [b"a"]),
        batch(1, [b"never", b"ever"], producer=9, attributes=TRANSACTIONAL),
        batch(3, [b"b"], producer=8, attributes=TRANSACTIONAL),
        marker(4, producer=9, commit=False),
        batch(5, [b"c"], producer=9, attributes=TRANSACTIONAL),
        marker(6, producer=9, commit=True),
        aborted=[(9, 1)],
    )
    assert values(read) == [(0, b"a"), (3, b"b"), (5, b"c")]
    assert read.next_fetch_offset == 7


GAPS = {
    "between two batches": ([batch(0, [b"a"]), batch(4, [b"e"])], 1),
    "inside a batch": ([batch(0, [b"a"]), batch(1, [b"b", b"c"], last_delta=4)], 1),
    "all of a batch": ([batch(0, [b"a"]), batch(1, [], last_delta=2)], 1),
}


@pytest.mark.parametrize("where", GAPS)
def test_no_position_moves_over_records_that_are_gone(where: str) -> None:
    batches, at = GAPS[where]
    read = reading(*batches)
    assert values(read) == [(0, b"a")], "what stands before the gap is read"
    assert read.next_fetch_offset == at
    with pytest.raises(LogGap, match=r"lane 3 of medfund\.claims"):
        values(reading(*batches[1:], at=at))


def test_who_only_looks_reads_over_gaps() -> None:
    read = reading(batch(0, [b"a", b"b"], last_delta=5), batch(9, [b"e"]), gaps=True, aside=None)
    assert values(read) == [(0, b"a"), (1, b"b"), (9, b"e")]


@pytest.mark.parametrize("name", CODECS)
def test_a_flood_is_not_unpacked_and_is_given_as_it_came_when_it_was_put_aside(name: str) -> None:
    flood = batch(2, [bytes(MiB)] * 19, codec=CODECS[name])
    tracemalloc.start()
    with pytest.raises(
        BatchTooLarge, match=rf"at 2 stands a {name} batch of 19 records: .* unpack to more than 16777216"
    ):
        values(reading(flood, at=2))
    [unread] = reading(flood, at=2, aside={(PLACE, 2)})
    assert tracemalloc.get_traced_memory()[1] < 4 * MiB
    tracemalloc.stop()
    assert isinstance(unread, UnreadBatch)
    assert (unread.offset, unread.offsets, unread.value, unread.key) == (2, 19, flood, None)


def test_what_stands_before_a_flood_is_read_and_what_stands_behind_it_when_it_was_put_aside() -> None:
    batches = batch(0, [b"a"]), batch(1, [bytes(MiB)] * 17, codec=4), batch(18, [b"b"])
    assert values(reading(*batches)) == [(0, b"a")]
    passed = reading(*batches, aside={(PLACE, 1)})
    assert [offset for offset, _ in values(passed)] == [0, 1, 18]
    assert passed.next_fetch_offset == 19


@pytest.mark.parametrize("name", CODECS)
def test_what_is_opened_at_a_time_ends_with_the_batch_that_makes_it_much_and_goes_on_there(name: str) -> None:
    batches = [batch(base, [bytes(MiB)] * 3, codec=CODECS[name]) for base in range(0, 15, 3)]
    first = reading(*batches)
    assert [offset for offset, _ in values(first)] == [*range(9)], "three of three MiB each pass eight"
    assert first.next_fetch_offset == 9
    assert [offset for offset, _ in values(reading(*batches, at=9))] == [*range(9, 15)]


def test_a_batch_as_large_as_it_may_be_is_read() -> None:
    read = reading(batch(0, [bytes(MiB - 100)] * 16, codec=4))
    assert [len(value or b"") for _, value in values(read)] == [MiB - 100] * 16


def test_a_flood_of_records_or_of_headers_is_one_as_well() -> None:
    with pytest.raises(BatchTooLarge, match="more than 100000"):
        values(reading(batch(0, [b""] * 100_001, headers=[], key=b"")))
    headed = batch(0, [b"{}"], headers=[("", b"")] * 600_000)
    tracemalloc.start()
    with pytest.raises(BatchTooLarge, match="more than 200000 headers"):
        values(reading(headed))
    with pytest.raises(BatchTooLarge, match="more than 200000 headers"):
        values(reading(sealed(compressed(headed, 4), attributes=4)))
    assert tracemalloc.get_traced_memory()[1] < 8 * MiB
    tracemalloc.stop()


def test_headers_count_for_what_is_opened_at_a_time() -> None:
    headed = [batch(base, [b"{}"], headers=[("", b"")] * 50_000) for base in range(5)]
    assert [offset for offset, _ in values(reading(*headed))] == [0, 1]


@pytest.mark.parametrize("codec", [0, 3, 4])
def test_a_name_of_a_header_that_is_no_text_hides_no_record(codec: int) -> None:
    plain = batch(0, [b"a", b"bc"], headers=[("name", b"12"), ("ce_id", b"")]).replace(b"name", b"\xfft\xe9\x80")
    packed = sealed(compressed(plain, codec) if codec else plain, attributes=codec | 8, max_ms=1_772_345_678_901)
    first, second = reading(packed)
    assert (first.offset, first.timestamp, first.value, second.value) == (0, 1_772_345_678_901, b"a", b"bc")
    assert first.key == b"H15250200017"
    [(name, content), other] = first.headers
    assert (name.encode("utf-8", "surrogateescape"), content, other) == (b"\xfft\xe9\x80", b"12", ("ce_id", b""))


def compressed(plain: Packed, codec: int) -> bytes:
    pack: Callable[[bytes], bytes] = {1: codecs.gzip_encode, 2: codecs.snappy_encode, 3: codecs.lz4_encode,
                                      4: codecs.zstd_encode}[codec]  # fmt: skip
    return plain[: fetched._HEAD.size] + bytes(pack(plain[fetched._HEAD.size :]))


@pytest.mark.parametrize("name", ["none", *CODECS])
def test_whatever_the_bytes_of_a_batch_are_it_is_read_whole_or_stops_by_name(name: str) -> None:
    chance = random.Random(name)
    whole = batch(0, [b'{"n": %d}' % number for number in range(40)], codec=CODECS.get(name, 0))
    outcomes = set()
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(fetched._HEAD.size, len(raw))] = chance.randrange(256)
        try:
            read = values(reading(sealed(bytes(raw))))
        except BatchUnreadable:
            outcomes.add("unreadable")
        else:
            outcomes.add("read")
            assert [offset for offset, _ in read] == [*range(40)]
    assert "unreadable" in outcomes


@pytest.mark.parametrize("format", [0, 1])
def test_a_batch_of_an_older_format_is_neither_passed_over_nor_waited_for(format: int) -> None:
    builder = LegacyRecordBatchBuilder(format, 0, 1 << 20)
    builder.append(0, 1_772_000_000_000, None, b"{}")
    old = bytes(builder.build())
    assert values(reading(batch(0, [b"a"]), old)) == [(0, b"a")]
    with pytest.raises(BatchUnreadable, match=f"at 1 stands a batch of format {format}"):
        values(reading(old, at=1))


def test_a_checksum_that_is_wrong_is_never_passed_over() -> None:
    raw = bytearray(batch(0, [b"a"]))
    raw[-3] ^= 1
    with pytest.raises(Exception, match="checksum"):
        values(reading(bytes(raw), aside=None))
