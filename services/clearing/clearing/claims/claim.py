"""A claim batch and its payments, in the state that decisions have brought them to. Pure.

What stays true: every change is a decision that is on the log; amounts are fen by fund; of an approved claim, in each
fund, what is open of its payable (2102) and of its advance (1104) are never negative unless the fund itself is.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from medfund import money
from medfund.events.clearing import (
    ClaimBatchAccepted,
    ClaimBatchApproved,
    ClaimDeadlineRecalculated,
    InstantPaymentApproved,
    OffsetApplied,
    PaymentOrdered,
    PaymentReturned,
    PaymentSettled,
    Target,
)
from medfund.events.dimensions import OfProvider

Fens = dict[str, int]


class Dimensions(msgspec.Struct, frozen=True, kw_only=True):
    """Whose claim it is; goes onto every decision about it."""

    provider: str
    area: str
    insured_area: str
    insutype: str
    clr_type: str
    benefit_year: int
    advanced: list[str]


class Claim(msgspec.Struct, kw_only=True):
    batch: str
    dimensions: Dimensions
    clr_way: str
    period_from: date
    period_to: date
    cut: int
    """Its settlements stand before this offset of the lane's claims."""
    settlements: int
    settlement_root: str
    policy_ref: str
    submitted_on: date
    cut_off: date
    """The clock runs from the day after."""
    due: date
    """15 working days, R1.4; the first day that it can be where no calendar covers the span."""
    latest: date | None = None
    due_limit: date
    """20 working days: the national limit; as above."""
    latest_limit: date | None = None
    warned: list[Target] = []
    breached: list[Target] = []
    status: Literal["IN_REVIEW", "APPROVED", "WITHDRAWN"] = "IN_REVIEW"
    claimed: Fens
    p1: Fens | None = None
    """What was approved to be paid at once; None while nothing is."""
    carried: Fens = {}
    """Of a negative P1: what no later one has made good yet, as an amount above zero."""
    pending: Fens = {}
    """Of P1: ordered, and not yet confirmed by the bank."""
    advance: Fens = {}
    """Open instant advance, 1104."""
    payable: Fens = {}
    """Open approved payable, 2102."""
    ordered: Fens = {}
    """Of the payable: ordered, and not yet confirmed by the bank."""
    approved: Fens = {}
    bond: Fens = {}

    @property
    def live(self) -> bool:
        return self.status != "WITHDRAWN"

    @property
    def unpaid(self) -> bool:
        """Whether its clock runs: it is not approved, or something of it is left to be paid."""
        left = any(self.pending.values()) or any(amount > 0 for amount in self.payable.values())
        return self.status == "IN_REVIEW" or (self.status == "APPROVED" and left)

    @property
    def open(self) -> bool:
        """Whether anything can still happen to it by itself."""
        return self.status == "IN_REVIEW" or any(
            amount for amounts in (self.pending, self.advance, self.payable) for amount in amounts.values()
        )

    def covers(self, day: date, offset: int) -> bool:
        """Whether a settlement of its dimensions with this date and place is in it."""
        return self.live and self.period_from <= day <= self.period_to and offset < self.cut


class Payment(msgspec.Struct, kw_only=True):
    payment_ref: str
    payable_ref: str
    provider: str
    purpose: Literal["INSTANT", "PAYABLE"]
    amounts: Fens
    status: Literal["ORDERED", "SETTLED"] = "ORDERED"
    returned: Fens = {}


def dimensions_of(event: OfProvider) -> Dimensions:
    return Dimensions(**{name: getattr(event, name) for name in Dimensions.__struct_fields__})


def fens(amounts: Mapping[str, str]) -> Fens:
    return {fund: money.fen(amount) for fund, amount in amounts.items()}


def yuans(amounts: Mapping[str, int]) -> dict[str, str]:
    return {fund: money.yuan(amount) for fund, amount in amounts.items()}


def added(amounts: Mapping[str, int], more: Mapping[str, int], sign: int = 1) -> Fens:
    """The sum by fund; a fund whose sum is nothing is left out."""
    sums = {fund: amounts.get(fund, 0) + sign * more.get(fund, 0) for fund in sorted({*amounts, *more})}
    return {fund: amount for fund, amount in sums.items() if amount}


def accepted(event: ClaimBatchAccepted) -> Claim:
    return Claim(
        batch=event.batch,
        dimensions=dimensions_of(event),
        clr_way=event.clr_way,
        period_from=event.period_from,
        period_to=event.period_to,
        cut=event.cause.offset,
        settlements=event.settlements,
        settlement_root=event.settlement_root,
        policy_ref=event.policy_ref,
        submitted_on=event.submitted_on or event.cut_off,
        cut_off=event.cut_off,
        due=event.due_15,
        latest=event.latest_15,
        due_limit=event.due_20,
        latest_limit=event.latest_20,
        claimed=fens(event.amounts),
    )


def paid_at_once(claim: Claim, event: InstantPaymentApproved) -> None:
    claim.p1 = fens(event.amounts)
    claim.carried = {fund: -amount for fund, amount in claim.p1.items() if amount < 0}


def made_good(claim: Claim, amounts: Mapping[str, str]) -> None:
    claim.carried = added(claim.carried, fens(amounts), -1)


def approved(claims: list[Claim], event: ClaimBatchApproved) -> None:
    """The claims of a month are approved together; the first carries their payable."""
    for claim in claims:
        claim.status = "APPROVED"
    first = claims[0]
    first.approved, first.bond = fens(event.approved), fens(event.bond)
    first.payable = added(first.payable, fens(event.net))


def ordered(claim: Claim, event: PaymentOrdered) -> Payment:
    amounts = fens(event.amounts)
    if event.purpose == "INSTANT":
        claim.pending = added(claim.pending, amounts)
    else:
        claim.ordered = added(claim.ordered, amounts)
    purpose: Literal["INSTANT", "PAYABLE"] = "INSTANT" if event.purpose == "INSTANT" else "PAYABLE"
    return Payment(
        payment_ref=event.payment_ref,
        payable_ref=event.payable_ref,
        provider=event.provider,
        purpose=purpose,
        amounts=amounts,
    )


def settled(claim: Claim, payment: Payment, event: PaymentSettled) -> None:
    amounts = fens(event.amounts)
    payment.status = "SETTLED"
    if event.purpose == "INSTANT":
        claim.pending = added(claim.pending, amounts, -1)
        claim.advance = added(claim.advance, amounts)
    else:
        claim.ordered = added(claim.ordered, amounts, -1)
        claim.payable = added(claim.payable, amounts, -1)


def returned(claim: Claim, payment: Payment, event: PaymentReturned) -> None:
    payment.returned = added(payment.returned, fens(event.amounts))
    if event.purpose == "INSTANT":
        claim.advance = added(claim.advance, fens(event.to_advance), -1)
        claim.payable = added(claim.payable, fens(event.to_payable))
    else:
        claim.payable = added(claim.payable, fens(event.amounts))


def offset(claim: Claim, event: OffsetApplied) -> None:
    """What was taken from a claim's payable."""
    claim.payable = added(claim.payable, fens(event.amounts), -1)


def deadline_moved(claim: Claim, event: ClaimDeadlineRecalculated) -> None:
    if event.target == "WD_15":
        claim.due, claim.latest = event.due, event.latest
    else:
        claim.due_limit, claim.latest_limit = event.due, event.latest


def advance_taken(claim: Claim, event: OffsetApplied) -> None:
    """What was taken to pay off a claim's advance."""
    claim.advance = added(claim.advance, fens(event.amounts), -1)
