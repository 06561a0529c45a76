"""The clock of a claim: when it has to be paid, and which days were counted (R1.4). Pure.

What stays true: day 1 is the first working day after the cut-off; the clock stops at the bank's value date; where the
calendar ends before the span does, the deadline is provisional and says between which days it will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from medfund.calendar import Calendar, CalendarNotLoaded

DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Deadline:
    """The N-th working day after the cut-off; `earliest == latest` once it is final."""

    working_days: int
    earliest: date
    latest: date

    @property
    def provisional(self) -> bool:
        return self.earliest != self.latest


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which days of a span counted, and which did not: all that a deadline rests on, besides the calendar's version."""

    counted: Sequence[date]
    not_counted: Sequence[date]


class CutOff(NamedTuple):
    """The day after which a clock runs, and whether it may roll yet: the notice that says so has not come."""

    day: date
    rolls: bool = False


def cut_off(period_to: date, day: int, roll: str, calendar: Calendar) -> CutOff:
    """The claim cut-off of a period: this day of the month after its end; where it rolls, as far as is known."""
    year, month = (period_to.year + 1, 1) if period_to.month == 12 else (period_to.year, period_to.month + 1)
    fixed = date(year, month, day)
    try:
        rolled = fixed if roll == "NONE" else calendar.next_working_day(fixed - DAY)
    except CalendarNotLoaded:
        return CutOff(fixed, rolls=True)
    return CutOff(rolled)


def next_day(day: date) -> date:
    return day + DAY


def started(cut_off: CutOff, submitted: date) -> CutOff:
    """A provider that is late starts its own clock, the day after it submitted (R1.4)."""
    return CutOff(submitted) if submitted > cut_off.day else cut_off


def deadline_after(calendar: Calendar, working_days: int, cut_off: CutOff) -> Deadline:
    """A cut-off that rolls is the first working day from itself on, so that one more is counted from the day before."""
    if cut_off.rolls:
        return deadline(calendar, working_days + 1, cut_off.day - DAY)
    return deadline(calendar, working_days, cut_off.day)


def deadline(calendar: Calendar, working_days: int, cut_off: date) -> Deadline:
    """Final where the calendar covers the span, else the bounds that `bounds` gives."""
    try:
        due = calendar.due(working_days, cut_off)
    except CalendarNotLoaded:
        return Deadline(working_days, *bounds(calendar, working_days, cut_off))
    return Deadline(working_days, due, due)


def bounds(calendar: Calendar, working_days: int, cut_off: date) -> tuple[date, date]:
    """The first and the last day that a deadline can fall on when part of its span has no calendar.

    Earliest: every day of a year without a notice is worked. Latest: such a year loses as many weekdays at once as any
    loaded year lost in all. Whatever the notice says, the deadline is between them.
    """
    most_off = max(
        (sum(day.weekday() < _SATURDAY for day in notice.holidays) for notice in calendar.notices.values()), default=0
    )
    earliest = _nth(working_days, cut_off, lambda day: _or(calendar, day, True))
    latest = _nth(working_days, cut_off, lambda day: _or(calendar, day, day.weekday() < _SATURDAY))
    for _ in range(most_off):
        latest += DAY
        while latest.weekday() >= _SATURDAY:
            latest += DAY
    return earliest, latest


def _or(calendar: Calendar, day: date, otherwise: bool) -> bool:
    return calendar.is_working_day(day) if day.year in calendar.notices else otherwise


def _nth(count: int, after: date, is_worked) -> date:  # type: ignore[no-untyped-def]
    day = after
    while count:
        day += DAY
        count -= is_worked(day)
    return day


def evidence(calendar: Calendar, cut_off: date, until: date) -> Evidence:
    """Every day after the cut-off up to and with `until`. Raises `CalendarNotLoaded`."""
    days = [cut_off + timedelta(days=n) for n in range(1, (until - cut_off).days + 1)]
    counted = [day for day in days if calendar.is_working_day(day)]
    return Evidence(counted, [day for day in days if day not in set(counted)])


def month_end_target(period_to: date) -> date:
    """National aim: paid before the end of the month after the service month [W1]."""
    year, month = period_to.year + (period_to.month + 1) // 12, (period_to.month + 1) % 12 + 1
    return date(year, month, 1) - DAY
