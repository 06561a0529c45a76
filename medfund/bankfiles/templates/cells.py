"""What stands in a cell: amounts, days, instants, the bank's words."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeVar

from medfund import money
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.templates.sheets import Row
from medfund.bankfiles.templates.template import Template
from medfund.calendar import SHANGHAI

_Meaning = TypeVar("_Meaning", bound=str)


def fen(row: Row, field: str) -> int:
    """Digits, a point, two digits: no sign, no thousands."""
    try:
        return money.fen(row[field])
    except (money.BadAmount, money.AmountOutOfRange) as error:
        raise BadFile(Code.BAD_AMOUNT, str(error)) from None


def day(template: Template, value: date) -> str:
    return value.strftime(template.day)


def read_day(template: Template, row: Row, field: str) -> date:
    return _moment(row[field], template.day).date()


def moment(template: Template, value: datetime) -> str:
    return value.astimezone(SHANGHAI).strftime(template.moment)


def read_moment(template: Template, row: Row, field: str) -> datetime:
    return _moment(row[field], template.moment)


def _moment(text: str, form: str) -> datetime:
    """Only what would be written the same: the parser takes more than it writes."""
    try:
        found = datetime.strptime(text, form).replace(tzinfo=SHANGHAI)
    except ValueError:
        found = None
    if found is None or found.strftime(form) != text:
        raise BadFile(Code.BAD_DATE, f"{text[:40]!r} is not written as {form}")
    return found


def word(words: Mapping[str, _Meaning], meaning: str) -> str:
    """The bank's word for it."""
    for word, means in words.items():
        if means == meaning:
            return word
    raise BadFile(Code.UNKNOWN_CODE, f"the bank has no word for {meaning}")


def read_word(words: Mapping[str, _Meaning], row: Row, field: str) -> _Meaning:
    if (text := row[field]) not in words:
        raise BadFile(Code.UNKNOWN_CODE, f"{text[:40]!r} is none of {', '.join(words)}")
    return words[text]


def check_count(row: Row, counted: int) -> None:
    if row["count"] != str(counted):
        raise BadFile(Code.WRONG_COUNT, f"the file says {row['count'][:20]} lines, and there are {counted}")


def check_total(row: Row, added: int) -> None:
    if (said := fen(row, "total")) != added:
        difference = money.yuan(said - added)
        told = f"the file says {money.yuan(said)} yuan, and its lines add up to {money.yuan(added)}"
        raise BadFile(Code.WRONG_SUM, f"{told}, a difference of {difference} yuan")
