"""Working days between a claim's cut-off and a day that is asked for, for many claims at once. Pure."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from medfund.calendar import Calendar, CalendarNotLoaded

Ageing = Literal["UP_TO_15", "16_TO_20", "21_TO_30", "OVER_30"]
BOUNDS: dict[Ageing, tuple[int, int | None]] = {
    "UP_TO_15": (0, 15),
    "16_TO_20": (16, 20),
    "21_TO_30": (21, 30),
    "OVER_30": (31, None),
}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class WorkedDays:
    """The working days up to and with `as_of`, as far back as notices are loaded."""

    days: list[date]
    first: date

    @classmethod
    def until(cls, calendar: Calendar, as_of: date) -> "WorkedDays":
        """Raises `CalendarNotLoaded`."""
        calendar.is_working_day(as_of)
        days = list(_back(calendar, as_of))
        return cls(sorted(day for day in days if calendar.is_working_day(day)), min(days))

    def since(self, cut_off: date) -> int | None:
        """How many lie after a cut-off; None where part of the span has no calendar."""
        return len(self.days) - bisect_right(self.days, cut_off) if cut_off + DAY >= self.first else None

    def cut_offs(self, ageing: Ageing) -> tuple[date | None, date | None]:
        """The first and the last cut-off since which so many working days have passed."""
        least, most = BOUNDS[ageing]
        first = None if most is None else self._nth_last(most + 1)
        last = None if least == 0 else self._nth_last(least) - DAY
        return first, last

    def _nth_last(self, n: int) -> date:
        return self.days[-n] if n <= len(self.days) else self.first


def _back(calendar: Calendar, day: date) -> Iterator[date]:
    while day.year in calendar.notices:
        yield day
        day -= DAY


def horizon(calendar: Calendar, as_of: date, days: int) -> date:
    """The last day with no more than so many working days left, counted from `as_of`, itself included.

    Where the calendar ends before, the last day that it covers. Raises `CalendarNotLoaded`.
    """
    day, left = as_of, days - calendar.is_working_day(as_of)
    try:
        while left - calendar.is_working_day(day + DAY) >= 0:
            day += DAY
            left -= calendar.is_working_day(day)
    except CalendarNotLoaded:
        return day
    return day if left >= 0 else as_of - DAY
