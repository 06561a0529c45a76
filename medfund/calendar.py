"""Working days: which days count for legal deadlines.

What stays true: a day in a year that is not loaded has no answer, since a guessed holiday would be a wrong legal
deadline; two calendars with the same version give the same answers. The data are in `calendar.toml`, year by year, as
the State Council's notices fix them. Source: domain.md R1.4.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from importlib import resources

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""One offset since 1992; calendar days of money events are days here."""

_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarNotLoaded(LookupError):
    """No notice of this year is loaded, so nobody can say which of its days are worked."""

    def __init__(self, year: int, version: str) -> None:
        super().__init__(f"calendar {version} has no year {year}: load the State Council's notice first")
        self.year = year


@dataclass(frozen=True, slots=True)
class Notice:
    """What one notice says of its year: days off, and days of a weekend that are worked instead."""

    year: int
    ref: str
    holidays: frozenset[date]
    workdays: frozenset[date]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The notices of some years. Immutable; an amended notice makes another calendar with another version."""

    version: str
    notices: Mapping[int, Notice]

    @classmethod
    def of(cls, notices: Iterable[Notice]) -> "Calendar":
        """The calendar of these notices; a later notice of a year takes the place of an earlier one."""
        by_year = {notice.year: notice for notice in notices}
        return cls(_version(by_year), by_year)

    def with_notice(self, notice: Notice) -> "Calendar":
        """This calendar with one year added or amended."""
        return Calendar.of([*self.notices.values(), notice])

    def is_working_day(self, day: date) -> bool:
        """Whether agencies and banks work on a day. Raises `CalendarNotLoaded`."""
        notice = self.notices.get(day.year)
        if notice is None:
            raise CalendarNotLoaded(day.year, self.version)
        if day in notice.workdays:
            return True
        return day.weekday() < _SATURDAY and day not in notice.holidays

    def due(self, working_days: int, cutoff: date) -> date:
        """The N-th working day strictly after the claim cut-off (R1.4).

        Raises `CalendarNotLoaded` when the span leaves the years that the calendar covers.
        """
        if working_days < 1:
            raise ValueError(f"{working_days} working days: at least 1")
        day = cutoff
        for _ in range(working_days):
            day = self.next_working_day(day)
        return day

    def next_working_day(self, day: date) -> date:
        """The first working day strictly after a day."""
        day += _DAY
        while not self.is_working_day(day):
            day += _DAY
        return day

    def previous_working_day(self, day: date) -> date:
        """The last working day on or before a day: for limits that are a maximum (R3.3)."""
        while not self.is_working_day(day):
            day -= _DAY
        return day


def _version(notices: Mapping[int, Notice]) -> str:
    lines = [
        f"{year} {kind} {day}\n"
        for year in sorted(notices)
        for kind in ("holidays", "workdays")
        for day in sorted(getattr(notices[year], kind))
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()[:8]
    return f"cn-{min(notices, default=0)}-{max(notices, default=0)}-{digest}"


@lru_cache(maxsize=1)
def shipped() -> Calendar:
    """The calendar that comes with this release."""
    years = tomllib.loads(resources.files("medfund").joinpath("calendar.toml").read_text("utf-8"))
    return Calendar.of(
        Notice(
            year=int(year),
            ref=notice["notice"],
            holidays=frozenset(day for holiday in notice["holidays"] for day in _span(holiday["from"], holiday["to"])),
            workdays=frozenset(notice["workdays"]),
        )
        for year, notice in years.items()
    )


def _span(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def shanghai_day(moment: datetime) -> date:
    """The calendar day of an instant in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).date()
