"""What follows for claims when a day opens, and when a notice of working days comes. Pure. Source: R1.4, R1.5."""

from collections.abc import Iterator

from clearing.audit.deduction import unfinished
from clearing.claims import deadlines
from clearing.claims.claim import Claim
from clearing.instant.paying import pay_at_once
from clearing.state import Draft
from medfund.events.agency import CalendarPublished
from medfund.events.kinds import Event, Place
from medfund.events.time import DayOpened


def day_opened(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    """Deadlines come and go; on the first working day after it was submitted, a part of a claim is paid (R1.5)."""
    calendar = draft.known.calendar
    for claim in _unpaid(draft):
        yield from deadlines.told_breached(claim, event.date, cause)
        if not event.working_day:
            continue
        warn_days = draft.policy_of(claim).warn_days
        yield from deadlines.told_approaching(claim, event.date, warn_days, calendar, cause)
        if claim.status == "IN_REVIEW" and claim.p1 is None and claim.submitted_on < event.date:
            yield from pay_at_once(draft, claim, cause)
    if event.working_day:
        yield from unfinished(draft, event.date, cause)


def calendar_published(draft: Draft, event: CalendarPublished, cause: Place) -> Iterator[Event]:
    """Provisional deadlines become final, and what an amended notice moves is told (R1.4)."""
    for claim in _unpaid(draft):
        yield from deadlines.told_moved(claim, draft.known.calendar, cause)


def _unpaid(draft: Draft) -> list[Claim]:
    return sorted(
        (claim for claim in draft.claims.values() if claim.unpaid), key=lambda claim: (claim.opened, claim.ref)
    )
