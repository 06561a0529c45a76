"""The Merkle tree of RFC 6962 over a sorted list: one hash that says which references are in a set.

What stays true: the root depends on the set alone, not on the order in which it was gathered; the empty set has a root.
"""

from collections.abc import Iterable
from hashlib import sha256


def root(references: Iterable[bytes]) -> bytes:
    """The root of a set of references, each given once: 32 bytes."""
    level = [sha256(b"\0" + reference).digest() for reference in sorted(references)]
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        # An odd one at the end moves up unchanged: the same tree as splitting at the largest power of two.
        paired = [sha256(b"\1" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[2 * len(paired) :]
    return level[0]
