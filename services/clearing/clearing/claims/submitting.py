"""A batch is submitted, or taken back: accepted, rejected with everything that is wrong, or withdrawn. Pure.

Source: domain.md R1.2, R1.3 step 1, R3.6, c.2 (10-12).
"""

from collections.abc import Iterator
from datetime import date

from clearing import clock, dimensions, names
from clearing import payable as payables
from clearing.agreements import AGREEMENTS, Standing
from clearing.claims import checks, deadlines
from clearing.claims import claim as claims
from clearing.claims.checks import REVERSALS, STRETCHES
from clearing.claims.claim import CLAIMS, Claim, claims_of
from clearing.dimensions import disputed, fields
from clearing.funds import yuans
from clearing.names import Name
from clearing.policy import POLICIES, NoPolicy, Policy
from medfund import codes
from medfund.events.claims import (
    Besides,
    ClaimBatchAccepted,
    ClaimBatchRejected,
    ClaimBatchSubmitted,
    ClaimBatchWithdrawalRequested,
    ClaimBatchWithdrawn,
    ClaimError,
    Submission,
)
from medfund.events.kinds import Event, Place
from medfund.lanes.days import CALENDAR
from medfund.lanes.draft import Draft, Part
from medfund.lanes.providers import since_of

NO_POLICY = "0" * 64
REJECTED: Part[dict[Name, ClaimBatchRejected | None]] = Part("rejected", dict)
"""What was submitted last under a name, where this batch rejected it; None where it was accepted."""


def submitted(draft: Draft, event: ClaimBatchSubmitted, cause: Place) -> Iterator[Event]:
    errors, policy = [], None
    try:
        policy = draft.known[POLICIES].on(event.area, event.submitted_on)
    except NoPolicy as error:
        errors.append(ClaimError(code="NO_POLICY", detail=str(error)))
    known = payables.find(draft, names.claim(event))
    if isinstance(known, Claim) and known.live:
        errors.append(ClaimError(code="BATCH_KNOWN", detail=f"a batch {event.batch} is {known.status} already"))
    elif known is not None and not isinstance(known, Claim):
        detail = f"{event.batch} is the name of something else: a batch needs one of its own"
        errors.append(ClaimError(code="BATCH_KNOWN", detail=detail))
    elif known is None and codes.is_uscc(event.batch.partition("/")[0]):
        detail = f"{event.batch} begins with a supplier's code, as the names of what is paid to it do"
        errors.append(ClaimError(code="BATCH_KNOWN", detail=detail))
    if event.submitted_on <= event.period_to:
        detail = f"submitted on {event.submitted_on}, and the period ends on {event.period_to}"
        errors.append(ClaimError(code="PERIOD", detail=detail))
    rivals = [claim for claim in claims_of(draft, event.provider) if claim.live and alike(claim, event)]
    if not errors and policy is not None:
        errors = _errors(draft, event, cause, rivals, policy)
    if errors or policy is None:
        yield ClaimBatchRejected(
            **fields(dimensions.of(event), event.amounts),
            cause=cause,
            policy_ref=policy.hash if policy else NO_POLICY,
            batch=event.batch,
            errors=errors,
            submission=_submission(event),
        )
        return
    yield _accepted(draft, event, cause, rivals, policy)


def _submission(event: ClaimBatchSubmitted) -> Submission:
    return Submission(**{name: getattr(event, name) for name in Submission.__struct_fields__})


def _errors(
    draft: Draft, event: ClaimBatchSubmitted, cause: Place, rivals: list[Claim], policy: Policy
) -> list[ClaimError]:
    found = checks.recorded(draft[STRETCHES].get(cause.offset, ()), rivals)
    return (
        checks.differences(event, found)
        or checks.repeated(found)
        or checks.too_much(event, rivals)
        or checks.not_active(
            found,
            lambda day: _standing(draft, event.provider, day),
            emergencies_paid=policy.emergencies_paid,
        )
    )


def _standing(draft: Draft, provider: str, day: date) -> Standing:
    """Before a provider is one of the area's there is no agreement, whatever is said of it."""
    since = since_of(draft, provider)
    if since is not None and day < since.first:
        return "NONE"
    return draft.known[AGREEMENTS].standing(provider, day)


def _accepted(
    draft: Draft, event: ClaimBatchSubmitted, cause: Place, rivals: list[Claim], policy: Policy
) -> ClaimBatchAccepted:
    calendar = draft.known[CALENDAR]
    started = deadlines.clock_of(event.period_to, event.submitted_on, policy, calendar)
    due_15, due_20 = (clock.deadline_after(calendar, days, started) for days in (15, 20))
    besides = [
        Besides(batch=claim.ref, period_from=claim.period_from, period_to=claim.period_to, before=claim.opened)
        for claim in rivals
        if claim.period_from <= event.period_to and event.period_from <= claim.period_to
    ]
    return ClaimBatchAccepted(
        **fields(dimensions.of(event), event.amounts),
        cause=cause,
        policy_ref=policy.hash,
        batch=event.batch,
        clr_way=event.clr_way,
        mode=event.mode,
        period_from=event.period_from,
        period_to=event.period_to,
        besides=besides or None,
        settlements=event.settlements,
        settlement_root=event.settlement_root,
        amounts=event.amounts,
        submitted_on=event.submitted_on,
        cut_off=started.day,
        clock_start=clock.next_day(started.day),
        due_15=due_15.earliest,
        due_20=due_20.earliest,
        latest_15=due_15.latest if due_15.provisional else None,
        latest_20=due_20.latest if due_20.provisional else None,
        calendar_version=calendar.version,
    )


def reversals(draft: Draft, event: ClaimBatchSubmitted, cause: Place) -> Iterator[tuple[Claim, Name]]:
    """Of a batch that was just accepted: the settlements it reverses that something was deducted for, or recovered."""
    claim = draft[CLAIMS].get(names.claim(event))
    if claim is None or claim.opened != cause.offset:
        return
    for reversal in draft[REVERSALS].get(cause.offset, ()):
        if claim.covers(reversal.day, reversal.offset):
            yield claim, Name(event.provider, reversal.settlement_ref)


def alike(claim: Claim, event: ClaimBatchSubmitted) -> bool:
    """Whether both claim from the same settlements."""
    mine = claim.dimensions
    return (*mine.payer, mine.insutype, mine.clr_type, claim.clr_way) == (
        event.provider,
        event.area,
        event.insured_area,
        event.insutype,
        event.clr_type,
        event.clr_way,
    )


def withdrawal(draft: Draft, event: ClaimBatchWithdrawalRequested, cause: Place) -> Iterator[Event]:
    """Possible until money was ordered, a deduction is final, or one was undone in it (R3.6)."""
    claim = draft[CLAIMS].get(names.claim(event))
    if claim is None or not claim.live:
        yield disputed(event, cause, f"there is no live batch {event.batch}")
    elif claim.status != "IN_REVIEW" or claim.lead or any((claim.p1 or {}).values()):
        yield disputed(event, cause, f"batch {event.batch} is being paid: it cannot be withdrawn any more")
    elif claim.undone:
        yield disputed(event, cause, f"a deduction was undone in batch {event.batch}: it cannot be withdrawn any more")
    else:
        yield ClaimBatchWithdrawn(
            **claim.fields(cause, claim.claimed),
            batch=claim.ref,
            clr_way=claim.clr_way,
            period_from=claim.period_from,
            period_to=claim.period_to,
            settlements=claim.settlements,
            settlement_root=claim.settlement_root,
            amounts=yuans(claim.claimed),
            reason=event.reason,
        )


# -- what the decisions change


def evolve_accepted(draft: Draft, event: ClaimBatchAccepted) -> None:
    name = names.claim(event)
    draft[CLAIMS].put(name, claims.accepted(event))
    draft[REJECTED][name] = None


def evolve_rejected(draft: Draft, event: ClaimBatchRejected) -> None:
    """Of before it was told what was submitted, nothing is kept."""
    if event.submission is not None:
        draft[REJECTED][names.claim(event)] = event
