"""A row of an export that becomes no event: what stands in its line instead, for the check to tell.

What stays true: it is no event, so nothing can send it; its reason is one of the contract's, its words are in both
languages and name the column.
"""

import msgspec

from medfund.events.refusals import Problem, Reason

_BEGIN = b'{"refused":'


class _Line(msgspec.Struct):
    refused: tuple[Reason, str]


_LINE = msgspec.json.Decoder(_Line)


def words(zh: str, en: str, columns: str) -> str:
    """A detail in both languages, after the columns that it is about."""
    return f"列 {columns}：{zh} / column {columns}: {en}" if columns else f"{zh} / {en}"


def line(problem: Problem) -> bytes:
    return msgspec.json.encode(_Line((problem.reason, problem.detail))) + b"\n"


def read(text: bytes) -> Problem | None:
    """Why there is no event in this line; None where it is not one of these."""
    return Problem(*_LINE.decode(text).refused) if text.startswith(_BEGIN) else None
