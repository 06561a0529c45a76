"""What is known of a bank's own form: a table of headings, and what its words mean. Data, read from TOML.

What stays true: a template that loads can be written and read. It has the columns without which nothing could be paid
or booked, names no field twice, and each of its words means one thing.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from medfund.bankfiles.messages import Direction

Encoding: TypeAlias = Literal["utf-8", "utf-8-sig", "gb18030", "gbk"]
Outcome: TypeAlias = Literal["accepted", "settled", "returned", "rejected"]

EXAMPLE = Path(__file__).parent / "example.toml"


class BadTemplate(ValueError):
    """The template cannot be used: nothing was written or read with it."""


class Sheet(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of file: a line of its own above, and the lines that there are many of. Heading -> field."""

    summary: dict[str, str]
    lines: dict[str, str]


class Template(Struct, frozen=True, forbid_unknown_fields=True):
    """A bank's form."""

    name: str
    encoding: Encoding
    separator: Literal[",", ";", "|", "\t"]
    line_end: Literal["\r\n", "\n"]
    day: Literal["%Y%m%d", "%Y-%m-%d", "%Y/%m/%d"]
    moment: Literal["%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S"]
    outcomes: dict[str, Outcome]
    directions: dict[str, Direction]
    payments: Sheet
    answers: Sheet
    statements: Sheet


_NONE: set[str] = set()

# Needed, and possible besides, in the summary and in the lines of each sheet.
_FIELDS: Mapping[str, tuple[tuple[set[str], set[str]], tuple[set[str], set[str]]]] = {
    "payments": (
        (
            {"message_id", "created", "debtor_number", "debtor_name", "debtor_bank", "execute_on", "count", "total"},
            _NONE,
        ),
        ({"end_to_end_id", "creditor_number", "creditor_name", "creditor_bank", "amount"}, {"remittance"}),
    ),
    "answers": (
        ({"message_id", "created", "account", "original_message_id", "count"}, _NONE),
        ({"end_to_end_id", "outcome", "amount", "bank_txn", "booked_on", "value_date", "code"}, {"text"}),
    ),
    "statements": (
        ({"message_id", "created", "account", "day", "opening", "closing", "count"}, _NONE),
        (
            {"bank_txn", "direction", "amount", "booked_on", "value_date", "end_to_end_id", "code"},
            {"original_message_id", "other_number", "other_name", "other_bank", "remittance", "text", "reason"},
        ),
    ),
}


def load(path: Path) -> Template:
    """Raises `BadTemplate`."""
    try:
        template = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Template)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTemplate(f"{path.name}: {error}") from error
    for name, (summary, lines) in _FIELDS.items():
        sheet: Sheet = getattr(template, name)
        _check(f"{path.name}: {name}.summary", list(sheet.summary.values()), *summary)
        _check(f"{path.name}: {name}.lines", list(sheet.lines.values()), *lines)
    for words in (template.outcomes, template.directions):
        if len(set(words.values())) != len(words):
            raise BadTemplate(f"{path.name}: two words mean the same, and only one of them could be written")
    return template


def _check(where: str, fields: list[str], needed: set[str], possible: set[str]) -> None:
    named = [field for field in fields if field]
    if missing := needed - set(named):
        raise BadTemplate(f"{where} has no {', '.join(sorted(missing))}")
    if unknown := set(named) - needed - possible:
        raise BadTemplate(f"{where} has {', '.join(sorted(unknown))}, which nothing here is")
    if len(set(named)) != len(named):
        raise BadTemplate(f"{where} names a field twice")
