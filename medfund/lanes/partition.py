"""Which lane a key belongs to: murmur2 of the key, exactly as the Java client's default partitioner places it.

What stays true: for a topic with as many partitions as there are lanes, a record that the Java client wrote without
naming a partition is found in the lane that `lane_of` gives for its key.
"""

from functools import lru_cache
from itertools import count

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_UINT32 = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """`org.apache.kafka.common.utils.Utils.murmur2`, as an unsigned 32-bit number."""
    length = len(data)
    whole = length & ~3
    h = _SEED ^ length
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _MIX & _UINT32
        k = (k ^ k >> 24) * _MIX & _UINT32
        h = (h * _MIX & _UINT32) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _MIX & _UINT32
    h = (h ^ h >> 13) * _MIX & _UINT32
    return h ^ h >> 15


@lru_cache(maxsize=65_536)
def lane_of(key: bytes, lanes: int) -> int:
    """The lane of a key: `toPositive(murmur2(key)) % lanes`. Remembered, since a lane's keys come again and again."""
    return (murmur2(key) & 0x7FFFFFFF) % lanes


@lru_cache(maxsize=4_096)
def lane_key(lane: int, lanes: int) -> bytes:
    """A key for what concerns a whole lane: "lane-<k>" with the smallest k that hashes to the lane."""
    if not 0 <= lane < lanes:
        raise ValueError(f"lane {lane} of {lanes}")
    return next(key for k in count() if lane_of(key := b"lane-%d" % k, lanes) == lane)
