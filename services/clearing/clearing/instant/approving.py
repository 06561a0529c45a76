"""What is approved of claims after audit: bond, net, holds, offsets, and the order for the rest (R1.5, R1.6). Pure."""

from collections.abc import Iterator

from clearing.claims import claim as claims
from clearing.claims.claim import CLAIMS, Claim, in_review
from clearing.funds import Fens, added, positive, total, yuans
from clearing.instant.amounts import bond_on
from clearing.names import Name
from clearing.payments.making_way import fallen_due
from clearing.payments.orders import pay_out
from clearing.payments.payment import to_retry_of
from clearing.policy import policy_of
from clearing.supervision.holds import hold_approved
from medfund.events.instant import ClaimBatchApproved
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.lanes.draft import Draft


def approve(draft: Draft, claims: list[Claim], cause: Place, stays: Fens | None = None) -> Iterator[Event]:
    """All that is in review of claims of one month, except what `stays`; the first claim carries what is owed.

    The bond is that of all that was ever approved of them, less what was kept before.
    """
    lead = claims[0]
    policy = policy_of(draft, lead)
    left = added(in_review(claims), stays or {}, -1)
    funds = sorted({*left, *(fund for claim in claims for fund in claim.claimed)})
    yield from _no_more_by_itself(draft, claims, cause)
    before, kept = total(claim.approved for claim in claims), total(claim.bond for claim in claims)
    approved = {fund: left.get(fund, 0) for fund in funds}
    bond = {
        fund: bond_on(before.get(fund, 0) + amount, policy.bond(fund)) - kept.get(fund, 0)
        for fund, amount in approved.items()
    }
    yield ClaimBatchApproved(
        **lead.fields(cause, funds),
        payable_ref=lead.ref,
        batches=[claim.ref for claim in claims],
        approved=yuans(approved),
        bond=yuans(bond),
        net=yuans({fund: approved[fund] - bond[fund] for fund in funds}),
        in_review=yuans(stays) if stays else None,
    )
    yield from hold_approved(draft, lead, cause)
    yield from pay_out(draft, lead, cause)
    yield from _made_good(draft, lead, claims, cause)


def _made_good(draft: Draft, lead: Claim, claims: list[Claim], cause: Place) -> Iterator[Event]:
    """What was advanced beyond what is approved, and what reversals took beyond it, of what else is not sent yet."""
    advance, below = total(claim.advance for claim in claims), {fund: -fen for fund, fen in lead.payable.items()}
    if short := {*positive(advance), *positive(below)}:
        purse, reason = lead.dimensions.purse, f"{lead.ref} was approved for less than it had"
        yield from fallen_due(draft, purse, sorted(short), cause, reason)


def _no_more_by_itself(draft: Draft, claims: list[Claim], cause: Place) -> Iterator[PaymentRetried]:
    """A P1 that failed or came back is paid with what is approved. What came back after a part was approved is owed
    already, and waits with it."""
    waiting = [claim for claim in claims if claim.status == "IN_REVIEW"]
    for claim in waiting:
        for payment in to_retry_of(draft, claim):
            if payment.purpose == "INSTANT" and (payment.status == "FAILED" or not claim.lead):
                yield PaymentRetried(
                    **claim.fields(cause, payment.to_retry),
                    payment_ref=payment.payment_ref,
                    payable_ref=claim.ref,
                    amounts=yuans(payment.to_retry),
                )


def evolve(draft: Draft, event: ClaimBatchApproved) -> None:
    claims.approved([draft[CLAIMS].change(Name(event.provider, batch)) for batch in event.batches], event)
