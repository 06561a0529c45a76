"""Columns of many rows as parameters: each is the text of a Postgres array, cast in the statement: `$1::text::date []`.

The client's own encoder of arrays asks of each value whether it is an array itself, which costs several times as much
as joining texts.
"""

from collections.abc import Iterable, Sequence
from typing import Any


def columns(rows: Iterable[Sequence[Any]]) -> list[str]:
    """The columns of rows of equal length, in their order; each holds texts, whole numbers, days, or nothing."""
    return [array(column) for column in zip(*rows, strict=True)]


def array(values: Sequence[Any]) -> str:
    """The text of an array of texts, of whole numbers or of days; None is null."""
    if not values or None in values or not isinstance(values[0], str):
        return "{" + ",".join([_element(value) for value in values]) + "}"
    text = '","'.join(values)
    if "\\" in text or text.count('"') != 2 * (len(values) - 1):
        text = '","'.join([_escaped(value) for value in values])
    return '{"' + text + '"}'


def _element(value: Any) -> str:
    if value is None:
        return "null"
    return f'"{_escaped(value)}"' if isinstance(value, str) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
