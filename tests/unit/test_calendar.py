"""Working days: the years that are shipped, against two independent calendars and the table of R1.4."""

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import holidays
import pytest

from medfund import calendar

SHIPPED = calendar.shipped()
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(366 + 365 + 365)]


def test_every_day_of_three_years_agrees_with_two_other_calendars() -> None:
    official = holidays.country_holidays("CN", years=(2024, 2025, 2026))
    for day in DAYS:
        assert SHIPPED.is_working_day(day) == chinese_calendar.is_workday(day), day
        assert SHIPPED.is_working_day(day) == official.is_working_day(day), day


def test_the_working_days_of_2026_by_month() -> None:
    worked = [
        sum(SHIPPED.is_working_day(day) for day in DAYS if (day.year, day.month) == (2026, m)) for m in range(1, 13)
    ]
    assert worked == [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]
    assert sum(worked) == 248


@pytest.mark.parametrize(
    ("cutoff", "due_15", "due_20", "due_30"),
    [
        ("2026-02-10", "2026-03-09", "2026-03-16", "2026-03-30"),
        ("2026-03-10", "2026-03-31", "2026-04-08", "2026-04-22"),
        ("2026-04-10", "2026-05-06", "2026-05-12", "2026-05-26"),
        ("2026-05-10", "2026-05-29", "2026-06-05", "2026-06-22"),  # the cut-off is a Sunday
        ("2026-09-10", "2026-10-08", "2026-10-14", "2026-10-28"),
        ("2026-10-10", "2026-10-30", "2026-11-06", "2026-11-20"),  # the cut-off is a worked Saturday
        ("2026-11-10", "2026-12-01", "2026-12-08", "2026-12-22"),
    ],
)
def test_the_clock_of_instant_settlement(cutoff: str, due_15: str, due_20: str, due_30: str) -> None:
    """R1.4, every row."""
    due = [str(SHIPPED.due(days, date.fromisoformat(cutoff))) for days in (15, 20, 30)]
    assert due == [due_15, due_20, due_30]


def test_a_year_without_a_notice_has_no_answer() -> None:
    with pytest.raises(calendar.CalendarNotLoaded) as refusal:
        SHIPPED.due(15, date(2026, 12, 21))
    assert refusal.value.year == 2027
    with pytest.raises(calendar.CalendarNotLoaded):
        SHIPPED.is_working_day(date(2023, 12, 31))


def test_a_due_date_on_the_last_loaded_day_is_still_found() -> None:
    assert SHIPPED.due(1, date(2026, 12, 30)) == date(2026, 12, 31)


@pytest.mark.parametrize("days", [0, -1])
def test_a_due_date_needs_at_least_one_day(days: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SHIPPED.due(days, date(2026, 1, 1))


def test_a_maximum_that_falls_in_the_golden_week_is_paid_before_it() -> None:
    """R3.3: accepted 2026-09-06, due 2026-10-06; accepted 2026-09-18, due on a Sunday."""
    assert SHIPPED.previous_working_day(date(2026, 10, 6)) == date(2026, 9, 30)
    assert SHIPPED.previous_working_day(date(2026, 10, 18)) == date(2026, 10, 16)


def test_another_notice_makes_another_version_and_leaves_the_first_as_it_was() -> None:
    notice = calendar.Notice(2026, "amended", frozenset({date(2026, 1, 5)}), frozenset())
    amended = SHIPPED.with_notice(notice)
    assert amended.version != SHIPPED.version
    assert not amended.is_working_day(date(2026, 1, 5))
    assert SHIPPED.is_working_day(date(2026, 1, 5))


def test_the_version_is_that_of_the_days() -> None:
    assert calendar.Calendar.of(SHIPPED.notices.values()).version == SHIPPED.version
    assert calendar.Calendar.of(reversed(SHIPPED.notices.values())).version == SHIPPED.version


def test_each_shipped_year_names_its_notice() -> None:
    assert {year: notice.ref for year, notice in SHIPPED.notices.items()} == {
        2024: "国办发明电〔2023〕7号",
        2025: "国办发明电〔2024〕12号",
        2026: "国办发明电〔2025〕7号",
    }


def test_a_day_is_a_day_in_shanghai() -> None:
    """Edge case 10: half past midnight in Shanghai is the day before in UTC."""
    assert calendar.shanghai_day(datetime(2026, 2, 28, 16, 30, tzinfo=UTC)) == date(2026, 3, 1)
    assert calendar.shanghai_day(datetime(2026, 2, 28, 15, 59, tzinfo=UTC)) == date(2026, 2, 28)
