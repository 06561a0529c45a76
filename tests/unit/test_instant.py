"""Pay part at once, the rest after audit (R1.5, R1.6), and the clock (R1.4), with the numbers of the rules."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing import clock
from clearing.clock import CutOff
from clearing.instant import amounts
from clearing.offsets import waterfall as rule
from clearing.offsets.waterfall import Due, Taken
from medfund import calendar, money

CLAIMED = {"310100": 210_000_037, "310200": 45_678_912, "390100": 88_000_000, "610100": 1_999_963}
BOND = {"310100": Fraction(5, 100), "390100": Fraction(5, 100), "310200": Fraction(0), "610100": Fraction(0)}
RATIO = dict.fromkeys(CLAIMED, Fraction(9, 10))


def bonds(approved: dict[str, int], ratios: dict[str, Fraction] = BOND) -> dict[str, int]:
    return {fund: amounts.bond_on(fen, ratios[fund]) for fund, fen in approved.items()}


def test_the_month_of_r1_5_is_paid_at_once_and_after_audit_to_the_fen() -> None:
    p1 = amounts.p1(CLAIMED, RATIO)
    assert p1 == {"310100": 189_000_033, "310200": 41_111_021, "390100": 79_200_000, "610100": 1_799_967}
    assert sum(p1.values()) == money.fen("3111110.21")
    approved = {**CLAIMED, "310100": CLAIMED["310100"] - 2_923_055}
    assert sum(approved.values()) == money.fen("3427558.57")
    bond = bonds(approved)
    assert {fund: fen for fund, fen in bond.items() if fen} == {"310100": 10_353_849, "390100": 4_400_000}
    assert sum(approved.values()) - sum(bond.values()) == money.fen("3280020.08")
    p2 = {fund: approved[fund] - bond[fund] - p1[fund] for fund in CLAIMED}
    assert p2 == {"310100": 7_723_100, "310200": 4_567_891, "390100": 4_400_000, "610100": 199_996}
    assert sum(p2.values()) == money.fen("168909.87")


def test_what_was_paid_too_much_at_once_stays_in_its_fund_and_the_others_are_paid() -> None:
    p1 = amounts.p1(CLAIMED, RATIO)
    approved = {**CLAIMED, "310100": CLAIMED["310100"] - 42_000_000}
    assert sum(approved.values()) == money.fen("3036789.12")
    bond = bonds(approved)
    assert (bond["310100"], bond["390100"]) == (8_400_002, 4_400_000)
    p2 = {fund: approved[fund] - bond[fund] - p1[fund] for fund in CLAIMED}
    assert p2.pop("310100") == -money.fen("293999.98")
    assert sum(p2.values()) == money.fen("91678.87")


def test_a_negative_fund_has_no_bond_and_rounds_away_from_zero() -> None:
    assert amounts.p1({"390100": -5}, {"390100": Fraction(9, 10)}) == {"390100": -5}
    assert bonds({"390100": -100}) == {"390100": 0}


def test_per_fund_rounding_is_not_that_of_the_total() -> None:
    """Edge case 32."""
    ratio = Fraction(9, 10)
    claimed = {"310100": 15, "390100": 15}
    assert sum(amounts.p1(claimed, dict.fromkeys(claimed, ratio)).values()) == 28
    assert money.round2(30 * ratio) == 27


@given(
    st.dictionaries(st.sampled_from(sorted(CLAIMED)), st.integers(-money.FEN_MAX, money.FEN_MAX), min_size=1),
    st.fractions(0, 1, max_denominator=10_000),
    st.fractions(0, Fraction(5, 100), max_denominator=10_000),
)
def test_a_part_is_never_more_than_the_whole(claimed: dict[str, int], ratio: Fraction, bond: Fraction) -> None:
    p1 = amounts.p1(claimed, dict.fromkeys(claimed, ratio))
    kept = bonds(claimed, dict.fromkeys(claimed, bond))
    for fund in claimed:
        assert abs(p1[fund]) <= abs(claimed[fund])
        assert 0 <= kept[fund] <= max(0, claimed[fund])


# -- the waterfall (R3.6)


STEPS = ("2102", "1104", "1107", "1108", "1103", "1102", "1101")


def waterfall(payable: int, due: Sequence[Due], steps: Sequence[str]) -> tuple[list[Taken], int]:
    """What is taken, and what is left for cash."""
    taken = list(rule.waterfall(payable, due, steps))
    return taken, max(0, payable) - sum(offset.amount for offset in taken)


def test_each_step_takes_what_is_left_until_nothing_is() -> None:
    """R3.6: 100,000.00 are owed, 111,079.99 are due: 11,079.99 stay."""
    taken, cash = waterfall(10_000_000, [Due("1103", "S1", 11_107_999, 1)], STEPS)
    assert (taken, cash) == ([Taken("1103", "S1", 10_000_000, 4, 1)], 0)


def test_every_step_is_taken_and_cash_is_exactly_nothing() -> None:
    """Edge case 33."""
    due = [Due(account, f"{account}-{n}", 100 * n, n) for n, account in enumerate(reversed(STEPS), 1)]
    taken, cash = waterfall(2800, due, STEPS)
    assert [offset.account for offset in taken] == list(STEPS)
    assert [offset.step for offset in taken] == [0, 1, 2, 3, 4, 5, 6]
    assert (sum(offset.amount for offset in taken), cash) == (2800, 0)


def test_the_order_is_policy_and_the_oldest_item_of_a_step_goes_first() -> None:
    due = [Due("1101", "young", 50, 9), Due("1101", "old", 50, 2), Due("1103", "S", 30, 1)]
    taken, cash = waterfall(100, due, ("1104", "1101", "1103"))
    assert [(offset.item, offset.amount) for offset in taken] == [("old", 50), ("young", 50)]
    assert cash == 0
    assert waterfall(100, due, ("1104",)) == ([], 100)


def test_a_negative_payable_pays_nothing() -> None:
    assert waterfall(-5, [Due("1101", "p", 50, 1)], STEPS) == ([], 0)


@given(
    st.integers(0, 10**16),
    st.lists(st.builds(Due, st.sampled_from(STEPS), st.text("ab", max_size=3), st.integers(1, 10**15), st.integers())),
    st.permutations(STEPS),
)
def test_offsets_never_exceed_the_payable_nor_the_item(payable: int, due: list[Due], steps: list[str]) -> None:
    taken, cash = waterfall(payable, due, steps)
    assert cash >= 0
    assert all(offset.amount > 0 for offset in taken)
    assert [offset.step for offset in taken] == sorted(offset.step for offset in taken)
    owed = sum(item.amount for item in due)
    assert sum(offset.amount for offset in taken) <= owed
    assert cash == 0 or sum(offset.amount for offset in taken) == owed


# -- the clock (R1.4)


@pytest.mark.parametrize(
    ("cut_off", "due_15", "due_20", "due_30"),
    [
        ("2026-02-10", "2026-03-09", "2026-03-16", "2026-03-30"),
        ("2026-03-10", "2026-03-31", "2026-04-08", "2026-04-22"),
        ("2026-04-10", "2026-05-06", "2026-05-12", "2026-05-26"),
        ("2026-05-10", "2026-05-29", "2026-06-05", "2026-06-22"),
        ("2026-09-10", "2026-10-08", "2026-10-14", "2026-10-28"),
        ("2026-10-10", "2026-10-30", "2026-11-06", "2026-11-20"),
        ("2026-11-10", "2026-12-01", "2026-12-08", "2026-12-22"),
    ],
)
def test_deadlines_of_2026_are_those_of_the_rule(cut_off: str, due_15: str, due_20: str, due_30: str) -> None:
    """The table of R1.4. Edge case 1: the cut-off on a worked Saturday, 2026-10-10, counts like any other."""
    for days, due in ((15, due_15), (20, due_20), (30, due_30)):
        found = clock.deadline(calendar.shipped(), days, date.fromisoformat(cut_off))
        assert (found.earliest, found.provisional) == (date.fromisoformat(due), False)


def test_a_span_that_leaves_the_calendar_is_provisional_and_holds_the_deadline_that_comes_out() -> None:
    """Edge case 4, reliability row 52: any notice that has no more weekdays off than the loaded ones."""
    shipped = calendar.shipped()
    known = calendar.Calendar.of(notice for year, notice in shipped.notices.items() if year < 2026)
    for cut_off in (date(2025, 12, 10), date(2025, 12, 31), date(2026, 1, 10), date(2026, 9, 10)):
        found = clock.deadline(known, 15, cut_off)
        final = clock.deadline(shipped, 15, cut_off)
        assert found.provisional == (final.earliest.year == 2026)
        assert found.earliest <= final.earliest <= found.latest


def test_the_cut_off_is_the_tenth_of_the_next_month_and_rolls_only_by_policy() -> None:
    """Edge case 2: 2026-05-10 is a Sunday."""
    known = calendar.shipped()
    assert clock.cut_off(date(2026, 4, 30), 10, "NONE", known) == (date(2026, 5, 10), False)
    assert clock.cut_off(date(2026, 4, 30), 10, "NEXT_WORKING_DAY", known) == (date(2026, 5, 11), False)
    assert clock.cut_off(date(2026, 12, 31), 10, "NONE", known) == (date(2027, 1, 10), False)
    assert clock.cut_off(date(2026, 12, 31), 10, "NEXT_WORKING_DAY", known) == (date(2027, 1, 10), True)
    assert clock.started(CutOff(date(2026, 5, 10)), date(2026, 5, 12)).day == date(2026, 5, 12)
    assert clock.started(CutOff(date(2026, 5, 10)), date(2026, 5, 9)).day == date(2026, 5, 10)


@given(
    st.integers(1, 12),
    st.integers(1, 28),
    st.sets(st.dates(date(2027, 1, 1), date(2027, 12, 31)), max_size=19),
    st.sets(st.dates(date(2027, 1, 1), date(2027, 12, 31)), max_size=9),
)
def test_whatever_the_notice_says_a_deadline_whose_cut_off_rolls_is_between_its_bounds(
    month: int, day: int, holidays: set[date], workdays: set[date]
) -> None:
    known = calendar.shipped()
    off = frozenset(one for one in holidays - workdays if one.weekday() < 5)
    told = known.with_notice(calendar.Notice(2027, "any", off, frozenset(one for one in workdays if one.weekday() > 4)))
    period_to = date(2026, 12, 31) if month == 1 else date(2027, month - 1, 28)
    before, after = (clock.cut_off(period_to, day, "NEXT_WORKING_DAY", calendar_) for calendar_ in (known, told))
    assert (before.rolls, before.day) == (True, date(2027, month, day))
    if after.rolls:
        return  # it rolls into 2028
    found, final = clock.deadline_after(known, 15, before), clock.deadline_after(told, 15, after)
    assert found.earliest <= final.earliest
    assert final.latest <= found.latest or final.provisional


def test_two_targets_are_two_checks() -> None:
    """R1.4, edge case 9: in September the 15 days are over before the month is, the 20 are not."""
    target = clock.month_end_target(date(2026, 9, 30))
    assert target == date(2026, 10, 31)
    assert clock.deadline(calendar.shipped(), 15, date(2026, 10, 10)).latest <= target
    assert clock.deadline(calendar.shipped(), 20, date(2026, 10, 10)).latest > target
    assert clock.month_end_target(date(2024, 1, 31)) == date(2024, 2, 29)


def test_a_clock_runs_over_the_leap_day_and_over_the_end_of_the_year() -> None:
    """Edge case 10, with days that the other calendars of the tests agree on."""
    known = calendar.shipped()
    assert clock.deadline(known, 15, date(2024, 2, 10)).latest == date(2024, 3, 7)
    assert clock.deadline(known, 15, date(2025, 12, 10)).latest == date(2025, 12, 31)
    assert clock.deadline(known, 20, date(2025, 12, 10)).latest == date(2026, 1, 8)
    assert clock.cut_off(date(2025, 12, 31), 10, "NONE", known).day == date(2026, 1, 10)


def test_evidence_counts_each_day_once() -> None:
    found = clock.evidence(calendar.shipped(), date(2026, 2, 10), date(2026, 3, 9))
    assert len(found.counted) == 15
    assert date(2026, 2, 14) in found.counted
    assert date(2026, 2, 17) in found.not_counted
    assert len(found.counted) + len(found.not_counted) == 27
