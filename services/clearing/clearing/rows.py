"""How what decisions made is kept: a JSON body, beside the columns that it is looked for by."""

from collections.abc import Iterable

import msgspec

encode = msgspec.json.Encoder(order="deterministic").encode


def text(value: object) -> str:
    return encode(value).decode()


def named(names: Iterable[tuple[str, ...]], parts: int = 2) -> list[list[str]]:
    """Names in their order, part by part."""
    ordered = sorted(names)
    return [[name[part] for name in ordered] for part in range(parts)]


def flag(value: bool) -> str:
    return "true" if value else "false"
