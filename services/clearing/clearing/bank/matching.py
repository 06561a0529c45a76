"""What a line of a bank account answers: payments, transfers from the treasury, recoveries, prepayments that are paid
back, or nothing known. Pure.

What stays true: every line is one or more facts whose amounts add up to it; the same line in another file gives the
same facts. A line is the account, the bank's number, its booking day and its direction. A payment that left another
fund's account is nothing known there: funds are never mixed. The bank's words are texts, whatever is in them.
Source: c.2 (23-27).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from clearing import capabilities
from clearing.bank.register import Own
from clearing.dimensions import Dimensions
from clearing.names import Name
from medfund import money
from medfund.bankfiles.messages import Detail, Direction, Entry
from medfund.events.bank import (
    BankLineUnplaced,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
    PlacedAs,
    TreasuryFundsReceived,
)
from medfund.events.fields import TEXT_MAX, WORDS_MAX
from medfund.events.kinds import Event

RETURNED, TAKEN_BACK = "银行退回", "银行冲正"
UNPLACED = "银行流水无对应付款或收款"


Line: TypeAlias = tuple[str, date, Direction]
"""The bank's number, the booking day and the direction: what names a line of an account."""


class Sent(NamedTuple):
    """A payment that was sent, as far as a line of the bank can be about it; `name` is its end-to-end id."""

    name: str
    payment_ref: str
    provider: str
    area: str
    fund: str
    fen: int


class Owing(NamedTuple):
    """What a provider may pay back in cash to one account."""

    placed_as: PlacedAs
    ref: str
    whose: Dimensions


@dataclass(frozen=True)
class Known:
    """What there is that lines of one account can be about."""

    sent: Mapping[str, Sent] = field(default_factory=dict)
    """By end-to-end id."""
    runs: Mapping[str, list[Sent]] = field(default_factory=dict)
    """By the run's name, which is the message id of its file: what of it was not rejected."""
    requests: Mapping[str, str] = field(default_factory=dict)
    """The plan of each request to the treasury, by its name."""
    owing: Mapping[str, Owing] = field(default_factory=dict)
    """By what a line may call it: see `meant`."""
    booked: Mapping[Line, int] = field(default_factory=dict)
    """What the books have of a line already, in fen, above zero for what came in."""


def named(names: Iterable[str]) -> list[Name]:
    """What a line may call something by: whose it is, a slash, and its name."""
    return [Name(*name.split("/", 1)) for name in names if "/" in name]


def meant(found: Iterable[Owing]) -> Mapping[str, Owing]:
    """By its name alone where one provider has it; else by the provider and the name. What is meant by a name that two
    have, nobody knows but who wrote it."""
    named: dict[str, list[Owing]] = {}
    for one in found:
        for name in (one.ref, f"{one.whose.provider}/{one.ref}"):
            named.setdefault(name, []).append(one)
    return {name: those[0] for name, those in named.items() if len(those) == 1}


class Fact(NamedTuple):
    """An event for the log, and what it is called by; of one that has no key, the lane."""

    event: Event
    id: str
    lane: int | None = None


def words(text: str, most: int = WORDS_MAX) -> str:
    """What the bank says, as an event can carry it: each character that cannot be printed is a blank."""
    return "".join(one if one.isprintable() else " " for one in text[:most])


def line(entry: Entry) -> Line:
    return words(entry.bank_txn), entry.booked_on, entry.direction


def facts(own: Own, entry: Entry, known: Known) -> Iterator[Fact]:
    """What follows from one line; nothing where the books have it already."""
    if known.booked.get(line(entry)) == entry.signed:
        return
    named: dict[str, int] = {}
    codes: dict[str, str] = {}
    for detail in _details(own, entry, known):
        name = detail.end_to_end_id or ""
        named[name] = named.get(name, 0) + detail.amount
        codes[name] = detail.return_code or ""
    for name, fen in named.items():
        if (event := _told(own, entry, name, fen, codes[name], known)) is not None:
            yield Fact(event, _id(own, entry, name))
    if left := entry.amount - sum(named.values()):
        yield Fact(_unplaced(own, entry, left), _id(own, entry, ""))


def _details(own: Own, entry: Entry, known: Known) -> Iterator[Detail]:
    """What is in a line, payment by payment: what it names; and of a payment file, where it names that and no payment,
    what was not rejected and the line does not name, where that adds up."""
    of_files: dict[str, int] = {}
    named = {name for detail in entry.details if _is_named(own, entry, name := detail.end_to_end_id or "", known)}
    for detail in entry.details:
        if detail.end_to_end_id in named:
            yield detail
        elif file := next((file for file in detail.files if file in known.runs), None):
            of_files[file] = of_files.get(file, 0) + detail.amount
    for file, fen in of_files.items():
        left = [
            one for one in known.runs[file] if (one.area, one.fund) == (own.area, own.fund) and one.name not in named
        ]
        if entry.direction == "OUT" and not entry.reversal and sum(one.fen for one in left) == fen:
            yield from (Detail(one.fen, one.name) for one in left)


def _is_named(own: Own, entry: Entry, name: str, known: Known) -> bool:
    """Whether a line can be about what it names."""
    if (sent := known.sent.get(name)) is not None:
        return (sent.area, sent.fund) == (own.area, own.fund)
    if entry.reversal:
        return False
    if entry.direction == "IN" and name in known.owing:
        return True
    return (own.bank_account, entry.direction) in (("1002", "IN"), ("1003", "OUT")) and name in known.requests


def _told(own: Own, entry: Entry, name: str, fen: int, code: str, known: Known) -> Event | None:
    """Nothing for the fiscal account's side of a transfer: the expenditure account's line tells of both."""
    if (sent := known.sent.get(name)) is not None:
        return _of_payment(own, entry, code, sent, fen)
    if entry.direction == "IN" and (owing := known.owing.get(name)) is not None:
        came = {"area": own.area, "provider": owing.whose.provider, "bank_account": own.bank_account}
        repaid = capabilities.REPAID[owing.placed_as]
        return repaid.told(owing.whose, owing.ref, {**came, **_of_line(own, entry, fen)})
    return _of_request(own, entry, name, known.requests[name], fen) if own.bank_account == "1002" else None


def _of_payment(own: Own, entry: Entry, code: str, sent: Sent, fen: int) -> Event:
    about: dict[str, Any] = {
        "area": own.area,
        "provider": sent.provider,
        "payment_ref": sent.payment_ref,
        "bank_account": own.bank_account,
        **_of_line(own, entry, fen),
    }
    if entry.direction == "OUT":
        return BankReturnReversed(**about) if entry.reversal else BankPaymentSettled(**about)
    why = f"{TAKEN_BACK if entry.reversal else RETURNED} {code}".strip()
    return BankPaymentReturned(**about, reason=words(why, TEXT_MAX))


def _of_line(own: Own, entry: Entry, fen: int) -> dict[str, Any]:
    return {
        "bank_txn": words(entry.bank_txn),
        "value_date": entry.value_date,
        "booked_on": entry.booked_on,
        "amounts": {own.fund: money.yuan(fen)},
    }


def _of_request(own: Own, entry: Entry, request_ref: str, plan_ref: str, fen: int) -> Event:
    return TreasuryFundsReceived(
        area=own.area,
        plan_ref=plan_ref,
        **_of_line(own, entry, fen),
        request_ref=request_ref,
    )


def _unplaced(own: Own, entry: Entry, fen: int) -> BankLineUnplaced:
    return BankLineUnplaced(
        area=own.area,
        bank_account=own.bank_account,
        direction=entry.direction,
        **_of_line(own, entry, fen),
        text=UNPLACED,
    )


def fen_of(event: Event) -> int:
    """How much a fact of a line says that moved."""
    amounts: Mapping[str, str] = event.amounts  # type: ignore[attr-defined]
    return sum(map(money.fen, amounts.values()))


def _id(own: Own, entry: Entry, name: str) -> str:
    """Of the account, the line and what it is about: the same in whatever file the line stands."""
    about = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"line/{own.area}/{own.fund}/{own.bank_account}/{'/'.join(map(str, line(entry)))}/{about}"
