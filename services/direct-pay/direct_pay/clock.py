"""By when a line is to be paid (R3.3). Pure.

What stays true: the limit is a maximum, so that a day that is not worked means the working day before it; where nobody
knows yet which days of a year are worked, the last day that is known to be one is taken, never a guessed one.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from medfund.calendar import Calendar, CalendarNotLoaded

DAY = timedelta(days=1)
_SATURDAY = 5


def due(calendar: Calendar, accepted_on: date, days: int, *, month_end: bool, paused: int = 0) -> date:
    """So many days after acceptance, and, with `month_end`, not after the end of the month after it; each later by the
    days of a dispute."""
    limit = accepted_on + timedelta(days=days + paused)
    if month_end:
        limit = min(limit, end_of_next_month(accepted_on) + timedelta(days=paused))
    return working_day_until(calendar, limit, accepted_on)


def end_of_next_month(day: date) -> date:
    first = (day.replace(day=1) + timedelta(days=62)).replace(day=1)
    return first - DAY


def working_day_until(calendar: Calendar, limit: date, first: date) -> date:
    """The last day known to be worked in a span; where none is, the last one that is no day of a weekend."""
    day = limit
    while day >= first:
        if day.year in calendar.notices and calendar.is_working_day(day):
            return day
        day -= DAY
    day = limit
    while day.weekday() >= _SATURDAY and day > first:
        day -= DAY
    return day


def told_by(calendar: Calendar, day: date, statement_days: int) -> date:
    """The day by which the bank's statement of another one can have come."""
    try:
        return calendar.due(statement_days, day) if statement_days else day + DAY
    except CalendarNotLoaded:
        return day + timedelta(days=7 + statement_days)


def paused(spans: Iterable[tuple[date, date]]) -> int:
    """How many days some spans cover together, from each first day up to before each last."""
    covered, reached = 0, date.min
    for first, last in sorted(spans):
        begin = max(first, reached)
        if last > begin:
            covered += (last - begin).days
            reached = last
    return covered
