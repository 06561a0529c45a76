"""camt.053: statements, each of one account for one day."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from msgspec.structs import replace

from medfund.bankfiles.iso20022 import entries, parts
from medfund.bankfiles.iso20022.kinds import CAMT_053
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import Entries, Statement
from medfund.bankfiles.refusals import BadFile, Code

OPENING, PREVIOUS, CLOSING = "OPBD", "PRCD", "CLBD"


def write(message: Statement, into: BinaryIO) -> None:
    header = node("GrpHdr", leaf("MsgId", message.message_id), parts.instant("CreDtTm", message.created))
    document(into, CAMT_053, [header], "Stmt", _contents(message))


def _contents(message: Statement) -> Iterator[str]:
    yield leaf("Id", message.message_id)
    yield parts.instant("CreDtTm", message.created)
    yield entries.account(message.account)
    yield _balance(message, OPENING, message.opening)
    yield _balance(message, CLOSING, message.closing)
    yield entries.summary(message.entries)
    yield from map(entries.entry, message.entries)


def _balance(message: Statement, code: str, fens: int) -> str:
    return node(
        "Bal",
        node("Tp", node("CdOrPrtry", leaf("Cd", code))),
        parts.amount("Amt", abs(fens)),
        parts.direction("IN" if fens >= 0 else "OUT"),
        parts.day("Dt", message.day),
    )


def read(found: Document) -> list[Statement]:
    """Each account's day, once, all its pages together."""
    booked = entries.read(found, _name)
    parts.only_page(found.body.part("GrpHdr/MsgPgntn"))
    days: dict[tuple[str, date], Statement] = {}
    for pages in parts.whole(found.body.parts("Stmt"), "StmtPgntn"):
        one = _read(found.body, pages, entries.of_pages(pages, booked))
        before = days.get((one.account, one.day))
        days[one.account, one.day] = one if before is None else _joined(before, one)
    return list(days.values())


def _name(statement: Part) -> str:
    """What stays the same when the bank sends the statement again."""
    numbers = (statement.text(path) for path in ("LglSeqNb", "ElctrncSeqNb"))
    said = next((number.strip() for number in numbers if number is not None), None)
    return str(Decimal(said).to_integral_value()) if said else statement.need("Id", "identification").strip()


def _read(body: Part, pages: Sequence[Part], booked: Entries) -> Statement:
    closing, day = _read_balance(pages, CLOSING)
    return Statement(
        message_id=body.need("GrpHdr/MsgId", "identification"),
        created=parts.read_instant(body.need("GrpHdr/CreDtTm", "time")),
        account=entries.read_account(pages),
        day=day,
        opening=_read_balance(pages, OPENING, PREVIOUS)[0],
        closing=closing,
        entries=booked,
    )


def _read_balance(pages: Sequence[Part], *codes: str) -> tuple[int, date]:
    """Its fen and its day. Said once, or several times the same: the balance that was closed before is the opening."""
    found = [bal for page in pages for bal in page.parts("Bal") if bal.text("Tp/CdOrPrtry/Cd") in codes]
    said = {_fens(balance) for balance in found}
    if not said:
        raise BadFile(Code.INCOMPLETE, f"the statement has no balance {' or '.join(codes)}, and one is needed")
    if len(said) > 1:
        raise BadFile(Code.CONTRADICTION, f"the statement has {len(said)} different balances {' or '.join(codes)}")
    return said.pop(), parts.read_day(found[-1], "Dt", f"day of the balance {codes[0]}")


def _fens(balance: Part) -> int:
    return parts.signed(balance, parts.read_amount(balance, "Amt", "balance"))


def _joined(before: Statement, after: Statement) -> Statement:
    """Two statements of one day: the second begins with what the first ended with."""
    if before.closing != after.opening:
        said = f"two statements of {after.account} for {after.day}, and the second does not begin where the first ends"
        raise BadFile(Code.CONTRADICTION, said)
    return replace(before, closing=after.closing, entries=entries.together([before.entries, after.entries]))
