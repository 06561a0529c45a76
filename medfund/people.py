"""Who is one person: a reference of a staff, however it is written. Pure.

A person has one form wherever people are compared; what was written is kept as it was.
"""

import re
import unicodedata
from collections.abc import Iterable

from medfund import codes

_written = re.compile(codes.REF_PATTERN).fullmatch


def may_act(person: str) -> bool:
    """Whether the contract of events can say this person did something."""
    return _written(person) is not None


def one(person: str) -> str:
    """The form in which a person is compared: case, blanks and how a letter is composed tell nobody apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", person).strip().casefold())


def same(person: str, other: str | None) -> bool:
    return other is not None and one(person) == one(other)


def among(person: str, others: Iterable[str]) -> bool:
    return any(same(person, other) for other in others)


def count(people: Iterable[str]) -> int:
    """How many people these are."""
    return len({one(person) for person in people})
