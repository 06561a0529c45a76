"""What several messages have in common, both ways: amounts, days, instants, accounts, reasons."""

import re
from datetime import date, datetime

from medfund import codes, money
from medfund.bankfiles.iso20022.parsing import Part
from medfund.bankfiles.iso20022.writing import leaf, leaf_if, node
from medfund.bankfiles.messages import REASON_MAX, REMITTANCE_MAX, Account, Direction
from medfund.bankfiles.refusals import BadFile, Code
from medfund.calendar import SHANGHAI

CURRENCY = "CNY"
NARRATIVE = "NARR"
"""The standard's code for a reason that is told in words only."""

_DECIMAL = re.compile(r"\+?0*([0-9]{1,16})(?:\.([0-9]{0,2})0*)?").fullmatch
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\+08:00)?").fullmatch


def fen(text: str) -> int:
    """The fen of a decimal: the standard lets one sum of money be written as "100.5" and as "100.50"."""
    found = _DECIMAL(text.strip())
    if found is None:
        raise BadFile(Code.BAD_AMOUNT, f"{text[:40]!r} is not a whole number of fen")
    yuan, rest = found.groups()
    return int(yuan) * 100 + int((rest or "").ljust(2, "0"))


def amount(tag: str, fens: int) -> str:
    return leaf(tag, money.yuan(fens), Ccy=CURRENCY)


def read_amount(part: Part, path: str, what: str) -> int:
    found = part.need_part(path, what)
    if (currency := found.attribute("Ccy")) != CURRENCY:
        raise BadFile(Code.WRONG_CURRENCY, f"{what} is in {currency}; the fund's accounts are in {CURRENCY}")
    return fen(found.own or "")


def signed(part: Part, fens: int) -> int:
    return fens if read_direction(part) == "IN" else -fens


def direction(value: Direction) -> str:
    return leaf("CdtDbtInd", "CRDT" if value == "IN" else "DBIT")


def read_direction(part: Part) -> Direction:
    return "IN" if part.need("CdtDbtInd", "direction") == "CRDT" else "OUT"


def instant(tag: str, moment: datetime) -> str:
    return leaf(tag, moment.astimezone(SHANGHAI).isoformat())


def read_instant(text: str) -> datetime:
    """Banks that say no zone mean their own clocks."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        raise BadFile(Code.BAD_DATE, f"{text[:40]!r} is no time") from None


def day(tag: str, value: date) -> str:
    return node(tag, leaf("Dt", value.isoformat()))


def read_day(part: Part, path: str, what: str) -> date:
    """A day, or the day of an instant in Shanghai."""
    found = part.need_part(path, what)
    if (moment := found.text("DtTm")) is not None:
        return read_instant(moment).date()
    text = found.need("Dt", what).strip()
    try:
        return date.fromisoformat(text[:10] if _DAY(text) else "")
    except ValueError:
        raise BadFile(Code.BAD_DATE, f"{what}: {text[:40]!r} is no day") from None


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
    return part.text("FinInstnId/ClrSysMmbId/MmbId") or part.text("FinInstnId/BICFI")


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


def check_count(said: str | None, counted: int, what: str) -> None:
    if said is not None and int(said) != counted:
        raise BadFile(Code.WRONG_COUNT, f"the file says {said} {what}, and there are {counted}")


def check_sum(said: str | None, added: int, what: str) -> None:
    if said is not None and fen(said) != added:
        difference = money.yuan(fen(said) - added)
        told = f"the file says {said} yuan for {what}, and they add up to {money.yuan(added)}"
        raise BadFile(Code.WRONG_SUM, f"{told}, a difference of {difference} yuan")


def one_page(*pages: Part | None) -> None:
    """Pages of one report come as files of their own, and no one of them adds up."""
    for page in pages:
        if page is not None and (page.need("PgNb", "page"), page.need("LastPgInd", "last page")) not in _ONLY_PAGE:
            raise BadFile(Code.UNSUPPORTED, "the file is one of several pages")


_ONLY_PAGE = frozenset({("1", "true"), ("1", "1")})
