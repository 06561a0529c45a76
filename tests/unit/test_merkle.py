"""The root of a set of references is RFC 6962's over the sorted set."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from medfund import merkle


def by_the_text_of_the_rfc(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    largest = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = by_the_text_of_the_rfc(leaves[:largest]), by_the_text_of_the_rfc(leaves[largest:])
    return sha256(b"\1" + left + right).digest()


@given(st.lists(st.binary(min_size=16, max_size=16), unique=True), st.randoms())
def test_the_root_is_that_of_the_sorted_set_in_whatever_order_it_is_given(refs: list[bytes], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(refs)
    random.shuffle(shuffled)
    assert merkle.root(shuffled) == by_the_text_of_the_rfc(sorted(refs))


def test_known_roots() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root([bytes(16)]) == sha256(bytes(17)).digest()
