"""What follows from what providers, auditors, the bank and time say about claims. Pure.

Each function answers one kind of fact with decisions; the draft is evolved by each before the next is made, so a later
one sees what an earlier one did. Source: domain.md R1, R3.6, c.2 (10-24).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from clearing.claims import checks, clock, deadlines
from clearing.claims.claim import Claim, Dimensions, Payment, added, dimensions_of, fens, yuans
from clearing.instant import amounts
from clearing.offsets.waterfall import Due, waterfall
from clearing.policy import NoPolicy, Policy
from clearing.state import Draft
from medfund.events.agency import CalendarPublished
from medfund.events.bank import BankAnswer, BankPaymentReturned, BankPaymentSettled
from medfund.events.claims import ClaimBatchSubmitted, ClaimBatchWithdrawalRequested
from medfund.events.clearing import (
    ClaimBatchAccepted,
    ClaimBatchApproved,
    ClaimBatchRejected,
    ClaimBatchWithdrawn,
    ClaimDeadlineApproaching,
    ClaimDeadlineBreached,
    ClaimDeadlineRecalculated,
    ClaimError,
    FactDisputed,
    InstantPaymentApproved,
    MadeGood,
    OffsetApplied,
    PaymentOrdered,
    PaymentReturned,
    PaymentSettled,
    Target,
)
from medfund.events.kinds import Event, Place
from medfund.events.reviews import AuditDeductionFinalised
from medfund.events.time import DayOpened

Decisions = Iterator[Event]
NO_POLICY = "0" * 64


def submitted(draft: Draft, event: ClaimBatchSubmitted, cause: Place) -> Decisions:
    """Accepted, or rejected with everything that is wrong (R1.2, R1.3 step 1)."""
    errors, policy = [], None
    try:
        policy = draft.known.policies.on(event.area, event.submitted_on)
    except NoPolicy as error:
        errors.append(ClaimError(code="NO_POLICY", detail=str(error)))
    known = draft.claims.get(event.batch)
    if known is not None and known.live:
        errors.append(ClaimError(code="BATCH_KNOWN", detail=f"a batch {event.batch} is {known.status} already"))
    if event.submitted_on <= event.period_to:
        detail = f"submitted on {event.submitted_on}, and the period ends on {event.period_to}"
        errors.append(ClaimError(code="PERIOD", detail=detail))
    if not errors:
        rivals = [claim for claim in draft.of_provider(event.provider) if claim.live and alike(claim, event)]
        found = checks.recorded(draft.stretches.get(cause.offset, ()), rivals)
        errors = checks.differences(event, found)
    if errors or policy is None:
        yield ClaimBatchRejected(
            **_dimensions(dimensions_of(event), event.amounts),
            cause=cause,
            policy_ref=policy.hash if policy else NO_POLICY,
            batch=event.batch,
            errors=errors,
        )
        return
    calendar = draft.known.calendar
    cut_off = clock.cut_off(event.period_to, policy.cut_off_day, policy.cut_off_roll, calendar)
    started = clock.clock_cut_off(cut_off, event.submitted_on)
    due_15, due_20 = clock.deadline(calendar, 15, started), clock.deadline(calendar, 20, started)
    yield ClaimBatchAccepted(
        **_dimensions(dimensions_of(event), event.amounts),
        cause=cause,
        policy_ref=policy.hash,
        batch=event.batch,
        clr_way=event.clr_way,
        period_from=event.period_from,
        period_to=event.period_to,
        settlements=event.settlements,
        settlement_root=event.settlement_root,
        amounts=event.amounts,
        submitted_on=event.submitted_on,
        cut_off=started,
        clock_start=clock.next_day(started),
        due_15=due_15.earliest,
        due_20=due_20.earliest,
        latest_15=due_15.latest if due_15.provisional else None,
        latest_20=due_20.latest if due_20.provisional else None,
        calendar_version=calendar.version,
    )


def alike(claim: Claim, event: ClaimBatchSubmitted) -> bool:
    """Whether both claim from the same settlements."""
    mine = claim.dimensions
    return (mine.provider, mine.area, mine.insured_area, mine.insutype, mine.clr_type, claim.clr_way) == (
        event.provider,
        event.area,
        event.insured_area,
        event.insutype,
        event.clr_type,
        event.clr_way,
    )


def withdrawal(draft: Draft, event: ClaimBatchWithdrawalRequested, cause: Place) -> Decisions:
    """Possible until money was ordered or a deduction is final (R3.6)."""
    claim = draft.claims.get(event.batch)
    if claim is None or not claim.live or claim.dimensions.provider != event.provider:
        yield _disputed(event, cause, f"there is no live batch {event.batch}")
    elif claim.status != "IN_REVIEW" or any((claim.p1 or {}).values()):
        yield _disputed(event, cause, f"batch {event.batch} is being paid: it cannot be withdrawn any more")
    else:
        yield ClaimBatchWithdrawn(
            **_dimensions(claim.dimensions, claim.claimed),
            cause=cause,
            policy_ref=claim.policy_ref,
            batch=claim.batch,
            clr_way=claim.clr_way,
            period_from=claim.period_from,
            period_to=claim.period_to,
            settlements=claim.settlements,
            settlement_root=claim.settlement_root,
            amounts=yuans(claim.claimed),
            reason=event.reason,
        )


def day_opened(draft: Draft, event: DayOpened, cause: Place) -> Decisions:
    """Deadlines come and go; on the first working day after it was submitted, a part of a claim is paid (R1.5)."""
    for claim in _unpaid(draft):
        yield from _breached(claim, event.date, cause)
        if not event.working_day:
            continue
        warn = _policy_of(draft, claim).warn_days
        for target, due, left in deadlines.approaching(claim, event.date, warn, draft.known.calendar):
            yield ClaimDeadlineApproaching(**_deadline(claim, cause, target, due), days_left=left)
        if claim.status == "IN_REVIEW" and claim.p1 is None and claim.submitted_on < event.date:
            yield from pay_at_once(draft, claim, cause)


def calendar_published(draft: Draft, event: CalendarPublished, cause: Place) -> Decisions:
    """Provisional deadlines become final, and what an amended notice moves is told (R1.4)."""
    calendar = draft.known.calendar
    for claim in _unpaid(draft):
        for moved in deadlines.moved(claim, calendar):
            yield ClaimDeadlineRecalculated(
                **_deadline(claim, cause, moved.target, moved.due),
                was=moved.was,
                latest=moved.latest,
                calendar_version=calendar.version,
            )


def _unpaid(draft: Draft) -> list[Claim]:
    return sorted(
        (claim for claim in draft.claims.values() if claim.unpaid), key=lambda claim: (claim.cut, claim.batch)
    )


def _breached(claim: Claim, day: date, cause: Place) -> Decisions:
    for target, due in deadlines.breached(claim, day):
        yield ClaimDeadlineBreached(**_deadline(claim, cause, target, due), seen_on=day)


def _deadline(claim: Claim, cause: Place, target: Target, due: date) -> dict[str, Any]:
    told = _dimensions(claim.dimensions, claim.claimed)
    return {**told, "cause": cause, "policy_ref": claim.policy_ref, "batch": claim.batch, "target": target, "due": due}


def pay_at_once(draft: Draft, claim: Claim, cause: Place) -> Decisions:
    policy = _policy_of(draft, claim)
    ratio = {fund: policy.p1_ratio(fund) for fund in claim.claimed}
    p1 = amounts.p1(claim.claimed, ratio)
    rests = _rests(draft, claim) if policy.instant_lowered_by_rests else {}
    p1 = {fund: amount - min(max(0, amount), rests.get(fund, 0)) for fund, amount in p1.items()}
    made_good = list(_made_good(draft, claim, p1))
    yield InstantPaymentApproved(
        **_dimensions(claim.dimensions, p1),
        cause=cause,
        policy_ref=policy.hash,
        payable_ref=claim.batch,
        amounts=yuans(p1),
        ratio={fund: policy.p1_ratio_text(fund) for fund in claim.claimed},
        made_good=made_good or None,
    )
    left = p1
    for part in made_good:
        left = added(left, fens(part.amounts), -1)
    cash = {fund: amount for fund, amount in sorted(left.items()) if amount > 0}
    if cash:
        yield _order(draft, claim, cause, "INSTANT", cash)


def _made_good(draft: Draft, claim: Claim, p1: dict[str, int]) -> Iterator[MadeGood]:
    """The negative P1 of batches in review that this one makes good, the oldest first (R1.6, R10).

    What is left of one ends when its batch is approved: its reversals are in what is approved then.
    """
    left = {fund: amount for fund, amount in p1.items() if amount > 0}
    for other in draft.of_provider(claim.dimensions.provider):
        if other.status != "IN_REVIEW" or not _one_purse(other, claim):
            continue
        taken = {fund: min(amount, left.get(fund, 0)) for fund, amount in sorted(other.carried.items())}
        if taken := {fund: amount for fund, amount in taken.items() if amount}:
            left = added(left, taken, -1)
            yield MadeGood(batch=other.batch, amounts=yuans(taken))


def _rests(draft: Draft, claim: Claim) -> dict[str, int]:
    """What of instant advances on claims already approved is still open, by fund."""
    found: dict[str, int] = {}
    for other in draft.of_provider(claim.dimensions.provider):
        if other.status == "APPROVED" and _one_purse(other, claim):
            found = added(found, other.advance)
    return found


def deduction(draft: Draft, event: AuditDeductionFinalised, cause: Place) -> Decisions:
    """The audit of some batches is over: they are approved, offset, and the rest is ordered (R1.5, R3.6)."""
    claims = [claim for batch in event.batches if (claim := draft.claims.get(batch)) is not None]
    if wrong := _wrong_deduction(event, claims):
        yield _disputed(event, cause, wrong)
        return
    first = claims[0]
    policy = _policy_of(draft, first)
    claimed: dict[str, int] = {}
    for claim in claims:
        claimed = added(claimed, claim.claimed)
    claimed = {fund: claimed.get(fund, 0) for claim in claims for fund in claim.claimed}
    result = amounts.approve(claimed, fens(event.amounts), {fund: policy.bond(fund) for fund in claimed})
    yield ClaimBatchApproved(
        **_dimensions(first.dimensions, claimed),
        cause=cause,
        policy_ref=policy.hash,
        payable_ref=first.batch,
        batches=list(event.batches),
        approved=yuans(result.approved),
        bond=yuans(result.bond),
        net=yuans(result.net),
    )
    yield from offset(draft, first, cause, own=[claim.batch for claim in claims])
    pending: dict[str, int] = {}
    for claim in claims:
        pending = added(pending, claim.pending)
    cash = {
        fund: left
        for fund, amount in sorted(first.payable.items())
        if (left := amount - pending.get(fund, 0) - first.ordered.get(fund, 0)) > 0
    }
    if cash:
        yield _order(draft, first, cause, "PAYABLE", cash)


def _wrong_deduction(event: AuditDeductionFinalised, claims: list[Claim]) -> str | None:
    if not claims or len(claims) != len(event.batches):
        return f"not every batch of {', '.join(event.batches)} is known"
    for claim in claims:
        if claim.status != "IN_REVIEW":
            return f"batch {claim.batch} is {claim.status}, not in review"
        if claim.dimensions.provider != event.provider or not _one_purse(claim, claims[0]):
            return f"batch {claim.batch} is not of the dimensions of this deduction"
    for fund, amount in fens(event.amounts).items():
        claimed = sum(claim.claimed.get(fund, 0) for claim in claims)
        if amount > max(0, claimed):
            return f"fund {fund}: {event.amounts[fund]} is deducted from a claim of {yuans({fund: claimed})[fund]}"
    return None


def offset(draft: Draft, claim: Claim, cause: Place, own: list[str]) -> Decisions:
    """The waterfall over the open payable of a claim: its own advances first, then the rests of approved ones."""
    policy = _policy_of(draft, claim)
    for fund in sorted(claim.payable):
        free = claim.payable[fund] - claim.ordered.get(fund, 0)
        due = [
            Due("1104", other.batch, amount, -1 if other.batch in own else other.cut)
            for other in draft.of_provider(claim.dimensions.provider)
            if (amount := other.advance.get(fund, 0)) > 0
            and (other.batch in own or (other.status == "APPROVED" and _one_purse(other, claim)))
        ]
        for taken in waterfall(free, due, policy.steps_for(fund, at_instant=False))[0]:
            item = draft.claims[taken.item]
            yield OffsetApplied(
                **_dimensions(claim.dimensions, {fund: taken.amount}),
                cause=cause,
                policy_ref=policy.hash,
                payable_ref=claim.batch,
                taken_from="2102",
                account="1104",
                item_ref=taken.item,
                item_insured_area=item.dimensions.insured_area,
                item_advanced=[name for name in item.dimensions.advanced if name == fund],
                step=taken.step,
                order=taken.order,
                amounts=yuans({fund: taken.amount}),
                instant_stat=policy.instant_stat,
            )


def bank_settled(draft: Draft, event: BankPaymentSettled, cause: Place) -> Decisions:
    """The bank paid what was ordered. An advance that was paid after its claim was approved is taken back at once."""
    payment = draft.payments.get(event.payment_ref)
    if payment is None or payment.provider != event.provider:
        yield _disputed(event, cause, f"no payment {event.payment_ref} was ordered")
        return
    if payment.status != "ORDERED":
        yield _disputed(event, cause, f"payment {event.payment_ref} is settled already")
        return
    if fens(event.amounts) != payment.amounts:
        yield _disputed(event, cause, f"payment {event.payment_ref} was ordered with other amounts")
        return
    claim = draft.claims[payment.payable_ref]
    yield from _breached(claim, event.value_date, cause)
    yield PaymentSettled(**_answered(draft, claim, payment, event, cause))
    if payment.purpose == "INSTANT" and claim.status == "APPROVED":
        yield from offset(draft, claim, cause, own=[claim.batch])


def bank_returned(draft: Draft, event: BankPaymentReturned, cause: Place) -> Decisions:
    """A P1 comes back to its advance as far as that is open, the rest to the payable (c.4)."""
    payment = draft.payments.get(event.payment_ref)
    back = fens(event.amounts)
    if payment is None or payment.status != "SETTLED" or payment.provider != event.provider:
        yield _disputed(event, cause, f"no payment {event.payment_ref} was settled")
        return
    if wrong := [f for f, fen in back.items() if fen > payment.amounts.get(f, 0) - payment.returned.get(f, 0)]:
        yield _disputed(event, cause, f"more of fund {wrong[0]} comes back than payment {event.payment_ref} paid")
        return
    claim = draft.claims[payment.payable_ref]
    instant = payment.purpose == "INSTANT"
    to_advance = {fund: min(fen, claim.advance.get(fund, 0)) for fund, fen in back.items()} if instant else {}
    yield PaymentReturned(
        **_answered(draft, claim, payment, event, cause),
        to_advance=yuans(to_advance),
        to_payable=yuans({fund: fen - to_advance[fund] for fund, fen in back.items()} if instant else {}),
        reason=event.reason,
    )


def _answered(draft: Draft, claim: Claim, payment: Payment, event: BankAnswer, cause: Place) -> dict[str, Any]:
    """What is told of a payment when the bank has answered, whichever the answer is."""
    policy = _policy_of(draft, claim)
    return {
        **_dimensions(claim.dimensions, event.amounts),
        "cause": cause,
        "policy_ref": policy.hash,
        "payment_ref": payment.payment_ref,
        "payable_ref": payment.payable_ref,
        "purpose": payment.purpose,
        "bank_account": event.bank_account,
        "bank_txn": event.bank_txn,
        "value_date": event.value_date,
        "amounts": event.amounts,
        "instant_stat": policy.instant_stat if payment.purpose == "INSTANT" else None,
    }


def _order(draft: Draft, claim: Claim, cause: Place, purpose: Any, cash: dict[str, int]) -> PaymentOrdered:
    """To be paid within the working days that the claim's policy promises."""
    policy = _policy_of(draft, claim)
    return PaymentOrdered(
        **_dimensions(claim.dimensions, cash),
        cause=cause,
        policy_ref=policy.hash,
        payment_ref=f"{claim.batch}/{'P1' if purpose == 'INSTANT' else 'P2'}",
        payable_ref=claim.batch,
        purpose=purpose,
        amounts=yuans(cash),
        due=clock.deadline(draft.known.calendar, policy.working_days, claim.cut_off).earliest,
    )


def _one_purse(one: Claim, other: Claim) -> bool:
    """Whether what one claim owes may be taken from the other: the same provider, area and insured area."""
    mine, theirs = one.dimensions, other.dimensions
    return (mine.provider, mine.area, mine.insured_area) == (theirs.provider, theirs.area, theirs.insured_area)


def _policy_of(draft: Draft, claim: Claim) -> Policy:
    """The policy that a claim was accepted under; it stays the claim's own when the area's changes."""
    return draft.known.policies.by_hash(claim.policy_ref)


def _dimensions(dimensions: Dimensions, funds: Any) -> dict[str, Any]:
    """The dimensions of a decision about some funds: those of `advanced` are among them."""
    told = {name: getattr(dimensions, name) for name in Dimensions.__struct_fields__}
    return {**told, "advanced": [fund for fund in dimensions.advanced if fund in funds]}


def _disputed(event: Any, cause: Place, detail: str) -> FactDisputed:
    return FactDisputed(provider=event.provider, area=event.area, cause=cause, detail=detail)
