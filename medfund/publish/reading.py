"""Lines of a file with their places, in pieces of bounded size.

What stays true: however long a line or a file is, only one piece is in memory; a line that is too long is skipped to
its end and told apart by `text=None`.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

PIECE_LINES = 8_000
PIECE_BYTES = 4 << 20
LINE_MAX = 24 << 20
_BLOCK = 1 << 20


class Line(NamedTuple):
    """A line that is not blank; `text` is None where it was too long to be an event."""

    number: int
    text: bytes | None


class Piece(NamedTuple):
    """Some lines in their order, and where the file stands after them."""

    lines: list[Line]
    offset: int
    number: int
    digest: str
    """Of all bytes up to `offset`."""


class Prefix(NamedTuple):
    """The part of a file that was read before."""

    offset: int = 0
    lines: int = 0
    digest: str = hashlib.sha256().hexdigest()


START = Prefix()


def pieces(stream: BinaryIO, after: Prefix = START) -> Iterator[Piece]:
    """The file from the end of a prefix on. The prefix must be the file's own (`begins_with`)."""
    digest = _digest(stream, after.offset)
    number, offset = after.lines, after.offset
    while True:
        lines: list[Line] = []
        began = offset
        while len(lines) < PIECE_LINES and offset - began < PIECE_BYTES:
            text = stream.readline(LINE_MAX)
            if not text:
                break
            number, offset = number + 1, offset + len(text)
            digest.update(text)
            if not text.endswith(b"\n") and len(text) == LINE_MAX:
                offset += _skip(stream, digest)
                lines.append(Line(number, None))
            elif not text.isspace():
                lines.append(Line(number, text))
        if offset == began:
            return
        yield Piece(lines, offset, number, digest.hexdigest())


def begins_with(stream: BinaryIO, prefix: Prefix) -> bool:
    """Whether the file still begins with what was read before."""
    return _digest(stream, prefix.offset).hexdigest() == prefix.digest and stream.tell() == prefix.offset


def _digest(stream: BinaryIO, length: int) -> "hashlib._Hash":
    stream.seek(0)
    digest, left = hashlib.sha256(), length
    while left and (block := stream.read(min(left, _BLOCK))):
        digest.update(block)
        left -= len(block)
    return digest


def _skip(stream: BinaryIO, digest: "hashlib._Hash") -> int:
    """Read to the end of a line without keeping it; how many bytes that were."""
    skipped = 0
    while text := stream.readline(_BLOCK):
        digest.update(text)
        skipped += len(text)
        if text.endswith(b"\n"):
            break
    return skipped
