"""What follows for claims when a day opens, and when a notice of working days comes. Pure. Source: R1.4, R1.5, R10.

What stays true: whether a day is worked is what the notices say that the lane knows, shipped or published; what the
scheduler says of it counts where they say nothing. What was left undone because no notice told
whether a day is worked is done when the notice comes.
"""

from collections.abc import Iterator
from datetime import date

from clearing import clock
from clearing.audit.deduction import unfinished
from clearing.claims import deadlines
from clearing.claims.claim import CLAIMS, Claim
from clearing.instant.paying import pay_at_once
from clearing.policy import policy_of
from medfund.calendar import Calendar
from medfund.events.agency import CalendarPublished
from medfund.events.kinds import Event, Place
from medfund.events.time import DayOpened
from medfund.lanes.capability import Capability
from medfund.lanes.days import CALENDAR, TODAY, is_worked
from medfund.lanes.draft import Draft


def day_opened(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    """Deadlines come and go; on the first working day after it was submitted, a part of a claim is paid (R1.5)."""
    worked = is_worked(draft.known[CALENDAR], event.date)
    yield from _day(draft, event.date, cause, worked=bool(event.working_day) if worked is None else worked)


def calendar_published(draft: Draft, event: CalendarPublished, cause: Place) -> Iterator[Event]:
    """Provisional deadlines become final, and what an amended notice moves is told (R1.4)."""
    calendar, today = draft.known[CALENDAR], draft.known[TODAY]
    for claim in _running(draft):
        policy = policy_of(draft, claim)
        yield from deadlines.told_moved(claim, policy, calendar, cause)
        if today is not None:
            yield from deadlines.told_withdrawn(claim, today, policy, calendar, cause)
        if not claim.unpaid and claim.last_paid is not None:
            yield from deadlines.told_breached(claim, claim.last_paid, cause)
    if today is not None:
        yield from _day(draft, today, cause, worked=bool(is_worked(calendar, today)))


def _day(draft: Draft, day: date, cause: Place, *, worked: bool) -> Iterator[Event]:
    calendar = draft.known[CALENDAR]
    for claim in _running(draft):
        policy = policy_of(draft, claim)
        if claim.unpaid:
            yield from deadlines.told_unpaid(claim, day, policy, calendar, cause)
        if claim.unpaid and worked:
            yield from deadlines.told_approaching(claim, day, policy.warn_days, calendar, cause)
        if claim.status == "IN_REVIEW" and claim.p1 is None and _is_paid_at_once(claim, day, calendar, worked=worked):
            yield from pay_at_once(draft, claim, cause)
    if worked:
        yield from unfinished(draft, day, cause)


def _is_paid_at_once(claim: Claim, day: date, calendar: Calendar, *, worked: bool) -> bool:
    """From the first working day after it was submitted on."""
    if worked:
        return claim.submitted_on < day
    due = clock.deadline(calendar, 1, claim.submitted_on)
    return not due.provisional and due.latest <= day


def _running(draft: Draft) -> list[Claim]:
    """Those whose clock runs, or whose deadlines nobody knows for certain; the oldest first."""
    found = (claim for claim in draft[CLAIMS].values() if claim.unpaid or claim.provisional)
    return sorted(found, key=lambda claim: (claim.opened, claim.ref))


CAPABILITY = Capability(
    name="days",
    answers={DayOpened: day_opened, CalendarPublished: calendar_published},
    large={DayOpened, CalendarPublished},
)
