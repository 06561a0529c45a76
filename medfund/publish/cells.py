"""What a cell of an export says: amounts, days, quantities, prices, as platforms and spreadsheets write them.

Pure. What stays true: no digit is lost or guessed. An amount or a day that cannot be read stays as it is, for the check
to refuse; of the others `Unreadable` says why they cannot.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from medfund.events.refusals import Reason
from medfund.invoices import plain

TOLD = 40
_AMOUNT = re.compile(r"(-?)0*([0-9]+)(?:\.([0-9]*))?").fullmatch
_EXACT = re.compile(r"-?[0-9]+\.[0-9]{2}").fullmatch
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?").fullmatch
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}").fullmatch
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))").match
_MONTH = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})月?|([0-9]{2}))").fullmatch
_CLOCK = re.compile(r"[T ]?([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2}))?(?:\.[0-9]*)?$").match
_QUANTITY = re.compile(r"(-?[0-9][0-9,]*(?:\.[0-9]+)?)\s*([^0-9\s.,-]*)").fullmatch
_PRICE = re.compile(r"0*([0-9]+)(?:\.([0-9]*))?").fullmatch
_COUNT = re.compile(r"[0-9]{1,15}").fullmatch
PRICE_DECIMALS = 6


class Unreadable(Exception):
    """A cell that cannot be read: the reason of its row's refusal, and why in both languages."""

    def __init__(self, reason: Reason, zh: str, en: str, column: str = "") -> None:
        super().__init__(en)
        self.reason = reason
        self.zh = zh
        self.en = en
        self.column = column


def json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def quoted(text: str) -> str:
    return f"“{text[:TOLD]}”"


def narrow(text: str) -> str:
    """A number without the commas between its thousands; with any other comma it stays as it is."""
    text = plain(text)
    return text.replace(",", "") if "," in text and _GROUPED(text) else text


def amount(text: str) -> str:
    """Yuan as events write them: nothing is 0.00, zeros at the end are added or taken away, never a digit; what is not
    an amount stays as it is, for the check to refuse."""
    if not text:
        return "0.00"
    if text[-3:-2] == "." and text[0] != "0" and text[:-3].isdigit() and text[-2:].isdigit() and text.isascii():
        return text  # as most are written
    written = _AMOUNT(narrow(text))
    if written is None or len(fraction := (written[3] or "").rstrip("0")) > 2:
        return text
    found = f"{written[2]}.{fraction.ljust(2, '0')}"
    return found if found == "0.00" else f"{written[1]}{found}"


def exact_amount(yuan: str) -> str:
    """An amount that is added to others, as events write it."""
    if not _EXACT(yuan):
        raise Unreadable(Reason.BAD_AMOUNT, f"{quoted(yuan)} 不是金额", f"{quoted(yuan)} is not an amount")
    return yuan


def turned(yuan: str) -> str:
    """An amount with the other sign; what is none stays as it is."""
    if yuan == "0.00" or _AMOUNT(yuan) is None:
        return yuan
    return yuan[1:] if yuan.startswith("-") else f"-{yuan}"


def sum_of(texts: Sequence[str]) -> str:
    """Where the export has more amounts than the event has members."""
    found = [amount(text) for text in texts]
    wrong = [text for text in found if not _EXACT(text)]
    if wrong:
        return wrong[0]
    fen = sum(int(text.replace(".", "")) for text in found)
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


@lru_cache(maxsize=64)
def _parts(text: str) -> tuple[str, str] | None:
    """Day and time of day, of a time as exports write it. 2026111 may be two days, and is none."""
    if _USUAL(text):
        return text[:10], text[11:]
    text = plain(text)
    day = _DATE(text)
    if day is None:
        return None
    clock = _CLOCK(text[day.end() :]) if text[day.end() :].strip() else None
    if clock is None and text[day.end() :].strip():
        return None
    hour, minute, second = (clock[1], clock[2], clock[3] or "00") if clock else ("00", "00", "00")
    return f"{day[1]}-{int(day[2] or day[4]):02}-{int(day[3] or day[5]):02}", f"{int(hour):02}:{minute}:{second}"


def day(text: str) -> str:
    found = _parts(text)
    return json(text) if found is None else f'"{found[0]}"'


def month(text: str) -> str:
    """The first day of a month, or of the month of a day."""
    if found := _MONTH(plain(text)):
        return f'"{found[1]}-{int(found[2] or found[3]):02}-01"'
    parts = _parts(text)
    return json(text) if parts is None else f'"{parts[0][:8]}01"'


def year(text: str) -> str:
    found = _parts(text)
    return json(text) if found is None else str(int(found[0][:4]))


def time(text: str) -> str:
    """A time of day without an offset is one of the clocks of Shanghai."""
    found = _parts(text)
    return json(text) if found is None else f'"{found[0]}T{found[1]}+08:00"'


def count(text: str) -> str:
    """A number of a line; zeros before it are not part of it."""
    if not _COUNT(plain(text)):
        raise Unreadable(Reason.WRONG_KIND, f"{quoted(text)} 不是序号", f"{quoted(text)} is not a whole number")
    return str(int(plain(text)))


def price(text: str) -> str:
    """Yuan for one unit, with two to six decimals: zeros at the end are added or taken away, never a digit."""
    written = _PRICE(narrow(text))
    if written is None or len(fraction := (written[2] or "").rstrip("0")) > PRICE_DECIMALS:
        raise Unreadable(Reason.BAD_AMOUNT, f"{quoted(text)} 不是单价", f"{quoted(text)} is not a price")
    return f'"{written[1]}.{fraction.ljust(2, "0")}"'


def quantity(text: str, unit: str, units: Mapping[str, int]) -> str:
    """How many of the unit that the price is for: `units` says how many of those are in each unit that is written."""
    written = _QUANTITY(plain(text))
    number = narrow(written[1]) if written else ""
    if written is None or "," in number:
        raise Unreadable(Reason.WRONG_KIND, f"{quoted(text)} 不是数量", f"{quoted(text)} is not a quantity")
    inside, beside = written[2], plain(unit)
    if inside and beside and inside != beside:
        raise Unreadable(
            Reason.BAD_CODE,
            f"单位 {quoted(inside)} 与 {quoted(beside)} 不一致",
            f"{quoted(inside)} beside {quoted(beside)}",
        )
    name = inside or beside
    if name and name not in units:
        raise Unreadable(
            Reason.BAD_CODE,
            f"单位 {quoted(name)} 不在 units 中",
            f"the unit {quoted(name)}, which `units` does not list",
        )
    found = Decimal(number) * (units[name] if name else 1)
    if found != found.to_integral_value():
        raise Unreadable(
            Reason.WRONG_KIND, f"{quoted(text)} 折算后不是整数", f"{quoted(text)} is no whole number of the priced unit"
        )
    return str(int(found))
