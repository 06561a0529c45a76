"""What a claim has to be paid by, and what is told of it when a day opens, a payment is late, a notice comes. Pure.

What stays true: the three targets are checked each by itself; a breach is told once; a deadline that was told never
moves in silence. The clock stops with the bank's value date of the last payment. Source: domain.md R1.4.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from clearing.claims import clock
from clearing.claims.claim import Claim
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.events.clearing import (
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


def due(claim: Claim) -> dict[Target, date]:
    return {"WD_15": claim.due, "WD_20": claim.due_limit, "MONTH_END": clock.month_end_target(claim.period_to)}


def breached(claim: Claim, day: date) -> Iterator[tuple[Target, date]]:
    """The targets that lie before a day, of a claim that is not paid; those that were told are left out."""
    for target, limit in due(claim).items():
        if limit < day and target not in claim.breached:
            yield target, limit


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


def moved(claim: Claim, calendar: Calendar) -> Iterator[Moved]:
    """The targets that another calendar moves, or makes final."""
    known: Mapping[Target, tuple[date, date | None]] = {
        "WD_15": (claim.due, claim.latest),
        "WD_20": (claim.due_limit, claim.latest_limit),
    }
    for target, days in WORKING_DAYS.items():
        found = clock.deadline(calendar, days, claim.cut_off)
        latest = found.latest if found.provisional else None
        if (found.earliest, latest) != known[target]:
            yield Moved(target, known[target][0], found.earliest, latest)


# -- as decisions


def told_breached(claim: Claim, day: date, cause: Place) -> Iterator[ClaimDeadlineBreached]:
    for target, limit in breached(claim, day):
        yield ClaimDeadlineBreached(**_about(claim, cause, target, limit), seen_on=day)


def told_approaching(
    claim: Claim, day: date, warn_days: int, calendar: Calendar, cause: Place
) -> Iterator[ClaimDeadlineApproaching]:
    for target, limit, left in approaching(claim, day, warn_days, calendar):
        yield ClaimDeadlineApproaching(**_about(claim, cause, target, limit), days_left=left)


def told_moved(claim: Claim, calendar: Calendar, cause: Place) -> Iterator[ClaimDeadlineRecalculated]:
    for change in moved(claim, calendar):
        yield ClaimDeadlineRecalculated(
            **_about(claim, cause, change.target, change.due),
            was=change.was,
            latest=change.latest,
            calendar_version=calendar.version,
        )


def _about(claim: Claim, cause: Place, target: Target, limit: date) -> dict[str, Any]:
    return {
        **claim.told(cause, claim.claimed),
        "batch": claim.ref,
        "target": target,
        "due": limit,
    }
