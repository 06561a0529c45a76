"""How much compressed bytes may unpack to is known before, and never too low."""

import random
import zlib
from collections.abc import Callable

import cramjam
import pytest
from aiokafka import codec as codecs

from medfund.lanes import unpacking

LIMIT = 1 << 20
PACK: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, codecs.gzip_encode),
    "snappy, framed": (2, codecs.snappy_encode),
    "snappy, plain": (2, lambda plain: bytes(cramjam.snappy.compress_raw(plain))),
    "lz4": (3, codecs.lz4_encode),
    "lz4, of blocks that belong together": (3, lambda plain: bytes(cramjam.lz4.compress(plain))),
    "zstd": (4, codecs.zstd_encode),
    "zstd, of two frames": (4, lambda plain: bytes(codecs.zstd_encode(plain[:99]) + codecs.zstd_encode(plain[99:]))),
}


def bound(name: str, plain: bytes) -> int:
    number, pack = PACK[name]
    return unpacking.bytes_max(number, memoryview(bytes(pack(plain))), limit=LIMIT)


@pytest.mark.parametrize("name", PACK)
def test_the_bound_is_never_below_what_comes_out_and_says_when_that_is_too_much(name: str) -> None:
    chance = random.Random(name)
    for size in (100, 4_096, 65_537, 300_000, LIMIT - 70_000):
        for plain in (bytes(size), chance.randbytes(size), (b'{"total": "12.00"}' * size)[:size]):
            assert size <= bound(name, plain) <= LIMIT + unpacking.ZSTD_BLOCK_MAX
    for size in (LIMIT + 140_000, 9 * LIMIT):
        assert bound(name, bytes(size)) > LIMIT


def test_many_small_blocks_are_not_taken_for_large_ones() -> None:
    small = b"".join(codecs.lz4_encode(b"%d" % number * 30) for number in range(200))
    assert unpacking.bytes_max(3, memoryview(small), limit=LIMIT) < LIMIT


def test_gzip_is_unpacked_no_further_than_the_limit() -> None:
    packed = zlib.compress(bytes(64 * LIMIT), wbits=31)
    assert LIMIT < unpacking.bytes_max(1, memoryview(packed), limit=LIMIT) < 2 * LIMIT


@pytest.mark.parametrize("name", PACK)
def test_bytes_that_break_off_or_are_none_are_told(name: str) -> None:
    number, pack = PACK[name]
    packed = bytes(pack(random.Random(3).randbytes(200_000)))
    with pytest.raises(unpacking.Damaged):
        unpacking.bytes_max(5, memoryview(packed), limit=LIMIT)
    if number != 2:
        with pytest.raises(unpacking.Damaged):
            unpacking.bytes_max(number, memoryview(b"\x00\x11" + packed), limit=4 * LIMIT)
