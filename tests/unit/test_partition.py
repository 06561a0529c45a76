"""Lanes of keys: the same as the Java client's default partitioner."""

import pytest
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from medfund.lanes import partition

# org.apache.kafka.common.utils.UtilsTest.testMurmur2, as signed numbers
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", sorted(JAVA))
def test_the_hash_is_that_of_the_java_client(key: bytes) -> None:
    assert partition.murmur2(key) == JAVA[key] & 0xFFFFFFFF


@given(st.binary(max_size=64))
def test_the_hash_is_that_of_another_implementation(key: bytes) -> None:
    assert partition.murmur2(key) == reference(key)


@given(st.binary(min_size=1, max_size=64), st.integers(1, 256))
def test_a_key_has_one_lane(key: bytes, lanes: int) -> None:
    assert partition.lane_of(key, lanes) == (reference(key) & 0x7FFFFFFF) % lanes


@pytest.mark.parametrize("lanes", [1, 4, 12, 48])
def test_every_lane_has_a_key_of_its_own(lanes: int) -> None:
    keys = [partition.lane_key(lane, lanes) for lane in range(lanes)]
    assert [partition.lane_of(key, lanes) for key in keys] == list(range(lanes))
    assert all(key.startswith(b"lane-") for key in keys)


def test_the_key_of_a_lane_never_changes() -> None:
    assert [partition.lane_key(lane, 4) for lane in range(4)] == [
        next(b"lane-%d" % k for k in range(100) if (reference(b"lane-%d" % k) & 0x7FFFFFFF) % 4 == lane)
        for lane in range(4)
    ]


@pytest.mark.parametrize("lane", [-1, 4])
def test_a_lane_that_does_not_exist_has_no_key(lane: int) -> None:
    with pytest.raises(ValueError, match="of 4"):
        partition.lane_key(lane, 4)
