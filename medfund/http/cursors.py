"""Cursors of keyset pages: where a page ended, sealed together with the question it belongs to.

A cursor that was made up, changed, or moved to another question or another caller does not open.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from medfund.http.problems import Problem

CURSOR_CHARACTERS_MAX = 1024
_SEAL_BYTES = 16


@dataclass(frozen=True)
class Pages:
    """The pages of one question. `order` names the columns that sort its rows, with their types."""

    key: bytes
    question: Mapping[str, Any]
    order: Mapping[str, type]

    def after(self, cursor: str | None) -> tuple[Any, ...]:
        """Where the page starts; as many None as columns for the first one. Raises `Problem`."""
        if cursor is None:
            return (None,) * len(self.order)
        return unseal(self.key, self.question, cursor, tuple(self.order.values()))

    def cut(self, found: Sequence[Any], limit: int) -> tuple[Sequence[Any], str | None]:
        """The rows of a page out of one row more than that, and the cursor where more follow."""
        if len(found) <= limit:
            return found, None
        return found[:limit], seal(self.key, self.question, tuple(found[limit - 1][name] for name in self.order))


def seal(key: bytes, question: Mapping[str, Any], place: tuple[Any, ...]) -> str:
    """The cursor that continues `question` after `place`."""
    content = msgspec.json.encode(place)
    return _written(_seal(key, question, content) + content)


def unseal(key: bytes, question: Mapping[str, Any], cursor: str, types: tuple[Any, ...]) -> tuple[Any, ...]:
    """The place in a cursor of this question, its parts of `types`. Raises `Problem`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        # One spelling: the alphabets of base64 are read alike, and its last character has bits that say nothing.
        if cursor != _written(raw) or not hmac.compare_digest(found, _seal(key, question, content)):
            raise Problem("cursor_invalid")
        place: tuple[Any, ...] = msgspec.json.decode(content, type=tuple[types])  # type: ignore[valid-type]
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise Problem("cursor_invalid") from error
    return place


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _seal(key: bytes, question: Mapping[str, Any], content: bytes) -> bytes:
    asked = msgspec.json.encode({name: _text(value) for name, value in sorted(question.items())})
    return hmac.digest(key, len(asked).to_bytes(4, "big") + asked + content, hashlib.sha256)[:_SEAL_BYTES]


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
