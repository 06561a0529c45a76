"""The day that a lane has opened last, and which days are worked: what the notices say, shipped or published. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from medfund import calendar
from medfund.calendar import Calendar, Notice
from medfund.events.agency import CalendarPublished
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Place
from medfund.events.time import DayOpened
from medfund.lanes import opened
from medfund.lanes.capability import Capability, keeping
from medfund.lanes.draft import Draft, Part

if TYPE_CHECKING:
    from medfund.lanes.sources import Sources


@dataclass
class Days:
    """Of one batch."""

    coming: date | None = None
    """The last one that was admitted."""
    opened: date | None = None
    """The one that was opened last."""
    before: date | None = None
    """The one that was open before it."""


def _none() -> date | None:
    return None


TODAY: Part[date | None] = Part("today", _none)
CALENDAR: Part[Calendar] = Part("calendar", calendar.shipped)
DAYS: Part[Days] = Part("days", Days)


def _admit(draft: Draft, fact: Accepted, sources: "Sources") -> Refused | None:
    days, day = draft[DAYS], fact.event.date  # type: ignore[attr-defined]
    if sources.asks(fact.record.timestamp) and (refusal := opened.admit(days.coming or draft.known[TODAY], fact)):
        return refusal
    days.coming = day
    return None


def _learn(draft: Draft, event: DayOpened, place: Place) -> None:
    draft[DAYS].before, draft[DAYS].opened = draft.known[TODAY], event.date
    draft.known = draft.known.replaced(TODAY, event.date)


def _noticed(calendar: Calendar, event: CalendarPublished) -> Calendar:
    return calendar.with_notice(
        Notice(event.year, event.notice_ref, frozenset(event.holidays), frozenset(event.workdays))
    )


def is_worked(calendar: Calendar, day: date) -> bool | None:
    """None where no notice of the year is known."""
    return calendar.is_working_day(day) if day.year in calendar.notices else None


def known_ahead(calendar: Calendar, today: date) -> int:
    """For how many days after this one the notices say whether they are worked."""
    year = today.year
    while year in calendar.notices:
        year += 1
    return max(0, (date(year, 1, 1) - today).days - 1)


CAPABILITY = Capability(
    name="days",
    admits={DayOpened: _admit},
    keeps={CalendarPublished: keeping(CALENDAR, _noticed)},
    learns={DayOpened: _learn},
)
