"""What will leave the bank accounts of the funds on the next working days, and when one of them is short. Pure.

What stays true: a day off is paid on the working day before it, what is late on the first day; what nobody has approved
yet is an estimate and says so. What was sent to the bank is neither due nor available any more.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from clearing.funds import Fens, added, positive
from medfund.calendar import Calendar

ONE_DAY = timedelta(days=1)
SATURDAY = 5
DAYS = 20
"""Working days ahead: the national limit of a claim that is submitted today [W1]."""


class Due(NamedTuple):
    fund: str
    on: date
    fen: int
    estimated: bool


@dataclass
class Day:
    on: date
    certain: int = 0
    estimated: int = 0
    left: int = 0
    """Of what is available, after this day; below zero where it is short."""


@dataclass
class Forecast:
    fund: str
    available: int
    days: list[Day]
    short_on: date | None = field(default=None)
    """The first day that cannot be paid in full."""


def working_days(calendar: Calendar, first: date) -> list[date]:
    """The next of them, `first` included where it is one; of a year whose notice has not come, its weekdays.

    Raises `CalendarNotLoaded` where `first` is in such a year.
    """
    days: list[date] = []
    day = first
    calendar.is_working_day(first)
    while len(days) < DAYS:
        if calendar.is_working_day(day) if day.year in calendar.notices else day.weekday() < SATURDAY:
            days.append(day)
        day += ONE_DAY
    return days


def provisional_from(calendar: Calendar, days: Sequence[date]) -> date | None:
    """The first of them that no notice covers."""
    return next((day for day in days if day.year not in calendar.notices), None)


def estimate(in_review: Fens, p1: Fens, *, approved_in_part: bool) -> Fens:
    """What a claim that is not approved will still cost: what it claims, less what was paid of it at once.

    Where the greater part is approved already, its P1 was taken back from that, and the doubted rest is owed whole.
    """
    return positive(in_review if approved_in_part else added(in_review, p1, -1))


def forecast(dues: Iterable[Due], available: Mapping[str, int], days: Sequence[date]) -> list[Forecast]:
    """Fund by fund, of the funds of which there is anything; what is due after the last day is left out."""
    found = {fund: _begun(fund, fen, days) for fund, fen in available.items()}
    for due in dues:
        if due.on > days[-1]:
            continue
        one = found.setdefault(due.fund, _begun(due.fund, 0, days))
        day = one.days[max(0, bisect_right(days, due.on) - 1)]
        if due.estimated:
            day.estimated += due.fen
        else:
            day.certain += due.fen
    return [_summed(found[fund]) for fund in sorted(found)]


def _begun(fund: str, available: int, days: Sequence[date]) -> Forecast:
    return Forecast(fund, available, [Day(day) for day in days])


def _summed(one: Forecast) -> Forecast:
    left = one.available
    for day in one.days:
        left -= day.certain + day.estimated
        day.left = left
        if left < 0 and one.short_on is None:
            one.short_on = day.on
    return one
