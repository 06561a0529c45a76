"""The id of a journal line in URLs and answers: `lane-topic-first_offset-ordinal`."""

import re
from typing import Any, NamedTuple

PATTERN = r"^[0-9]{1,5}-[a-z]+(-[a-z]+)?-[0-9]{1,18}-[0-9]{1,5}$"
_PARTS = re.compile(r"([0-9]+)-([a-z-]+)-([0-9]+)-([0-9]+)").fullmatch
SMALLINT_MAX = (1 << 15) - 1


class LineKey(NamedTuple):
    lane: int
    topic: str
    first_offset: int
    ordinal: int


def text(row: Any) -> str:
    return f"{row['lane']}-{row['topic']}-{row['first_offset']}-{row['ordinal']}"


def parse(line_id: str) -> LineKey | None:
    """The key in an id of `PATTERN`; None where no line can have it."""
    parts = _PARTS(line_id)
    if parts is None:
        return None
    key = LineKey(int(parts[1]), parts[2], int(parts[3]), int(parts[4]))
    return key if max(key.lane, key.ordinal) <= SMALLINT_MAX else None
