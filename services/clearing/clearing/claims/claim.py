"""A claim batch in the state that decisions have brought it to. Pure.

What stays true: every change is a decision that is on the log; amounts are fen by fund; what is claimed is, in each
fund, what is in review, deducted and approved, less what was undone.
"""

from datetime import date
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from clearing import dimensions
from clearing.funds import Fens, added, fens, total
from clearing.names import Name
from clearing.payable import Payable, held_because
from medfund.events.audit import AuditDeductionUndone, ClaimDeducted
from medfund.events.claims import (
    Besides,
    ClaimBatchAccepted,
    ClaimBatchWithdrawn,
    ClaimBreachWithdrawn,
    ClaimDeadlineApproaching,
    ClaimDeadlineBreached,
    ClaimDeadlineRecalculated,
    Target,
)
from medfund.events.instant import ClaimBatchApproved, InstantPaymentApproved
from medfund.events.payments import Purpose
from medfund.lanes.draft import Draft, Part, Things

UNDOINGS_KEPT = 100


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """What of a finding's deduction is owed again, and what for."""

    finding_ref: str
    of_batch: str
    after: Literal["APPEAL", "REVERSAL"]
    appeal_ref: str | None = None
    amounts: Fens


class Claim(Payable, kw_only=True):
    """`ref` is its batch; `opened` the offset before which its settlements stand."""

    clr_way: str
    mode: Literal["MONTH", "WEEK", "DAY"]
    period_from: date
    period_to: date
    besides: list[Besides] = field(default_factory=list)
    """Batches whose settlements are not in this one."""
    settlements: int
    settlement_root: str
    submitted_on: date
    calendar_version: str
    """Which working days its deadlines rest on."""
    due: date
    """15 working days, R1.4; the first day that it can be where no calendar covers the span."""
    latest: date | None = None
    due_limit: date
    """20 working days: the national limit; as above."""
    latest_limit: date | None = None
    warned: list[Target] = field(default_factory=list)
    breached: list[Target] = field(default_factory=list)
    status: Literal["IN_REVIEW", "APPROVED", "WITHDRAWN"] = "IN_REVIEW"
    lead: str = ""
    """The batch that carries its payable, where it was approved with others."""
    claimed: Fens
    p1: Fens | None = None
    """What was approved to be paid at once; None while nothing is."""
    carried: Fens = field(default_factory=dict)
    """Of a negative P1: what no later one has made good yet, as an amount above zero."""
    in_review: Fens = field(default_factory=dict)
    """Open, 2101."""
    deducted: Fens = field(default_factory=dict)
    undone: Fens = field(default_factory=dict)
    undoings: list[Undoing] | UnsetType = UNSET
    """The last of them; those of before decisions told of it are in the sum alone."""
    approved: Fens = field(default_factory=dict)
    bond: Fens = field(default_factory=dict)

    @property
    def carried_by(self) -> Name:
        return Name(self.dimensions.provider, self.lead or self.ref)

    @property
    def live(self) -> bool:
        return self.status != "WITHDRAWN"

    @property
    def reviewed(self) -> bool:
        return self.status == "IN_REVIEW"

    @property
    def served_to(self) -> date:
        return self.period_to

    def clock(self, purpose: Purpose) -> tuple[int | None, date]:
        """At once is on the first working day after it was submitted (R1.5)."""
        return (1, self.submitted_on) if purpose == "INSTANT" else super().clock(purpose)

    @property
    def unpaid(self) -> bool:
        """Whether its clock runs: it is not approved, or something of it is left to be paid."""
        left = any(self.pending.values()) or any(amount > 0 for amount in self.payable.values())
        return self.status == "IN_REVIEW" or (self.status == "APPROVED" and left)

    @property
    def provisional(self) -> bool:
        """Whether the notice that its deadlines wait for has not come."""
        return self.live and (self.latest is not None or self.latest_limit is not None)

    @property
    def open(self) -> bool:
        return self.status == "IN_REVIEW" or self.owing or self.provisional

    def covers(self, day: date, offset: int) -> bool:
        """Whether a settlement of its dimensions with this date and place is in it."""
        if not (self.live and self.period_from <= day <= self.period_to and offset < self.opened):
            return False
        return not any(other.period_from <= day <= other.period_to and offset < other.before for other in self.besides)


CLAIMS: Part[Things[Name, Claim]] = Part("claims", Things)


def claims_of(draft: Draft, provider: str) -> list[Claim]:
    """The claims of a provider that were read or came into being, the oldest first."""
    found = (claim for claim in draft[CLAIMS].values() if claim.dimensions.provider == provider)
    return sorted(found, key=lambda claim: (claim.opened, claim.ref))


def accepted(event: ClaimBatchAccepted) -> Claim:
    claimed = fens(event.amounts)
    return Claim(
        ref=event.batch,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=event.cause.offset,
        cut_off=event.cut_off,
        clr_way=event.clr_way,
        mode=event.mode,
        period_from=event.period_from,
        period_to=event.period_to,
        besides=event.besides or [],
        settlements=event.settlements,
        settlement_root=event.settlement_root,
        submitted_on=event.submitted_on or event.cut_off,
        calendar_version=event.calendar_version,
        due=event.due_15,
        latest=event.latest_15,
        due_limit=event.due_20,
        latest_limit=event.latest_20,
        claimed=claimed,
        in_review=claimed,
    )


def withdrawn(claim: Claim, event: ClaimBatchWithdrawn) -> None:
    claim.status, claim.in_review = "WITHDRAWN", {}


def warned(claim: Claim, event: ClaimDeadlineApproaching) -> None:
    claim.warned.append(event.target)


def breached(claim: Claim, event: ClaimDeadlineBreached) -> None:
    claim.breached.append(event.target)


def breach_withdrawn(claim: Claim, event: ClaimBreachWithdrawn) -> None:
    claim.breached.remove(event.target)


def paid_at_once(claim: Claim, event: InstantPaymentApproved) -> None:
    claim.p1 = fens(event.amounts)
    claim.carried = {fund: -amount for fund, amount in claim.p1.items() if amount < 0}


def deducted(claim: Claim, event: ClaimDeducted) -> None:
    """The first of the claims that are audited together carries what is taken off all of them."""
    amounts = fens(event.amounts)
    claim.deducted = added(claim.deducted, amounts)
    claim.in_review = added(claim.in_review, amounts, -1)


def undone(claim: Claim, event: AuditDeductionUndone) -> None:
    amounts = fens(event.amounts)
    claim.undone = added(claim.undone, amounts)
    if event.after is not None:
        told = Undoing(
            finding_ref=event.finding_ref,
            of_batch=event.of_batch,
            after=event.after,
            appeal_ref=event.appeal_ref,
            amounts=amounts,
        )
        claim.undoings = [*(claim.undoings or []), told][-UNDOINGS_KEPT:]
    claim.in_review = added(claim.in_review, amounts)


def approved(claims: list[Claim], event: ClaimBatchApproved) -> None:
    """The claims of a month are approved together; the first carries their payable, what of it is to be held, and what
    stays in review."""
    lead, stays = claims[0], fens(event.in_review or {})
    holds = sorted({hold for claim in claims for hold in claim.to_hold})
    to_hold = {hold: total(claim.to_hold.get(hold, {}) for claim in claims) for hold in holds}
    reasons = {hold: why for claim in reversed(claims) for hold, why in (claim.held_because or {}).items()}
    for claim in claims:
        claim.to_hold = {}
        held_because(claim, reasons)
        claim.status = "IN_REVIEW" if any(stays.values()) else "APPROVED"
        claim.lead = lead.ref
        claim.in_review = {}
    lead.to_hold = to_hold
    held_because(lead, reasons)
    lead.in_review = added(stays, {})
    lead.approved = added(lead.approved, fens(event.approved))
    lead.bond = added(lead.bond, fens(event.bond))
    lead.payable = added(lead.payable, fens(event.net))


def deadline_moved(claim: Claim, event: ClaimDeadlineRecalculated) -> None:
    claim.calendar_version, claim.cut_off = event.calendar_version, event.cut_off or claim.cut_off
    if event.target == "WD_15":
        claim.due, claim.latest = event.due, event.latest
    else:
        claim.due_limit, claim.latest_limit = event.due, event.latest


def in_review(claims: list[Claim]) -> Fens:
    """What of some claims is neither deducted nor approved."""
    return total(claim.in_review for claim in claims)


def of_one_month(one: Claim, other: Claim) -> bool:
    """Whether they may be audited together: one payer, one month, one bond for each fund (R1.6)."""
    months = {(claim.period_to.year, claim.period_to.month) for claim in (one, other)}
    return one.dimensions.payer == other.dimensions.payer and len(months) == 1


def closed_together(one: Claim, other: Claim) -> bool:
    """Whether they claim from the same settlements, for the same month."""
    mine, theirs = one.dimensions, other.dimensions
    return of_one_month(one, other) and (mine.insutype, mine.clr_type, one.clr_way) == (
        theirs.insutype,
        theirs.clr_type,
        other.clr_way,
    )
