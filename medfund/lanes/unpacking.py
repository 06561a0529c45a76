"""How much a compressed batch would unpack to at most, from the sizes that its blocks have. Pure; nothing is unpacked.

What stays true: no more comes out than is said here, whatever the bytes: a decompressor fails on a block that holds
more than its format allows. Of gzip, which says no sizes, a stream is unpacked and thrown away, as far as the limit.
"""

import zlib
from collections.abc import Callable, Iterator
from struct import Struct, error

KiB = 1 << 10
ZSTD_FRAME = 0xFD2FB528
ZSTD_BLOCK_MAX = 128 * KiB
LZ4_FRAME = 0x184D2204
LZ4_BLOCK_MAX = {4: 64 * KiB, 5: 256 * KiB, 6: KiB * KiB, 7: 4 * KiB * KiB}
LZ4_RATIO_MAX = 255
GZIP_RATIO_MAX = 1032
XERIAL = b"\x82SNAPPY\x00"
XERIAL_HEAD_BYTES = 16

_u32 = Struct("<I").unpack_from
_i32 = Struct(">i").unpack_from


class Damaged(Exception):
    """These bytes are not what the codec writes."""


def bytes_max(codec: int, body: memoryview, *, limit: int) -> int:
    """At least what the bytes unpack to, as far as the limit: beyond it, how far is not said. Raises `Damaged`."""
    blocks = CODECS.get(codec)
    if blocks is None:
        raise Damaged(f"compression {codec} is not known")
    sum = 0
    try:
        for size in blocks(body, limit):
            sum += size
            if sum > limit:
                break
    except (error, IndexError, KeyError, zlib.error) as fault:
        raise Damaged(f"its compressed bytes break off or are none: {type(fault).__name__}") from fault
    return sum


def _gzip(body: memoryview, limit: int) -> Iterator[int]:
    if len(body) * GZIP_RATIO_MAX <= limit:
        yield len(body) * GZIP_RATIO_MAX
        return
    left: bytes | memoryview = body
    while left:
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            unpacked = len(stream.decompress(left, 64 * KiB))
            if not unpacked and not stream.eof:
                raise Damaged("its compressed bytes break off")
            left = stream.unconsumed_tail
            yield unpacked
        left = stream.unused_data


def _snappy(body: memoryview, limit: int) -> Iterator[int]:
    """Each block begins with what it unpacks to."""
    if bytes(body[: len(XERIAL)]) != XERIAL:
        yield _varint(body)
        return
    at = XERIAL_HEAD_BYTES
    while at < len(body):
        (size,) = _i32(body, at)
        if size <= 0:
            raise Damaged(f"a block has {size} bytes")
        yield _varint(body[at + 4 : at + 4 + size])
        at += 4 + size


def _varint(body: memoryview) -> int:
    number = 0
    for place in range(5):
        number |= (body[place] & 127) << 7 * place
        if body[place] < 128:
            return number
    raise Damaged("a number has no end")


def _lz4(body: memoryview, limit: int) -> Iterator[int]:
    at = 0
    while at < len(body):
        (magic,) = _u32(body, at)
        if is_skippable(magic):
            at += 8 + _u32(body, at + 4)[0]
            continue
        if magic != LZ4_FRAME:
            raise Damaged("its compressed bytes are not lz4")
        flags, largest = body[at + 4], LZ4_BLOCK_MAX[body[at + 5] >> 4 & 7]
        at += 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1)
        while size := _u32(body, at)[0]:
            compressed, size = not size >> 31, size & 0x7FFFFFFF
            yield min(largest, LZ4_RATIO_MAX * size) if compressed else size
            at += 4 + size + 4 * (flags >> 4 & 1)
        at += 4 + 4 * (flags >> 2 & 1)


def _zstd(body: memoryview, limit: int) -> Iterator[int]:
    at = 0
    while at < len(body):
        (magic,) = _u32(body, at)
        if is_skippable(magic):
            at += 8 + _u32(body, at + 4)[0]
            continue
        if magic != ZSTD_FRAME:
            raise Damaged("its compressed bytes are not zstd")
        flags = body[at + 4]
        single = flags >> 5 & 1
        at += 5 + (1 - single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        last = False
        while not last:
            head = body[at] | body[at + 1] << 8 | body[at + 2] << 16
            last, kind, size = bool(head & 1), head >> 1 & 3, head >> 3
            yield ZSTD_BLOCK_MAX if kind == 2 else size
            at += 3 + (1 if kind == 1 else size)
        at += 4 * (flags >> 2 & 1)


def is_skippable(magic: int) -> bool:
    """What lz4 and zstd let stand between their frames."""
    return magic & ~15 == 0x184D2A50


CODECS: dict[int, Callable[[memoryview, int], Iterator[int]]] = {1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}
"""By the number that a batch has for it."""
