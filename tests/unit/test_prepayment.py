"""Prepayments by rule (R2): the gate of a fund, the base and the grant, what is due by when."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing import policy
from clearing.dimensions import Dimensions
from clearing.prepayment import amounts, gate, outlook
from clearing.prepayment.amounts import Schedule
from clearing.prepayment.prepayment import Prepayment
from medfund import money
from medfund.events.agency import FundFiguresPublished, PolicyPublished

EMPLOYEES, RESIDENTS = "310100", "390100"


def figures(fund: str, surplus: str, expenditure: str, last: str = "0.00", ahead: str = "0.00") -> FundFiguresPublished:
    return FundFiguresPublished(
        area="370000", fund=fund, as_of=date(2025, 12, 31), surplus=surplus, expenditure=expenditure,
        last_year_result=last, forecast_result=ahead,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("of", "least", "months", "reasons"),
    [
        (figures(EMPLOYEES, "41230000000.00", "34567000000.00"), 12, "14.3131", ()),
        (figures(RESIDENTS, "5600000000.00", "12100000000.00"), 6, "5.5537", ("TOO_FEW_MONTHS",)),
        (figures(EMPLOYEES, "1200.00", "1200.00"), 12, "12.0000", ()),
        (figures(RESIDENTS, "5999900000.00", "12000000000.00"), 6, "5.9999", ("TOO_FEW_MONTHS",)),
        (figures(RESIDENTS, "5999999999.99", "12000000000.00"), 6, "6.0000", ("TOO_FEW_MONTHS",)),
        (figures(EMPLOYEES, "2000.00", "1200.00", last="-0.01"), 12, "20.0000", ("DEFICIT_LAST_YEAR",)),
        (figures(EMPLOYEES, "2000.00", "1200.00", ahead="-0.01"), 12, "20.0000", ("DEFICIT_AHEAD",)),
        (
            figures(RESIDENTS, "-600.00", "1200.00", last="-1.00", ahead="-1.00"), 6, "-6.0000",
            ("TOO_FEW_MONTHS", "DEFICIT_LAST_YEAR", "DEFICIT_AHEAD"),
        ),
    ],
    ids=["R2.1 employees", "R2.1 residents", "40 exactly", "40 short", "40 by a fen", "41", "ahead", "all at once"],
)  # fmt: skip
def test_a_fund_gives_prepayments_when_it_can_bear_them(
    of: FundFiguresPublished, least: int, months: str, reasons: tuple[str, ...]
) -> None:
    found = gate.of(of, least)
    assert found.months is not None
    assert (gate.shown(found.months), found.reasons, found.open) == (months, reasons, not reasons)


def test_of_a_fund_what_was_said_last_of_the_latest_day_holds() -> None:
    known = gate.Figures({}).with_figures(figures(EMPLOYEES, "1.00", "1.00"))
    later = FundFiguresPublished(**{**_fields(figures(EMPLOYEES, "2.00", "1.00")), "as_of": date(2026, 6, 30)})
    assert known.with_figures(later).of("370000", EMPLOYEES) == later
    assert known.with_figures(later).with_figures(figures(EMPLOYEES, "3.00", "1.00")).of("370000", EMPLOYEES) == later


def _fields(event: FundFiguresPublished) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_base_and_grant_are_those_of_r2_3() -> None:
    employees = amounts.base(money.fen("128456789.01"), 12)
    residents = amounts.base(money.fen("47000000.05"), 12)
    assert (money.yuan(employees), money.yuan(residents)) == ("10704732.42", "3916666.67")
    assert money.yuan(amounts.grant(employees, Fraction(9, 10))) == "9634259.18"


@pytest.mark.parametrize("months", [11, 37])
def test_a_base_period_has_12_to_36_months(months: int) -> None:
    with pytest.raises(ValueError, match=f"{months} months"):
        amounts.check_months(months)


@pytest.mark.parametrize(
    ("schedule", "months", "by_month"),
    [
        ("STRAIGHT_LAST", 3, {9: "0.00", 10: "3568244.14", 11: "7136488.28", 12: "10704732.42"}),
        ("BULLET_DEC", 1, {11: "0.00", 12: "10704732.42"}),
        ("MONTHLY_12", 1, {1: "892061.04", 2: "1784122.07", 12: "10704732.42"}),
        ("AT_ANNUAL_CLEARING", 1, {12: "0.00"}),
    ],
)
def test_what_is_due_by_a_month_is_cumulative(schedule: Schedule, months: int, by_month: dict[int, str]) -> None:
    granted = money.fen("10704732.42")
    for month, expected in by_month.items():
        due = amounts.due_by(granted, schedule, months=months, on=date(2026, month, 1), year=2026)
        assert money.yuan(due) == expected, month
    assert amounts.due_by(granted, schedule, months=months, on=date(2025, 12, 31), year=2026) == 0


@given(st.integers(0, 10**15), st.integers(1, 12), st.sampled_from(["STRAIGHT_LAST", "MONTHLY_12", "BULLET_DEC"]))
def test_what_is_due_never_falls_and_is_all_of_it_in_december(granted: int, months: int, schedule: Schedule) -> None:
    due = [
        amounts.due_by(granted, schedule, months=months, on=date(2026, month, 28), year=2026) for month in range(1, 13)
    ]
    assert due == sorted(due)
    assert due[-1] == granted == amounts.due_by(granted, schedule, months=months, on=date(2027, 1, 1), year=2026)


def test_a_bulk_purchases_prepayment_is_taken_back_along_the_purchases() -> None:
    granted, agreed = money.fen("3600000.00"), money.fen("12000000.00")
    assert money.yuan(amounts.grant(agreed, Fraction(3, 10))) == "3600000.00"
    assert money.yuan(amounts.due_by_progress(granted, agreed, money.fen("1000000.00"))) == "300000.00"
    assert amounts.due_by_progress(granted, agreed, 2 * agreed) == granted
    assert amounts.due_by_progress(granted, agreed, -1) == 0


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=30), st.integers(0, 10**13))
def test_grants_that_do_not_fit_are_scaled_to_the_fen(wanted: list[int], limit: int) -> None:
    found = amounts.fitted(wanted, limit)
    assert sum(found) == min(sum(wanted), limit)
    assert all(0 <= fits <= asked for fits, asked in zip(found, wanted, strict=True))


def out(left: int, base: int) -> Prepayment:
    return Prepayment(
        ref="P", dimensions=WHOSE, policy_ref="", opened=0, cut_off=date(2026, 1, 1), kind="ANNUAL", fund=EMPLOYEES,
        year=2026, status="APPROVED", base=base, granted=left, outstanding={EMPLOYEES: left},
        last_paid=date(2026, 2, 27),
    )  # fmt: skip


WHOSE = Dimensions(
    provider="H37000000001", area="370000", insured_area="370000", insutype="310", clr_type="YF", benefit_year=2026,
    advanced=[],
)  # fmt: skip
POLICY = policy.parse(
    PolicyPublished(area="370000", valid_from=date(2025, 1, 1), hash="0" * 64, parameters={}, approvers=["a", "b"])
)


def test_who_earns_less_in_a_month_than_is_due_is_expected_to_be_overdue() -> None:
    found = outlook.outlook(EMPLOYEES, [(out(900, 200), POLICY)], date(2026, 9, 10))
    assert [(one.first.month, one.due, one.expected, one.left) for one in found.months] == [
        (9, 0, 0, 900), (10, 300, 200, 700), (11, 400, 200, 500), (12, 500, 200, 300),
    ]  # fmt: skip
    assert found.left == 300
    assert [(one.up_to, one.prepayments) for one in found.ages] == [(30, 0), (90, 0), (180, 0), (None, 1)]


def test_on_the_last_day_of_a_year_nothing_more_is_expected_in_it() -> None:
    found = outlook.outlook(EMPLOYEES, [(out(900, 900), POLICY)], date(2026, 12, 31))
    assert [(one.due, one.expected, one.left) for one in found.months] == [(900, 0, 900)]


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), max_size=5), st.integers(1, 12))
def test_what_is_expected_back_and_what_is_left_are_what_is_out(amounts: list[tuple[int, int]], month: int) -> None:
    found = outlook.outlook(EMPLOYEES, [(out(*one), POLICY) for one in amounts], date(2026, month, 3))
    assert (
        sum(one.expected for one in found.months) + found.left == found.outstanding == sum(left for left, _ in amounts)
    )
    assert all(0 <= one.expected <= one.due for one in found.months)
