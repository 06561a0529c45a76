"""What a bank's file would come to, touching nothing: a bank's sample can be tried before anything depends on it.

What stays true: it is read, matched and refused by what takes files in; nothing is written, told, or moved.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import asyncpg
import msgspec

from clearing.bank import lines, matching, reading, taking
from clearing.bank.files import SQL, NotAccepted, NotYet, parts
from clearing.bank.matching import Known
from clearing.bank.register import Own, Register, UnknownAccount
from medfund import money
from medfund.bankfiles import refusals
from medfund.bankfiles.messages import Direction, Entry, Message, Notification, Report, Statement, Transfers
from medfund.bankfiles.refusals import BadFile, Code
from medfund.events.bank import (
    BankLineUnplaced,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
    TreasuryFundsReceived,
)
from medfund.events.prepayments import BankPrepaymentRepaid
from medfund.events.supervision import RecoveryReceived
from medfund.postgres import connect

BECOMES: Mapping[type, tuple[str, str]] = {
    BankPaymentSettled: ("已支付", "a payment that was made"),
    BankPaymentReturned: ("退汇", "a payment that came back"),
    BankReturnReversed: ("退汇冲正", "a return that is taken back"),
    TreasuryFundsReceived: ("财政拨入", "money from the treasury"),
    RecoveryReceived: ("追回款", "a recovery"),
    BankPrepaymentRepaid: ("预付金退回", "a prepayment that is paid back"),
    BankLineUnplaced: ("待查款项", "in suspense, until somebody places it"),
}
BOOKED = ("已记账", "in the books already")
OTHER_SIDE = ("划转的另一方", "the other side of a transfer")
NOT_LOOKED_UP = ("未比对", "not looked up: no books were given")


class Part(msgspec.Struct, frozen=True):
    """What a line, or a part of it, would be."""

    amount: str
    becomes: tuple[str, str]
    """In Chinese and in English."""
    of: str = ""


class Line(msgspec.Struct, frozen=True):
    """An entry of an account, as it was read."""

    bank_txn: str
    direction: Direction
    amount: str
    booked_on: date
    value_date: date
    parts: list[Part]


class Sum(msgspec.Struct, frozen=True):
    """How many, and how much where it is money."""

    number: int
    total: str = ""


class Told(msgspec.Struct):
    """One message of the file. `lines` are the first of it; `comes_to` counts all."""

    kind: str
    message: str
    account: str = ""
    fund: str = ""
    entries: int = 0
    only_announced: int = 0
    of_nothing: int = 0
    day: date | None = None
    closing: str = ""
    comes_to: dict[str, Sum] = msgspec.field(default_factory=dict)
    lines: list[Line] = msgspec.field(default_factory=list)


class Verdict(msgspec.Struct, frozen=True):
    """`code` says why the file would be refused; nothing where it would be taken, now or when what it `waits_for` is
    there. `log_asked`: whether it is known which days the lanes have opened."""

    file: str
    told: list[Told]
    code: str = ""
    reason: tuple[str, str] = ("", "")
    detail: str = ""
    waits_for: str = ""
    log_asked: bool = False


async def check(file: Path, register: Register | None, dsn: str | None, *, most: int) -> Verdict:
    """`register`: whose accounts are known. `dsn`: of the books that lines are matched with. `most` lines are told."""
    reader = reading.Reader()
    try:
        messages = await reader.read(file, register.forms if register else {})
        said: Sequence[tuple[Message, Own | None]] = [(message, None) for message in messages]
        if register:
            said = taking.for_us(messages, register)
        return await _taken(file, said, dsn, most)
    except BadFile as refused:
        return _refused(file, refused.code, refused.detail)
    except UnknownAccount as refused:
        return _refused(file, Code.WRONG_ACCOUNT, str(refused))
    except NotAccepted as refused:
        return _refused(file, Code.NOT_ACCEPTED, str(refused))
    finally:
        reader.close()


def _refused(file: Path, code: str, detail: str) -> Verdict:
    return Verdict(file.name, [], str(code), refusals.MEANINGS.get(code, (code, code)), detail)


async def _taken(file: Path, said: Sequence[tuple[Message, Own | None]], dsn: str | None, most: int) -> Verdict:
    messages = [message for message, _ in said]
    if dsn is None:
        told = [await _message(message, own, None, most) for message, own in said]
        return Verdict(file.name, told, waits_for=_waits_for(messages, None))
    async with connect.connection(dsn, name="bankfile check") as connection, _reading(connection):
        told = [await _message(message, own, connection, most) for message, own in said]
        waits_for = _waits_for(messages, await connection.fetchval(SQL.opened))
        return Verdict(file.name, told, waits_for=waits_for, log_asked=True)


def _waits_for(messages: Sequence[Message], opened: date | None) -> str:
    try:
        taking.come(messages, opened=opened)
    except NotYet as later:
        return str(later)
    return ""


@asynccontextmanager
async def _reading(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """One snapshot of every area, in which nothing can be written."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(
            "select set_config('medfund.areas', '*', true), set_config('medfund.organisations', '*', true)"
        )
        yield


async def _message(message: Message, own: Own | None, connection: asyncpg.Connection | None, most: int) -> Told:
    if isinstance(message, Transfers):
        raise UnknownAccount("it is a payment file, which goes to the bank and does not come from it")
    told = Told(type(message).__name__, message.message_id)
    if isinstance(message, Report):
        _report(told, message)
        return told
    told.account, told.fund = message.account, f"{own.area} {own.fund} {own.bank_account}" if own else ""
    told.entries = len(message.entries)
    told.only_announced, told.of_nothing = message.entries.beside.announced, message.entries.beside.nothing
    if isinstance(message, Statement):
        told.day, told.closing = message.day, money.yuan(message.closing)
    if own is not None and connection is not None:
        await lines.not_told_otherwise(connection, own, [message.entries])
    await _lines(told, message, own, connection, most)
    return told


def _report(told: Told, report: Report) -> None:
    words = {True: "受理 accepted", False: "拒绝 rejected", None: "未定 not decided"}
    told.comes_to[f"付款文件 the payment file {report.original_message_id}: {report.status}"] = Sum(1)
    for what, number in Counter(status.accepted for status in report.statuses).items():
        told.comes_to[words[what]] = Sum(number)


async def _lines(
    told: Told, message: Notification | Statement, own: Own | None, connection: asyncpg.Connection | None, most: int
) -> None:
    numbers: Counter[str] = Counter()
    fens: Counter[str] = Counter()
    for some in parts(message.entries):
        known = await lines.known(connection, own, some) if own is not None and connection is not None else None
        for entry in some:
            found = [*_parts(own, entry, known)]
            for part in found:
                numbers[" ".join(part.becomes)] += 1
                fens[" ".join(part.becomes)] += money.fen(part.amount)
            if len(told.lines) < most:
                told.lines.append(_line(entry, found))
    told.comes_to = {what: Sum(number, money.yuan(fens[what])) for what, number in numbers.items()}


def _line(entry: Entry, found: list[Part]) -> Line:
    amount = money.yuan(entry.amount)
    return Line(entry.bank_txn, entry.direction, amount, entry.booked_on, entry.value_date, found)


def _parts(own: Own | None, entry: Entry, known: Known | None) -> Iterator[Part]:
    if own is None or known is None:
        for detail in entry.details:
            yield Part(money.yuan(detail.amount), NOT_LOOKED_UP, detail.end_to_end_id or " ".join(detail.files))
        if left := entry.amount - sum(detail.amount for detail in entry.details):
            yield Part(money.yuan(left), NOT_LOOKED_UP)
        return
    if known.booked.get(matching.line(entry)) == entry.signed:
        yield Part(money.yuan(entry.amount), BOOKED)
        return
    left = entry.amount
    for fact in matching.facts(own, entry, known):
        fen = matching.fen_of(fact.event)
        left -= fen
        yield Part(money.yuan(fen), BECOMES[type(fact.event)], _of(fact.event))
    if left:
        yield Part(money.yuan(left), OTHER_SIDE)


def _of(event: object) -> str:
    """What it is called by, where it is something known."""
    names = ("payment_ref", "request_ref", "case_ref", "prepayment_ref")
    return next((getattr(event, name) for name in names if getattr(event, name, None)), "")
