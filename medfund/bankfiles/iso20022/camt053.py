"""camt.053: the statement of one account for one day."""

from collections.abc import Iterator
from typing import BinaryIO

from medfund.bankfiles.iso20022 import entries, parts
from medfund.bankfiles.iso20022.kinds import CAMT_053
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import Statement
from medfund.bankfiles.refusals import BadFile, Code

OPENING, CLOSING = "OPBD", "CLBD"


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


def read(found: Document) -> Statement:
    booked = entries.read(found)
    statement = found.body.only("Stmt", "statement")
    parts.one_page(found.body.part("GrpHdr/MsgPgntn"), statement.part("StmtPgntn"))
    opening, closing = _read_balance(statement, OPENING), _read_balance(statement, CLOSING)
    message = Statement(
        message_id=found.body.need("GrpHdr/MsgId", "identification"),
        created=parts.read_instant(found.body.need("GrpHdr/CreDtTm", "time")),
        account=entries.read_account(statement),
        day=parts.read_day(closing, "Dt", "day of the closing balance"),
        opening=_fens(opening),
        closing=_fens(closing),
        entries=booked,
    )
    entries.check_summary(statement, booked)
    return message


def _read_balance(statement: Part, code: str) -> Part:
    found = [balance for balance in statement.parts("Bal") if balance.text("Tp/CdOrPrtry/Cd") == code]
    if len(found) != 1:
        raise BadFile(Code.INCOMPLETE, f"the statement has {len(found)} balances {code}, and one is needed")
    return found[0]


def _fens(balance: Part) -> int:
    return parts.signed(balance, parts.read_amount(balance, "Amt", "balance"))
