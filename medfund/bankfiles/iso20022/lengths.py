"""How long one token of a file may be: a text, a tag, a comment, an instruction, a marked section.

What stays true: no parser is given a longer one. A parser that is fed in pieces begins a token anew with each piece, so
that one of many megabytes would cost the square of its length.
"""

import re

from medfund.bankfiles.refusals import BadFile, Code

TOKEN_MAX = 1 << 16
"""No text of a message has more than 500 characters."""
_OPENING = re.compile(rb"<!--|<\?|<!\[CDATA\[").search
_CLOSING = {b"<!--": b"-->", b"<?": b"?>", b"<![CDATA[": b"]]>"}
_OPENING_MAX = max(map(len, _CLOSING))


class Lengths:
    """Hears a file in pieces, before any parser does. Raises `BadFile`."""

    def __init__(self) -> None:
        self._tail = b""
        self._closing = b""
        """What ends the token that the last piece ended in; nothing where that was a text or a tag."""
        self._length = 0

    def feed(self, chunk: bytes) -> None:
        self._plain(chunk)
        seen, at = self._tail + chunk, 0
        while True:
            if not self._closing:
                opening = _OPENING(seen, at)
                if opening is None:
                    break
                self._closing, self._length, at = _CLOSING[opening[0]], 0, opening.end()
            end = seen.find(self._closing, at)
            if end < 0:
                break
            self._grow(end - at, seen[at : at + 40])
            at, self._closing = end + len(self._closing), b""
        kept = len(self._closing) or _OPENING_MAX
        self._tail = seen[max(at, len(seen) - kept + 1) :]
        if self._closing:
            self._grow(len(seen) - at - len(self._tail), seen[at : at + 40])

    def _plain(self, chunk: bytes) -> None:
        """Neither a text nor a tag has a "<" after its first character."""
        if not self._closing and len(chunk) >= TOKEN_MAX and b"<" not in chunk:
            raise _too_long(chunk[:40])

    def _grow(self, by: int, begins: bytes) -> None:
        self._length += by
        if self._length > TOKEN_MAX:
            raise _too_long(begins)


def _too_long(begins: bytes) -> BadFile:
    return BadFile(Code.TOO_LARGE, f"a text, tag or comment of more than {TOKEN_MAX} bytes: {begins!r}")
