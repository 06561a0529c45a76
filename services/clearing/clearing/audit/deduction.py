"""The end of an audit: what is deducted from the claims that were reviewed together, and what is approved. Pure.

What stays true: the sums that audit tells are what its findings come to, or nothing follows; what nobody decided takes
nothing off; an audit that is not finished in time holds up, by the area's choice, everything or only what is doubted.
Source: domain.md R1.3, R1.6, R10, c.4.
"""

from collections.abc import Iterator
from datetime import date

from clearing import clock, names
from clearing.audit.finding import FINDINGS, REVERSED, Finding, changed, determine, doubtful
from clearing.claims.claim import CLAIMS, Claim, claims_of, closed_together, deducted, in_review, of_one_month
from clearing.dimensions import disputed
from clearing.funds import Fens, added, at_most, fens, first_above, total, yuans
from clearing.instant.approving import approve
from clearing.names import InBatch, Name
from clearing.policy import policy_of
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.events.audit import AuditDeductionFinalised, ClaimDeducted, Deduction
from medfund.events.kinds import Event, Place
from medfund.lanes.days import CALENDAR
from medfund.lanes.draft import Draft

DEDUCTIONS_MAX = 500
"""In one event; a longer list is several."""


def finalised(draft: Draft, event: AuditDeductionFinalised, cause: Place) -> Iterator[Event]:
    """The claims are deducted from, approved and offset, and the rest is ordered (R1.5, R3.6)."""
    named = [Name(event.provider, batch) for batch in event.batches]
    claims = [claim for name in named if (claim := draft[CLAIMS].get(name)) is not None]
    findings = [one for one in draft[FINDINGS].values() if one.claim in named and not one.late]
    amounts = fens(event.amounts)
    parts = _listed(draft, findings, total(claim.claimed for claim in claims), amounts)
    if wrong := _wrong(draft, event, claims, findings, parts):
        yield disputed(event, cause, wrong)
        return
    if all(claim.status == "APPROVED" for claim in claims):
        return
    for at in range(0, len(parts), DEDUCTIONS_MAX):
        part = parts[at : at + DEDUCTIONS_MAX]
        yield _deducted(claims, event, cause, _sum(part), part)
    if not parts and any(amounts.values()):
        yield _deducted(claims, event, cause, amounts, [])
    listed = [finding for finding, _ in parts]
    for finding in findings:
        if finding not in listed:
            yield changed(draft, finding, cause, late=True)
    yield from approve(draft, claims, cause)


def _listed(draft: Draft, findings: list[Finding], claimed: Fens, amounts: Fens) -> list[tuple[Finding, Fens]]:
    """What the list of an audit rests on: every finding that is not under appeal, or, where they do not come to its
    sums, those alone that somebody decided (R10)."""
    stand = [finding for finding in findings if finding.status != "APPEALED"]
    every = determine(stand, claimed, draft[REVERSED])
    decided = determine([finding for finding in stand if finding.decided], claimed, draft[REVERSED])
    told = added(amounts, {})
    return decided if _sum(every) != told == _sum(decided) else every


def _sum(parts: list[tuple[Finding, Fens]]) -> Fens:
    return total(taken for _, taken in parts)


def _deducted(
    claims: list[Claim], event: AuditDeductionFinalised, cause: Place, amounts: Fens, part: list[tuple[Finding, Fens]]
) -> ClaimDeducted:
    lead = claims[0]
    return ClaimDeducted(
        **lead.fields(cause, amounts),
        payable_ref=lead.ref,
        batches=list(event.batches),
        amounts=yuans(amounts),
        deductions=[
            Deduction(
                batch=finding.batch,
                finding_ref=finding.finding_ref,
                rule_code=finding.rule_code,
                settlement_ref=finding.settlement_ref,
                amounts=yuans(taken),
            )
            for finding, taken in part
        ],
        list_hash=event.list_hash,
    )


def _wrong(
    draft: Draft,
    event: AuditDeductionFinalised,
    claims: list[Claim],
    findings: list[Finding],
    parts: list[tuple[Finding, Fens]],
) -> str | None:
    if not claims or len(claims) != len(event.batches):
        return f"not every batch of {', '.join(event.batches)} is known"
    over = all(claim.status == "APPROVED" for claim in claims) and not any(fens(event.amounts).values())
    for claim in claims:
        if claim.status != "IN_REVIEW" and not over:
            return f"batch {claim.ref} is {claim.status}, not in review"
        if not of_one_month(claim, claims[0]):
            return f"batch {claim.ref} is not on the payer and of the month of {claims[0].ref}"
    if forgotten := [claim.ref for claim in month_of(draft, claims[0]) if claim.ref not in event.batches]:
        return f"the month is audited once, and batch {forgotten[0]} of it is not among these"
    if findings:
        found, amounts = _sum(parts), fens(event.amounts)
        for fund in sorted({*found, *amounts}):
            if found.get(fund, 0) != amounts.get(fund, 0):
                told_, right = yuans({fund: amounts.get(fund, 0)})[fund], yuans({fund: found.get(fund, 0)})[fund]
                return f"fund {fund}: {told_} is deducted, and the findings come to {right}"
    left = in_review(claims)
    if (fund_above := first_above(fens(event.amounts), left)) is not None:
        rest = yuans({fund_above: left.get(fund_above, 0)})[fund_above]
        return f"fund {fund_above}: {event.amounts[fund_above]} is deducted from a claim of {rest}"
    return None


def month_of(draft: Draft, claim: Claim) -> list[Claim]:
    """The claims in review that a month close approves with this one: its month's other days or weeks (R1.6)."""
    return [
        other
        for other in claims_of(draft, claim.dimensions.provider)
        if other is claim
        or (other.status == "IN_REVIEW" and "MONTH" not in (other.mode, claim.mode) and closed_together(other, claim))
    ]


def unfinished(draft: Draft, day: date, cause: Place) -> Iterator[Event]:
    """Where the area holds only what is doubted, the rest of a claim is approved when its payment comes near.

    (R1.3, option B; with option A the claim waits, and what was paid at once is all.)
    """
    for claim in sorted(draft[CLAIMS].values(), key=lambda claim: (claim.opened, claim.ref)):
        policy = policy_of(draft, claim) if claim.status == "IN_REVIEW" else None
        if policy is None or policy.audit_unfinished != "HOLD_DOUBTFUL" or claim.lead:
            continue
        if not _near(draft.known[CALENDAR], day, claim.due, policy.audit_settle_days):
            continue
        claims = month_of(draft, claim)
        together = {one.name for one in claims}
        doubted = doubtful((one for one in draft[FINDINGS].values() if one.claim in together), draft[REVERSED])
        yield from approve(draft, claims, cause, stays=at_most(doubted, in_review(claims)))


def _near(calendar: Calendar, day: date, due: date, days: int) -> bool:
    """Whether so many working days are left, or fewer, this one not counted."""
    if (due - day).days > 3 * days + 14:
        return False
    try:
        return day >= due or len(clock.evidence(calendar, day, due).counted) <= days
    except CalendarNotLoaded:
        return False


def evolve(draft: Draft, event: ClaimDeducted) -> None:
    deducted(draft[CLAIMS].change(names.payable(event)), event)
    for taken in event.deductions:
        place = InBatch(event.provider, taken.batch, taken.finding_ref)
        draft[FINDINGS].change(place).deducted = added(fens(taken.amounts), {})
