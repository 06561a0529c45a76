"""How what is known of a thing is kept: a document in JSON, beside the columns that it is looked for by."""

from collections.abc import Iterable

import msgspec

from direct_pay.names import Name


class Row(msgspec.Struct, array_like=True, gc=False, order=True):
    """A part of a document: written as a list, for there are very many."""


_encode = msgspec.json.Encoder().encode


def text(value: object) -> str:
    return _encode(value).decode()


def named(names: Iterable[Name]) -> list[list[str]]:
    """Names in their order: providers, suppliers, what they call it."""
    ordered = sorted(names)
    return [[name[part] for name in ordered] for part in range(3)]


def flag(value: bool) -> str:
    return "true" if value else "false"
