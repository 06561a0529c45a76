"""One payment and what has become of it: ordered, approved, sent, answered by the bank. Pure.

What stays true: every change is a decision that is on the log; a payment is sent at most once, and what the bank has
paid of it is never more than it is.
"""

import hashlib
from datetime import date
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from clearing.funds import Fens, added, at_most, fens, total
from clearing.names import Name
from clearing.payable import Payable
from medfund import people
from medfund.events.payments import (
    Answered,
    PaymentApproved,
    PaymentDoubted,
    PaymentFailed,
    PaymentOrdered,
    PaymentReceiptNoted,
    PaymentRetried,
    PaymentReturned,
    PaymentReturnUndone,
    PaymentSent,
    PaymentSettled,
    PaymentWithheld,
    Purpose,
)
from medfund.lanes.draft import Draft, Part, Things

Status = Literal["ORDERED", "APPROVED", "SENT", "SETTLED", "FAILED", "CANCELLED"]


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """A run that would have paid it, and why it did not."""

    run_ref: str
    code: str
    detail: str


class Payment(msgspec.Struct, kw_only=True):
    payment_ref: str
    payable_ref: str
    provider: str
    """Whose payable it pays."""
    payee: str
    """Whose bank account is paid."""
    area: str
    policy_ref: str
    """The policy of what it pays."""
    purpose: Purpose
    amounts: Fens
    due: date
    latest: date | msgspec.UnsetType = msgspec.UNSET
    """The last day that `due` can be, while no notice covers the span."""
    status: Status = "ORDERED"
    requested_by: str | None = None
    retry_of: str | None = None
    approvers: list[str] = []
    said_yes: dict[str, date] | msgspec.UnsetType = msgspec.UNSET
    """On which day each person (`people.one`) approved it last."""
    approved_at: int = 0
    """The offset, in the topic of the agency, of the approval that was the last one needed."""
    expires_on: date | None = None
    """The last day on which what was approved may be sent."""
    account: str = ""
    """Of the payee, as it was approved."""
    run_ref: str | None = None
    end_to_end_id: str | None = None
    execute_on: date | None = None
    settled: Fens = {}
    value_date: date | None = None
    """The bank's day of the last part that was paid."""
    confirmed_on: date | None = None
    """The day on which the payee says that it has come."""
    returned: Fens = {}
    txns: list[str] = []
    """The bank's own references of what it paid and gave back."""
    code: str | None = None
    """Why the bank did not pay, or gave back."""
    to_retry: Fens = {}
    """What failed or came back, and nobody has asked for again."""
    with_approved: bool | UnsetType = UNSET
    """Of a P1 that failed or came back: it is paid with what was approved of its claim."""
    withheld: list[Withheld] = []
    doubt: str | UnsetType = UNSET
    """Why the bank may pay it all the same: it says that it has it already, or it has said something else before."""

    @property
    def unsent(self) -> bool:
        """Whether it waits to be approved or sent."""
        return self.status in ("ORDERED", "APPROVED")

    @property
    def may_still_be_paid(self) -> bool:
        return bool(self.doubt) and self.status in ("SENT", "FAILED") and any(self.left.values())

    @property
    def name(self) -> Name:
        return Name(self.provider, self.payment_ref)

    @property
    def payable(self) -> Name:
        """What it pays."""
        return Name(self.provider, self.payable_ref)

    def approved_on(self, person: str) -> date | None:
        """The day on which somebody approved it last."""
        return (self.said_yes or {}).get(people.one(person))

    @property
    def due_for_certain(self) -> date:
        """It is not late before this one."""
        return self.latest or self.due

    @property
    def fund(self) -> str | None:
        """A payment leaves from one fund's account."""
        return next(iter(self.amounts)) if len(self.amounts) == 1 else None

    @property
    def left(self) -> Fens:
        """What the bank has not paid of it."""
        return added(self.amounts, self.settled, -1)

    @property
    def payable_still(self) -> Fens:
        """What the bank can pay of it: also what it had rejected whole, as long as nobody has asked for it again."""
        if self.status == "CANCELLED" or (self.status == "FAILED" and self.to_retry != self.left):
            return {}
        return self.left

    @property
    def kept(self) -> Fens:
        """What was paid of it and did not come back."""
        return added(self.settled, self.returned, -1)


PAYMENTS: Part[Things[Name, Payment]] = Part("payments", Things)


def unsent_of(draft: Draft, payable: Payable) -> list[Payment]:
    """Its payments that wait to be approved or sent."""
    found = (one for one in draft[PAYMENTS].values() if one.payable == payable.name and one.unsent)
    return sorted(found, key=lambda payment: payment.payment_ref)


def amounts_unsent(draft: Draft, payable: Payable) -> Fens:
    return total(payment.amounts for payment in unsent_of(draft, payable))


def to_retry_of(draft: Draft, payable: Payable) -> list[Payment]:
    """Its payments that failed or came back, and nobody has asked for again."""
    found = (one for one in draft[PAYMENTS].values() if one.payable == payable.name and any(one.to_retry.values()))
    return sorted(found, key=lambda payment: payment.payment_ref)


def end_to_end_id(provider: str, payment_ref: str) -> str:
    """What the bank calls a payment by, at most 35 characters: the same one however often it would be sent.

    Two providers may have chosen the same name for what they are paid for.
    """
    return hashlib.sha256(f"{provider} {payment_ref}".encode()).hexdigest()[:32]


def ordered(event: PaymentOrdered) -> Payment:
    return Payment(
        payment_ref=event.payment_ref,
        payable_ref=event.payable_ref,
        provider=event.provider,
        payee=event.payee or event.provider,
        area=event.area,
        policy_ref=event.policy_ref,
        purpose=event.purpose,
        amounts=fens(event.amounts),
        due=event.due,
        latest=event.latest or msgspec.UNSET,
        requested_by=event.requested_by,
        retry_of=event.retry_of,
    )


def approved(payment: Payment, event: PaymentApproved) -> None:
    payment.approvers, payment.expires_on, payment.account = event.approvers, event.expires_on, event.bank_account_ref
    if event.approved_on is not None:
        payment.said_yes = {**(payment.said_yes or {}), people.one(event.approvers[-1]): event.approved_on}
    if not event.missing:
        payment.status, payment.approved_at = "APPROVED", event.cause.offset
    else:
        payment.status = "ORDERED"


def sent(payment: Payment, event: PaymentSent) -> None:
    payment.status, payment.run_ref, payment.execute_on = "SENT", event.run_ref, event.execute_on
    payment.end_to_end_id = event.end_to_end_id


def withheld(payment: Payment, event: PaymentWithheld) -> None:
    why = Withheld(run_ref=event.run_ref, code=event.code, detail=event.detail)
    payment.withheld = [*payment.withheld, why]
    if event.approval_ends:
        payment.status, payment.approvers, payment.expires_on = "ORDERED", [], None


def settled(payment: Payment, event: PaymentSettled) -> None:
    payment.settled = added(payment.settled, fens(event.amounts))
    payment.status = "SENT" if payment.left else "SETTLED"
    payment.value_date = max(event.value_date, payment.value_date or event.value_date)
    payment.txns = [*payment.txns, _line(event)]


def _line(event: Answered) -> str:
    """As `suspense.line_of` names the fact that it answers."""
    direction = "IN" if isinstance(event, PaymentReturned) else "OUT"
    return event.bank_txn if event.booked_on is None else f"{event.bank_txn} {event.booked_on} {direction}"


def received(payment: Payment, event: PaymentReceiptNoted) -> None:
    payment.confirmed_on = event.received_on


def returned(payment: Payment, event: PaymentReturned) -> None:
    amounts = fens(event.amounts)
    payment.returned = added(payment.returned, amounts)
    payment.to_retry = added(payment.to_retry, amounts)
    payment.txns = [*payment.txns, _line(event)]


def undone(payment: Payment, event: PaymentReturnUndone) -> None:
    amounts = fens(event.amounts)
    payment.returned = added(payment.returned, amounts, -1)
    payment.to_retry = added(payment.to_retry, at_most(amounts, payment.to_retry), -1)
    payment.txns = [*payment.txns, _line(event)]


def doubted(payment: Payment, event: PaymentDoubted) -> None:
    payment.doubt = f"{event.told_on}: {event.code} {event.reason}"


def failed(payment: Payment, event: PaymentFailed) -> None:
    payment.status, payment.code = "FAILED", event.code
    payment.doubt = event.doubt or payment.doubt
    payment.to_retry = added(payment.to_retry, fens(event.amounts))


def retried(payment: Payment, event: PaymentRetried) -> None:
    payment.to_retry = {}
    if event.requested_by is None:
        payment.with_approved = True
