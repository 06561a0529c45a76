"""What a claim has to be paid by, and what is told of it when a day opens, a payment is late, a notice comes. Pure.

What stays true: the three targets are checked each by itself; a breach is told once, of a final deadline alone, when
the bank can have spoken of it, and is taken back where a fact that comes later says otherwise. A deadline that was told
never moves in silence. The clock stops with the bank's value date of the last payment. Source: domain.md R1.4, R10.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from clearing import clock
from clearing.claims.claim import Claim
from clearing.clock import CutOff
from clearing.policy import Policy
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.events.claims import (
    ClaimBreachWithdrawn,
    ClaimDeadlineApproaching,
    ClaimDeadlineBreached,
    ClaimDeadlineRecalculated,
    Target,
)
from medfund.events.kinds import Place

WORKING_DAYS: Mapping[Target, int] = {"WD_15": 15, "WD_20": 20}


class Moved(NamedTuple):
    target: Target
    was: date
    due: date
    latest: date | None
    cut_off: date | None
    """Where it moved too."""


def clock_of(period_to: date, submitted: date, policy: Policy, calendar: Calendar) -> CutOff:
    """After which day a claim's clock runs."""
    cut_off = clock.cut_off(period_to, policy.cut_off_day, policy.cut_off_roll, calendar)
    return clock.started(cut_off, submitted)


def due(claim: Claim) -> dict[Target, date]:
    return {"WD_15": claim.due, "WD_20": claim.due_limit, "MONTH_END": clock.month_end_target(claim.period_to)}


def breached(claim: Claim, day: date) -> Iterator[tuple[Target, date]]:
    """The final targets that lie before a day on which a claim was not paid; those that were told are left out."""
    provisional = {"WD_15": claim.latest, "WD_20": claim.latest_limit}
    for target, limit in due(claim).items():
        if limit < day and target not in claim.breached and provisional.get(target) is None:
            yield target, limit


def told_by(limit: date, policy: Policy, calendar: Calendar) -> date:
    """The day on which the bank's statement of a due day can have come."""
    days = policy.statement_days
    return clock.deadline(calendar, days, limit).latest if days else clock.next_day(limit)


def approaching(claim: Claim, day: date, warn_days: int, calendar: Calendar) -> Iterator[tuple[Target, date, int]]:
    """The targets with so many working days left, or fewer, counted from the day that opens, itself included."""
    for target, limit in due(claim).items():
        if target in claim.warned or limit < day:
            continue
        left = _working_days(calendar, day, limit, warn_days)
        if left is not None and left <= warn_days:
            yield target, limit, left


def _working_days(calendar: Calendar, first: date, last: date, most: int) -> int | None:
    """How many days of a span are worked; None where it is surely more than `most`, or no calendar covers it."""
    if (last - first).days > 3 * most + 14:
        return None
    try:
        return len(clock.evidence(calendar, first - clock.DAY, last).counted)
    except CalendarNotLoaded:
        return None


def moved(claim: Claim, policy: Policy, calendar: Calendar) -> Iterator[Moved]:
    """The targets that another calendar moves, or makes final; a cut-off that rolls is rolled again."""
    started = clock_of(claim.period_to, claim.submitted_on, policy, calendar)
    cut_off = started.day if started.day != claim.cut_off else None
    known: Mapping[Target, tuple[date, date | None]] = {
        "WD_15": (claim.due, claim.latest),
        "WD_20": (claim.due_limit, claim.latest_limit),
    }
    for target, days in WORKING_DAYS.items():
        found = clock.deadline_after(calendar, days, started)
        latest = found.latest if found.provisional else None
        if cut_off or (found.earliest, latest) != known[target]:
            yield Moved(target, known[target][0], found.earliest, latest, cut_off)


# -- as decisions


def told_breached(claim: Claim, value_date: date, cause: Place) -> Iterator[ClaimDeadlineBreached]:
    """The bank paid after it was due."""
    for target, limit in breached(claim, value_date):
        yield ClaimDeadlineBreached(**_about(claim, cause, target, limit), seen_on=value_date)


def told_unpaid(
    claim: Claim, day: date, policy: Policy, calendar: Calendar, cause: Place
) -> Iterator[ClaimDeadlineBreached]:
    """The bank has not paid, and could have said so."""
    for target, limit in breached(claim, day):
        if told_by(limit, policy, calendar) <= day:
            yield ClaimDeadlineBreached(**_about(claim, cause, target, limit), seen_on=day)


def told_withdrawn(
    claim: Claim, day: date, policy: Policy, calendar: Calendar, cause: Place
) -> Iterator[ClaimBreachWithdrawn]:
    """What was told as breached and is not: it was paid in time after all, or is not over."""
    paid_on = None if claim.unpaid else claim.last_paid
    for target, limit in due(claim).items():
        late = claim.last_paid is not None and claim.last_paid > limit
        if target in claim.breached and not late and (paid_on or told_by(limit, policy, calendar) > day):
            yield ClaimBreachWithdrawn(**_about(claim, cause, target, limit), paid_on=paid_on)


def told_approaching(
    claim: Claim, day: date, warn_days: int, calendar: Calendar, cause: Place
) -> Iterator[ClaimDeadlineApproaching]:
    for target, limit, left in approaching(claim, day, warn_days, calendar):
        yield ClaimDeadlineApproaching(**_about(claim, cause, target, limit), days_left=left)


def told_moved(claim: Claim, policy: Policy, calendar: Calendar, cause: Place) -> Iterator[ClaimDeadlineRecalculated]:
    for change in moved(claim, policy, calendar):
        yield ClaimDeadlineRecalculated(
            **_about(claim, cause, change.target, change.due),
            was=change.was,
            latest=change.latest,
            cut_off=change.cut_off,
            calendar_version=calendar.version,
        )


def _about(claim: Claim, cause: Place, target: Target, limit: date) -> dict[str, Any]:
    return {
        **claim.fields(cause, claim.claimed),
        "batch": claim.ref,
        "target": target,
        "due": limit,
    }
