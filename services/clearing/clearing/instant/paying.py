"""The part of a claim that is paid at once: P1, what it makes good, its offsets, its order (R1.5, R1.6). Pure."""

from collections.abc import Iterator

from clearing import names
from clearing.claims import claim as claims
from clearing.claims.claim import CLAIMS, Claim, claims_of
from clearing.funds import Fens, added, at_most, fens, positive, total, yuans
from clearing.instant import amounts
from clearing.names import Name
from clearing.offsets.taking import offset_at_instant
from clearing.payments.orders import order
from clearing.policy import policy_of
from medfund.events.instant import InstantPaymentApproved, MadeGood
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.lanes.draft import Draft


def pay_at_once(draft: Draft, claim: Claim, cause: Place) -> Iterator[Event]:
    policy = policy_of(draft, claim)
    p1 = amounts.p1(claim.claimed, {fund: policy.p1_ratio(fund) for fund in claim.claimed})
    rests = _rests(draft, claim) if policy.instant_lowered_by_rests else {}
    p1 = {fund: amount - min(max(0, amount), rests.get(fund, 0)) for fund, amount in p1.items()}
    made_good = list(_made_good(draft, claim, p1))
    yield InstantPaymentApproved(
        **claim.fields(cause, p1),
        payable_ref=claim.ref,
        amounts=yuans(p1),
        ratio={fund: policy.p1_ratio_text(fund) for fund in claim.claimed},
        made_good=made_good or None,
    )
    left = added(positive(p1), total(fens(part.amounts) for part in made_good), -1)
    yield from pay_part(draft, claim, cause, left)


def pay_part(
    draft: Draft, claim: Claim, cause: Place, amounts: Fens, asked: PaymentRetried | None = None
) -> Iterator[Event]:
    """What is to be paid at once, less what is taken from it (R3.6). `asked`: what somebody wants paid again."""
    before = claim.advance
    yield from offset_at_instant(draft, claim, cause, amounts)
    if left := added(amounts, added(claim.advance, before, -1), -1):
        yield from order(draft, claim, cause, "INSTANT", left, asked)


def _made_good(draft: Draft, claim: Claim, p1: Fens) -> Iterator[MadeGood]:
    """The negative P1 of batches in review that this one makes good, the oldest first (R1.6, R10).

    What is left of one ends when its batch is approved: its reversals are in what is approved then.
    """
    left = positive(p1)
    for other in claims_of(draft, claim.dimensions.provider):
        if other.status != "IN_REVIEW" or other.dimensions.payer != claim.dimensions.payer:
            continue
        if taken := at_most(other.carried, left):
            left = added(left, taken, -1)
            yield MadeGood(batch=other.ref, amounts=yuans(taken))


def _rests(draft: Draft, claim: Claim) -> Fens:
    """What of instant advances on claims already approved is still open, by fund."""
    others = claims_of(draft, claim.dimensions.provider)
    payer = claim.dimensions.payer
    return total(one.advance for one in others if one.status == "APPROVED" and one.dimensions.payer == payer)


def evolve(draft: Draft, event: InstantPaymentApproved) -> None:
    claims.paid_at_once(draft[CLAIMS].change(names.payable(event)), event)
    for part in event.made_good or ():
        other = draft[CLAIMS].change(Name(event.provider, part.batch))
        other.carried = added(other.carried, fens(part.amounts), -1)
