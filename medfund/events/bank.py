"""Facts from the bank: what became of payments, what stands on its statements. Source: domain.md c.2 (23-27).

A line of a bank account is its account, the bank's own number, its booking day and its direction. `booked_on` is the
booking day, by which statements are compared; without it, it is the value date.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from medfund.events import rules
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    Count,
    Day,
    Digest,
    Fund,
    PaymentRef,
    Provider,
    Ref,
    SuspenseRef,
    Text,
    Words,
)
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason

BankAccount: TypeAlias = Literal["1002", "1003"]
"""The expenditure account or the fiscal special account of a fund: each fund has its own."""
LeftFrom: TypeAlias = Literal["1002", "1003", "1190", "2190"]
"""A bank account, or the suspense account that a line of it was put into before anybody knew what it was."""
Direction: TypeAlias = Literal["OUT", "IN"]

PlacedAs: TypeAlias = Literal[
    "PAYMENT", "RETURN", "RECOVERY", "PREPAYMENT", "SHORTFALL", "REFUND", "OTHER_PAYER", "INTER_FUND", "FISCAL",
    "CORRECTED", "INTEREST", "OTHER_INCOME", "FEE"
]  # fmt: skip
"""What bank money that nobody could place can turn out to be."""
FeeAccount: TypeAlias = Literal["5004", "4001"]
"""What a fee of the bank's is booked to: other expenditure, or against other income."""


class BankAnswer(Event, frozen=True, kw_only=True):
    """What the bank says of one payment: `value_date` is its day, `bank_account` the account that the money left.

    Of what was found in suspense, `found_in` is the item, and `found_on` the bank account that its line is of.
    """

    area: Area
    provider: Provider
    payment_ref: PaymentRef
    bank_account: LeftFrom
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    booked_on: Day | None = None
    found_in: Ref | None = None
    found_on: BankAccount | None = None


_ANSWER: Mapping[str, Any] = {
    "area": "152500",
    "provider": "H15250200017",
    "payment_ref": "H15250200017-310-21-202601/P1/310100",
    "bank_account": "1002",
    "bank_txn": "202602270000417",
    "value_date": "2026-02-27",
    "amounts": {"310100": "1890000.33"},
}


@kind("bank.payment.settled", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankPaymentSettled(BankAnswer, frozen=True, kw_only=True):
    """The money left, or a part of it; `payment.settled` books it. The same `bank_txn` again is the same money.

    What is more than the payment, or comes a second time, is in suspense: `suspense.opened`. Source: c.2 (23).
    """

    example: ClassVar[Mapping[str, Any]] = _ANSWER


@kind("bank.payment.returned", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankPaymentReturned(BankAnswer, frozen=True, kw_only=True):
    """The money, or a part of it, came back; `payment.returned` books it. Source: c.2 (24)."""

    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_ANSWER,
        "bank_txn": "202603020000093",
        "value_date": "2026-03-02",
        "amounts": {"310100": "411110.21"},
        "reason": "账户已销户",
    }


@kind("bank.payment.rejected", family="bank", key="provider")
class BankPaymentRejected(Event, frozen=True, kw_only=True):
    """The bank did not carry a payment out: no money left. `code` is its own reason code. Source: c.2 (24).

    A code that speaks of a second delivery says nothing of the first: `payment.doubted`. `doubt` is why the bank may
    pay all the same, where it has said something else before.
    """

    area: Area
    provider: Provider
    payment_ref: PaymentRef
    code: Words
    reason: Text
    rejected_on: Day
    doubt: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "payment_ref": "H15250200017-310-21-202601/P1/310100",
        "code": "AC04",
        "reason": "账户已销户",
        "rejected_on": "2026-02-27",
    }


@kind("bank.return.reversed", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankReturnReversed(BankAnswer, frozen=True, kw_only=True):
    """The bank takes back what it gave back of a payment, or a part of it: the payment stands again.
    `payment.return.undone` books it. Source: c.2 (24), c.4."""

    example: ClassVar[Mapping[str, Any]] = {
        **_ANSWER,
        "bank_txn": "202603030000052",
        "value_date": "2026-03-03",
        "booked_on": "2026-03-03",
        "amounts": {"310100": "411110.21"},
    }


_LINE: Mapping[str, Any] = {
    "area": "152500",
    "bank_account": "1002",
    "bank_txn": "202602270000931",
    "value_date": "2026-02-27",
    "amounts": {"310100": "123.45"},
}


@kind("bank.line.unplaced", family="bank", key="area", rules=(rules.not_negative("amounts"),))
class BankLineUnplaced(Event, frozen=True, kw_only=True):
    """A line of a bank account that answers no payment and no transfer: `suspense.opened` books it.

    `amounts` names the account's fund; `text` is the bank's own. Source: c.2 (27), c.4.
    """

    area: Area
    bank_account: BankAccount
    direction: Direction
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    text: Text
    booked_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {**_LINE, "direction": "IN", "text": "来账，附言不详"}


@kind("bank.line.corrected", family="bank", key="lane", rules=(rules.not_negative("amounts"),))
class BankLineCorrected(Event, frozen=True, kw_only=True):
    """A line that left, item `found_in` of lane `found_lane`, was taken back by one that came, item `item_ref` of this
    lane, as two people said: this lane's `suspense.placed` books both, or its `suspense.kept` says why it does not.
    Source: c.4, c.2 (69)."""

    area: Area
    item_ref: SuspenseRef
    found_in: Ref
    found_lane: Count
    found_on: BankAccount
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    placed_on: Day
    said_by: list[Ref]
    booked_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "item_ref": "S-5b1f0c9a4d7e42138f6a90bd",
        "found_in": "S-0c77d2b1a6e94f3588a1b2c3",
        "found_lane": 7,
        "found_on": "1002",
        "bank_txn": "202602270000930",
        "value_date": "2026-02-27",
        "booked_on": "2026-02-27",
        "amounts": {"310100": "123.45"},
        "placed_on": "2026-03-02",
        "said_by": ["staff-7c41", "staff-02e9"],
    }


def _adds_up(event: "BankStatementImported") -> Problem | None:
    if event.lines or event.opening == event.closing:
        return None
    return Problem(Reason.IDENTITY_MISMATCH, f"$.closing: {event.closing} after {event.opening} and no line")


@kind("bank.statement.imported", family="bank", key="area", rules=(_adds_up,))
class BankStatementImported(Event, frozen=True, kw_only=True):
    """The bank's statement of one account and day was read to its end: what it began and ended with.

    Every line of it is an event of its own; `lines_hash` is the SHA-256 of the file. Source: c.2 (27).
    """

    area: Area
    fund: Fund
    bank_account: BankAccount
    day: Day
    statement_ref: Words
    opening: Amount
    closing: Amount
    lines: Count
    lines_hash: Digest

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "fund": "310100",
        "bank_account": "1002",
        "day": "2026-02-27",
        "statement_ref": "S20260227-0001",
        "opening": "5000000.00",
        "closing": "3110123.12",
        "lines": 2,
        "lines_hash": "7d1f3e0b7a9c48265b0f1e2d3c4a59687f8e9dacbb1a2c3d4e5f60718293a4b5",
    }


@kind("bank.mismatch.found", family="bank", key="area")
class BankMismatchFound(Event, frozen=True, kw_only=True):
    """A day's reconciliation did not end at zero: the bank's closing balance less our own. Source: c.2 (27)."""

    area: Area
    fund: Fund
    bank_account: BankAccount
    day: Day
    statement_ref: Words
    bank: Amount
    books: Amount
    difference: Amount

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "fund": "310100",
        "bank_account": "1002",
        "day": "2026-02-27",
        "statement_ref": "S20260227-0001",
        "bank": "3110123.12",
        "books": "3110123.13",
        "difference": "-0.01",
    }


@kind("treasury.funds.received", family="bank", key="area", rules=(rules.not_negative("amounts"),))
class TreasuryFundsReceived(Event, frozen=True, kw_only=True):
    """Money came from the fiscal special account to the expenditure account. Books 1002 / 1003, in both books.

    `request_ref` is what it answers, where the agency had asked. Source: c.2 (26), c.4.
    """

    area: Area
    plan_ref: Ref
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    request_ref: Ref | None = None
    booked_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "plan_ref": "plan-2026-02",
        "bank_txn": "202602260000014",
        "value_date": "2026-02-26",
        "amounts": {"310100": "5000000.00"},
        "request_ref": "YK-2026-0007",
    }
