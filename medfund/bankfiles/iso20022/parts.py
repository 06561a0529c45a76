"""What several messages have in common, both ways: amounts, days, instants, accounts, reasons."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from medfund import codes, money
from medfund.bankfiles.iso20022.parsing import Part
from medfund.bankfiles.iso20022.writing import leaf, leaf_if, node
from medfund.bankfiles.messages import REASON_MAX, REMITTANCE_MAX, Account, Direction
from medfund.bankfiles.refusals import BadFile, Code
from medfund.calendar import SHANGHAI

CURRENCY = "CNY"
NARRATIVE = "NARR"
"""The standard's code for a reason that is told in words only."""

# Zero may have a minus, and either side of the point may be empty, but not both.
_DECIMAL = re.compile(r"(?:\+|-(?=[0.]*\Z))?(?=\.?[0-9])0*([0-9]{0,16})(?:\.([0-9]{0,2})0*)?").fullmatch
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?").fullmatch
_MIDNIGHT = re.compile(r"T24:00:00(?:\.0+)?")
"""The end of a day, in the standard's own words."""


def fen(text: str) -> int:
    """The fen of a decimal. Two digits follow its point as a rule; the standard lets "100.50" be "100.5" and "0100.500"
    too."""
    if text[-3:-2] == "." and len(text) < 19 and (digits := text[:-3] + text[-2:]).isdigit() and digits.isascii():
        return int(digits)
    found = _DECIMAL(text.strip())
    if found is None:
        raise BadFile(Code.BAD_AMOUNT, f"{text[:40]!r} is not a whole number of fen")
    yuan, rest = found.groups()
    return int(yuan or 0) * 100 + int((rest or "").ljust(2, "0"))


def amount(tag: str, fens: int) -> str:
    return leaf(tag, money.yuan(fens), Ccy=CURRENCY)


def read_amount(part: Part, path: str, what: str) -> int:
    return amount_of(part.need_part(path, what), what)


def amount_of(found: Part, what: str) -> int:
    if (currency := found.attribute("Ccy")) != CURRENCY:
        raise BadFile(Code.WRONG_CURRENCY, f"{what} is in {currency}; the fund's accounts are in {CURRENCY}")
    return fen(found.own)


def signed(part: Part, fens: int) -> int:
    return fens if read_direction(part) == "IN" else -fens


def direction(value: Direction) -> str:
    return leaf("CdtDbtInd", "CRDT" if value == "IN" else "DBIT")


def read_direction(part: Part) -> Direction:
    return direction_of(part.need("CdtDbtInd", "direction"))


def direction_of(said: str) -> Direction:
    return "IN" if said == "CRDT" else "OUT"


def instant(tag: str, moment: datetime) -> str:
    return leaf(tag, moment.astimezone(SHANGHAI).isoformat())


def read_instant(text: str) -> datetime:
    """Banks that say no zone mean their own clocks."""
    ends, midnight = _MIDNIGHT.subn("T00:00:00", text.strip())
    try:
        moment = datetime.fromisoformat(ends) + timedelta(days=midnight)
        return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        raise BadFile(Code.BAD_DATE, f"{text[:40]!r} is no time") from None


def day(tag: str, value: date) -> str:
    return node(tag, leaf("Dt", value.isoformat()))


def read_day(part: Part, path: str, what: str) -> date:
    found = find_day(part, path, what)
    if found is None:
        raise BadFile(Code.INCOMPLETE, f"there is no {what} ({path})")
    return found


def find_day(part: Part, path: str, what: str) -> date | None:
    """A day, or the day of an instant in Shanghai; early versions have the day in the place itself."""
    if (text := part.text(f"{path}/Dt")) is not None:
        return _day(text, what)
    if (moment := part.text(f"{path}/DtTm")) is not None:
        return read_instant(moment).date()
    return None if (text := part.text(path)) is None else _day(text, what)


@lru_cache(maxsize=1000)
def _day(text: str, what: str) -> date:
    """Kept: a file of many entries has few days."""
    text = text.strip()
    if len(text) > len("2026-02-27") and not _begins_here(text):
        raise BadFile(Code.BAD_DATE, f"{what}: {text[:40]!r} is no day of Shanghai")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadFile(Code.BAD_DATE, f"{what}: {text[:40]!r} is no day") from None


def _begins_here(text: str) -> bool:
    """Whether a day with a zone begins on the same day in Shanghai."""
    zoned = _DAY(text)
    return zoned is not None and str(read_instant(f"{zoned[1]}T00:00:00{zoned[2] or ''}").date()) == zoned[1]


def number(tag: str, account: str, *, currency: bool = False) -> str:
    identified = node("Id", node("Othr", leaf("Id", account)))
    return node(tag, identified, leaf("Ccy", CURRENCY) if currency else None)


def read_number(part: Part) -> str | None:
    return part.text("Id/Othr/Id") or part.text("Id/IBAN")


def agent(tag: str, bank: str) -> str:
    """A bank, by its clearing code; CNAPS is its scheme's name in the standard's own list."""
    scheme = node("ClrSysId", leaf("Cd", "CNAPS"))
    return node(tag, node("FinInstnId", node("ClrSysMmbId", scheme, leaf("MmbId", bank))))


def read_agent(part: Part | None) -> str | None:
    if part is None:
        return None
    return part.text("FinInstnId/ClrSysMmbId/MmbId") or part.text("FinInstnId/BICFI") or part.text("FinInstnId/BIC")


def read_account(part: Part, party: str) -> Account:
    """The account of "Dbtr" or "Cdtr" in a payment file."""
    return Account(
        number=read_number(part.need_part(f"{party}Acct", "account")) or "",
        name=part.text(f"{party}/Nm") or "",
        bank=read_agent(part.part(f"{party}Agt")) or "",
    )


def reason(tag: str, code: str | None, text: str | None) -> str | None:
    """Codes of the standard's lists have four letters; any longer one is the bank's own."""
    if not code:
        return None
    return node(tag, node("Rsn", leaf("Cd" if len(code) <= 4 else "Prtry", code)), leaf_if("AddtlInf", text))


def read_reason(*parts: Part | None) -> tuple[str, str]:
    """Code and words. Of several reasons the one that says that there was the same before: it says the least of what it
    is about."""
    said = [_read_reason(part) for part in parts if part is not None]
    repeated = (reason for reason in said if codes.says_repeated(*reason))
    return next(repeated, None) or next(filter(any, said), ("", ""))


def _read_reason(part: Part) -> tuple[str, str]:
    text = part.lines("AddtlInf", REASON_MAX)
    code = part.text("Rsn/Cd") or part.text("Rsn/Prtry") or (NARRATIVE if text else "")
    return code, text


def remittance(text: str) -> str | None:
    return node("RmtInf", leaf("Ustrd", text)) if text else None


def read_remittance(part: Part) -> str:
    return part.lines("RmtInf/Ustrd", REMITTANCE_MAX)


def check_count(said: str | None, *counted: int, what: str) -> None:
    """`counted`: each way in which the bank can have counted, the plainest first."""
    if said is not None and int(said) not in counted:
        raise BadFile(Code.WRONG_COUNT, f"the file says {said} {what}, and there are {counted[0]}")


def check_sum(said: str | None, *added: int, what: str) -> None:
    if said is not None and fen(said) not in added:
        difference = money.yuan(fen(said) - added[0])
        told = f"the file says {said} yuan for {what}, and they add up to {money.yuan(added[0])}"
        raise BadFile(Code.WRONG_SUM, f"{told}, a difference of {difference} yuan")


def only_page(page: Part | None) -> None:
    """Pages of one report that come as files of their own: no one of them adds up."""
    if read_page(page) != (1, True):
        raise BadFile(Code.UNSUPPORTED, "the file is one of several; what it begins or ends is in another one")


def read_page(page: Part | None) -> tuple[int, bool]:
    """Which page it is, and whether the last."""
    if page is None:
        return 1, True
    return int(page.need("PgNb", "page")), page.need("LastPgInd", "last page").strip() in ("true", "1")


def whole(pages: Iterable[Part], paged: str) -> Iterator[list[Part]]:
    """The pages of each report, which stand one after the other. Raises `BadFile` where one is missing."""
    found: list[Part] = []
    for part in pages:
        number, is_last = read_page(part.part(paged))
        if number != len(found) + 1:
            raise BadFile(Code.UNSUPPORTED, f"page {number} of a report does not come after the page before it")
        found.append(part)
        if is_last:
            yield found
            found = []
    if found:
        raise BadFile(Code.UNSUPPORTED, "the last page of a report is not in the file")
