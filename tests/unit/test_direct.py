"""Where a red letter hits, against a model that knows every fen by itself: which are paid, which are recovered."""

from datetime import date
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from clearing.dimensions import Dimensions
from clearing.direct import statement
from clearing.direct.statement import Line, Statement
from clearing.funds import added
from medfund import money
from medfund.events.statements import RequestedLine

FUND = "310100"
DAY = date(2026, 10, 16)
WHOSE = Dimensions(
    provider="H1", area="152500", insured_area="152500", insutype="310", clr_type="ZJ", benefit_year=2026, advanced=[]
)


class Fen(NamedTuple):
    paid: bool
    recovered: bool


FIRST = (Fen(False, False), Fen(True, False), Fen(False, True), Fen(True, True))
"""What a red letter takes first; a fen that is recovered and one that is paid are never both alone in one line."""


def of(
    charged: list[int], credited: list[int], paid: int, recovered: int, on_its_way: int
) -> tuple[Statement, list[Line]]:
    lines = [Line(f"{n:020d}", DAY, [one], [back]) for n, (one, back) in enumerate(zip(charged, credited, strict=True))]
    supplied, in_all = sum(charged) + sum(credited), sum(charged)
    made = Statement(
        ref="S", dimensions=WHOSE, policy_ref="", opened=1, cut_off=DAY, supplier="", statement_ref="S", funds=[FUND],
        due_on=DAY, supplied={FUND: supplied}, charged={FUND: in_all}, credited={FUND: sum(credited)},
        recovered={FUND: min(recovered, in_all)}, payable=added({FUND: supplied}, {FUND: min(paid, supplied)}, -1),
        ordered={FUND: min(on_its_way, supplied - min(paid, supplied))},
    )  # fmt: skip
    return made, lines


def fens(one: Statement, lines: list[Line], number: int) -> list[Fen]:
    """Every fen that is charged of a line; what was credited of it was paid before the others. What is on its way is,
    as long as it can be, anything else that is not paid."""
    paid, recovered, on_its_way = (by.get(FUND, 0) for by in (one.paid_so_far, one.recovered, one.ordered))
    found: list[Fen] = []
    for n, line in enumerate(lines):
        supplied = [k < paid for k in range(line.charged[0] + line.credited[0])]
        paid -= len(supplied)
        here = supplied[line.credited[0] :] if n == number else []
        found += [Fen(is_paid, k < recovered) for k, is_paid in enumerate(here)]
        recovered -= line.charged[0]
        on_its_way -= supplied.count(False) - here.count(False)
    begins = sum(fen.paid for fen in found)
    return [Fen(fen.paid or k < begins + on_its_way, fen.recovered) for k, fen in enumerate(found)]


AMOUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=4)


@given(AMOUNTS, st.data())
def test_a_red_letter_takes_the_fens_that_are_the_least_far_gone(charged: list[int], data: st.DataObject) -> None:
    credited = data.draw(st.lists(st.integers(0, 5), min_size=len(charged), max_size=len(charged)))
    one, lines = of(charged, credited, *(data.draw(st.integers(0, 40)) for _ in range(3)))
    number = data.draw(st.integers(0, len(charged) - 1))
    taken = data.draw(st.integers(0, charged[number]))
    found = statement.hit(one, lines, number, {FUND: taken})
    expected = sorted(fens(one, lines, number), key=FIRST.index)[:taken]
    assert [part.get(FUND, 0) for part in (found.unpaid, found.paid, found.came_back, found.recovered)] == [
        expected.count(kind) for kind in FIRST
    ]


@given(AMOUNTS, st.integers(0, 30), st.integers(0, 30))
def test_what_is_paid_of_each_line_adds_up_and_fills_them_in_their_order(amounts: list[int], a: int, b: int) -> None:
    one, lines = of(amounts, [0] * len(amounts), 0, 0, 0)
    low, high = sorted((a, b))
    told = statement.told(one, lines, {FUND: low}, {FUND: high})
    assert sum(fen for _, fen in told) == min(high, sum(amounts)) - min(low, sum(amounts))
    whole = statement.told(one, lines, {}, {FUND: sum(amounts)})
    assert [fen for _, fen in whole] == [fen for fen in amounts if fen]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=9), st.integers(1, 9999))
def test_a_statement_is_the_sum_of_its_lines_each_split_by_itself(amounts: list[int], share: int) -> None:
    key = {"390100": 10_000 - share, "310100": share}
    lines = [RequestedLine(f"{n:020d}", money.yuan(fen), DAY) for n, fen in enumerate(amounts)]
    made = statement.split(lines, key)
    assert [sum(line.charged) for line in made] == amounts
    assert sum(statement.sums(made, sorted(key)).values()) == sum(amounts)
