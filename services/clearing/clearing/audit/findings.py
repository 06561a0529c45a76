"""What follows from findings and appeals: each is noted as it stands, or disputed with what is wrong with it. Pure.

No money moves before `audit.deduction.finalised`; what an appeal gives back after that is undone and paid. Source:
domain.md R1.3, R6.5, R6.6, c.2 (15, 16), edge cases 17-19, 24-28.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

from msgspec import structs

from clearing import names
from clearing.agreements import QUALIFICATIONS
from clearing.audit.finding import FINDINGS, FOUND, REVERSED, Finding, Found, changed, determine, forget, noted
from clearing.claims import claim as claims
from clearing.claims.claim import CLAIMS, Claim
from clearing.claims.submitting import reversals
from clearing.dimensions import disputed
from clearing.funds import Fens, added, at_most, fens, first_above, positive, total, yuans
from clearing.instant.approving import approve
from clearing.names import InBatch, Name
from medfund import money
from medfund.events.audit import (
    Appeal,
    AuditAppealDecided,
    AuditAppealFiled,
    AuditDeductionUndone,
    AuditFindingRaised,
    AuditFindingReviewed,
    ClaimFindingNoted,
    Stage,
)
from medfund.events.claims import ClaimBatchSubmitted, ClaimBatchWithdrawn
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft

STAGES: tuple[Stage, ...] = ("RULES", "FIRST", "SECOND", "FINAL")


def raised(draft: Draft, event: AuditFindingRaised, cause: Place) -> Iterator[Event]:
    claim = draft[CLAIMS].get(names.claim(event))
    if claim is None or not claim.live:
        yield disputed(event, cause, f"there is no live batch {event.batch}")
    elif claim.status != "IN_REVIEW":
        yield disputed(event, cause, f"batch {event.batch} is approved: what was paid wrongly is a recovery")
    elif names.finding(event) in draft[FINDINGS]:
        yield disputed(event, cause, f"finding {event.finding_ref} was raised already")
    elif event.settlement_ref is None:
        yield _noted(claim, cause, event, amounts=_extrapolated(claim, event), settlement_amounts={})
    else:
        found = draft[FOUND].get(InBatch(event.provider, event.batch, event.settlement_ref))
        if found is None or not claim.covers(found.day, found.offset):
            yield disputed(event, cause, f"settlement {event.settlement_ref} is not in batch {event.batch}")
        elif wrong := _wrong(draft, event, found):
            yield disputed(event, cause, wrong)
        else:
            yield _noted(claim, cause, event, amounts=fens(event.amounts), settlement_amounts=found.amounts)


def _wrong(draft: Draft, event: AuditFindingRaised, found: Found) -> str | None:
    if Name(event.provider, event.settlement_ref or "") in draft[REVERSED]:
        return f"settlement {event.settlement_ref} was reversed: nothing of it is paid"
    if (fund := first_above(fens(event.amounts), found.amounts)) is not None:
        borne = yuans({fund: found.amounts.get(fund, 0)})[fund]
        return f"fund {fund}: {event.amounts[fund]} is doubted of a settlement of which it bears {borne}"
    if event.staff_ref is not None:
        if not draft.known[QUALIFICATIONS].suspended(event.provider, event.staff_ref, found.day):
            return f"the person was not suspended on {found.day}"
        if found.emergency:
            return "emergency care is paid whoever gave it"
    if event.trace is not None:
        if event.trace.split_pack:
            return "a split pack repeats its trace code rightly"
        if event.trace.no_code_list:
            return "goods of the no-code list have no trace code"
        if Name(event.provider, event.trace.sold_first) in draft[REVERSED]:
            return f"the sale {event.trace.sold_first} was reversed, and freed its trace code"
    return None


def _extrapolated(claim: Claim, event: AuditFindingRaised) -> Fens:
    """`round2(claimed x wrong / looked at)`: the rest of the claim is taken to be as the sample was (S0)."""
    if event.sample is None:
        return {}
    looked_at, found = fens(event.sample.looked_at), {}
    for fund, wrong in fens(event.sample.wrong).items():
        if wrong:
            found[fund] = money.round2(max(0, claim.claimed.get(fund, 0)) * Fraction(wrong, looked_at[fund]))
    return found


def reviewed(draft: Draft, event: AuditFindingReviewed, cause: Place) -> Iterator[Event]:
    """A later stage confirms, changes or drops a finding."""
    finding = draft[FINDINGS].get(names.finding(event))
    amounts = fens(event.amounts)
    if finding is None:
        yield disputed(event, cause, f"batch {event.batch} has no finding {event.finding_ref}")
    elif not finding.late and (any(finding.deducted.values()) or draft[CLAIMS][finding.claim].status != "IN_REVIEW"):
        yield disputed(event, cause, f"the audit of batch {event.batch} is over")
    elif STAGES.index(event.stage) < STAGES.index(finding.stage):
        yield disputed(event, cause, f"finding {finding.finding_ref} is at stage {finding.stage} already")
    elif finding.settlement_ref and (fund := first_above(amounts, finding.settlement_amounts)) is not None:
        yield disputed(event, cause, f"fund {fund}: {event.amounts[fund]} is more than the settlement's")
    else:
        yield changed(draft, finding, cause, stage=event.stage, amounts=yuans(amounts))


def appealed(draft: Draft, event: AuditAppealFiled, cause: Place) -> Iterator[Event]:
    finding = draft[FINDINGS].get(names.finding(event))
    if finding is None:
        yield disputed(event, cause, f"batch {event.batch} has no finding {event.finding_ref}")
    elif finding.status == "APPEALED":
        yield disputed(event, cause, f"finding {event.finding_ref} is under appeal already")
    else:
        appeal = Appeal(contested=yuans(finding.amounts), appeal_ref=event.appeal_ref, reason=event.reason)
        yield changed(draft, finding, cause, status="APPEALED", appeal=appeal)


def answered(draft: Draft, event: AuditAppealDecided, cause: Place) -> Iterator[Event]:
    """What is upheld is not deducted, or, where it has been, owed again and paid (edge case 18). What stands of a late
    one is a recovery, which is a case of its own."""
    finding = draft[FINDINGS].get(names.finding(event))
    if finding is None:
        yield disputed(event, cause, f"batch {event.batch} has no finding {event.finding_ref}")
        return
    if finding.status != "APPEALED":
        yield disputed(event, cause, f"finding {event.finding_ref} is not under appeal")
        return
    upheld = fens(event.upheld)
    if (fund := first_above(upheld, finding.amounts)) is not None:
        stands = yuans(finding.amounts).get(fund, "0.00")
        yield disputed(event, cause, f"fund {fund}: {event.upheld[fund]} is upheld of {stands}")
        return
    left = {fund: amount - upheld.get(fund, 0) for fund, amount in finding.amounts.items()}
    appeal = structs.replace(finding.contested, upheld=event.upheld, answer=event.reason)
    yield changed(draft, finding, cause, status="ANSWERED", amounts=yuans(left), appeal=appeal)
    if not finding.late:
        yield from _given_back(draft, draft[FINDINGS][finding.place], cause, appeal.appeal_ref)


def _given_back(draft: Draft, finding: Finding, cause: Place, appeal_ref: str | None) -> Iterator[Event]:
    """What the findings on a settlement have taken off, and would not any more: another one on the line may stand."""
    mine = [finding]
    if finding.settlement_ref is not None:
        place = finding.batch, finding.settlement
        every = draft[FINDINGS].values()
        mine = [one for one in every if (one.batch, one.settlement) == place and not one.late]
    stands = total(amounts for _, amounts in determine(mine, finding.deducted, reversed=()))
    back = positive(added(total(one.taken for one in mine), stands, -1))
    lead = draft[CLAIMS][draft[CLAIMS][finding.claim].carried_by]
    for one in mine:
        if amounts := at_most(back, one.taken):
            back = added(back, amounts, -1)
            yield undone(lead, one, amounts, cause, after="APPEAL", appeal_ref=appeal_ref)
    if lead.status == "APPROVED" and any(lead.in_review.values()):
        yield from approve(draft, [lead], cause)


def undone(
    claim: Claim, finding: Finding, amounts: Fens, cause: Place, *, after: Literal["APPEAL", "REVERSAL"],
    appeal_ref: str | None = None,
) -> AuditDeductionUndone:  # fmt: skip
    return AuditDeductionUndone(
        **claim.fields(cause, amounts),
        batch=claim.ref,
        of_batch=finding.batch,
        finding_ref=finding.finding_ref,
        amounts=yuans(amounts),
        after=after,
        appeal_ref=appeal_ref,
    )


def submitted(draft: Draft, event: ClaimBatchSubmitted, cause: Place) -> Iterator[Event]:
    """What was deducted for a settlement is not taken again by its reversal, which is in this claim (c.2 66)."""
    for claim, settlement in reversals(draft, event, cause):
        for finding in list(draft[FINDINGS].values()):
            if finding.settlement == settlement and (amounts := finding.taken):
                yield undone(claim, finding, amounts, cause, after="REVERSAL")


def _noted(
    claim: Claim, cause: Place, event: AuditFindingRaised, *, amounts: Fens, settlement_amounts: Fens
) -> ClaimFindingNoted:
    return ClaimFindingNoted(
        **claim.fields(cause, {**amounts, **settlement_amounts}),
        batch=event.batch,
        finding_ref=event.finding_ref,
        rule_code=event.rule_code,
        ground=event.ground,
        stage=event.stage,
        status="OPEN",
        amounts=yuans(amounts),
        settlement_amounts=yuans(positive(settlement_amounts)),
        settlement_ref=event.settlement_ref,
        line_ref=event.line_ref,
    )


# -- what the decisions change


def evolve_noted(draft: Draft, event: ClaimFindingNoted) -> None:
    place = names.finding(event)
    draft[FINDINGS].put(place, noted(draft[FINDINGS].get(place), event))


def evolve_undone(draft: Draft, event: AuditDeductionUndone) -> None:
    claims.undone(draft[CLAIMS].change(names.claim(event)), event)
    back = draft[FINDINGS].change(InBatch(event.provider, event.of_batch, event.finding_ref))
    back.undone = added(back.undone, fens(event.amounts))


def evolve_withdrawn(draft: Draft, event: ClaimBatchWithdrawn) -> None:
    """What was found in a batch says nothing about the next one of its name."""
    forget(draft, names.claim(event))
