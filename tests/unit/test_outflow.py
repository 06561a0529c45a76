"""What will leave the accounts on the next working days: when it is, what is an estimate, and who is short."""

from datetime import date

import pytest

from clearing.treasury import outflow
from clearing.treasury.outflow import Due
from medfund import calendar
from medfund.calendar import CalendarNotLoaded

CALENDAR = calendar.shipped()
FIRST = date(2026, 2, 12)
DAYS = outflow.working_days(CALENDAR, FIRST)


def test_twenty_working_days_go_around_the_spring_festival() -> None:
    assert [f"{day:%m-%d}" for day in DAYS[:4]] == ["02-12", "02-13", "02-14", "02-24"]
    assert len(DAYS) == 20
    assert DAYS[-1] == date(2026, 3, 17)
    assert outflow.working_days(CALENDAR, date(2026, 2, 15))[0] == date(2026, 2, 24), "a day off begins with the next"


def test_days_that_no_notice_covers_are_weekdays_and_said_to_be_provisional() -> None:
    days = outflow.working_days(CALENDAR, date(2026, 12, 30))
    assert [f"{day:%m-%d}" for day in days[:4]] == ["12-30", "12-31", "01-01", "01-04"]
    assert (len(days), outflow.provisional_from(CALENDAR, days)) == (20, date(2027, 1, 1))
    assert outflow.provisional_from(CALENDAR, DAYS) is None
    with pytest.raises(CalendarNotLoaded):
        outflow.working_days(CALENDAR, date(2027, 1, 4))


CASES = """
due         falls on    # why
2026-02-12  2026-02-12  # the day itself
2026-01-30  2026-02-12  # late: it goes out first
2026-02-20  2026-02-14  # a day off: the working day before, for the day is the last one that it may be
2026-02-28  2026-02-28  # a Saturday that is worked
2026-03-17  2026-03-17  # the last one
2026-03-18  -           # later than what is looked at
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines()[1:])
def test_what_is_due_leaves_on_a_working_day(case: str) -> None:
    due, day = case.split()[:2]
    [one] = outflow.forecast([Due("310100", date.fromisoformat(due), 7, estimated=False)], {"310100": 0}, DAYS)
    assert [f"{found.on}" for found in one.days if found.certain] == ([day] if day != "-" else [])


def test_a_fund_is_short_on_the_first_day_that_it_cannot_pay_in_full() -> None:
    dues = [
        Due("310100", date(2026, 2, 13), 600, estimated=False),
        Due("310100", date(2026, 2, 13), 399, estimated=True),
        Due("310100", date(2026, 2, 24), 2, estimated=True),
        Due("390100", date(2026, 2, 24), 5, estimated=False),
    ]
    employees, residents, idle = outflow.forecast(dues, {"310100": 1000, "610100": 9}, DAYS)
    assert [(day.certain, day.estimated, day.left) for day in employees.days[:4]] == [
        (0, 0, 1000), (600, 399, 1), (0, 0, 1), (0, 2, -1),
    ]  # fmt: skip
    assert (employees.short_on, employees.days[-1].left) == (date(2026, 2, 24), -1)
    assert (residents.fund, residents.available, residents.short_on) == ("390100", 0, date(2026, 2, 24))
    assert (idle.fund, idle.short_on, idle.days[-1].left) == ("610100", None, 9)


def test_a_claim_in_review_still_costs_what_was_not_paid_at_once() -> None:
    claimed, p1 = {"310100": 1000, "390100": 50, "610100": -7}, {"310100": 900, "390100": 60}
    assert outflow.estimate(claimed, p1, approved_in_part=False) == {"310100": 100}
    assert outflow.estimate(claimed, {}, approved_in_part=False) == {"310100": 1000, "390100": 50}
    assert outflow.estimate({"310100": 30}, p1, approved_in_part=True) == {"310100": 30}
