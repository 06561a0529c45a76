"""The hot type's cheap test may only ever be faster than the exact one, never kinder."""

from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from medfund import money
from medfund.events import settlements
from medfund.events.settlements import SettlementRecorded

odd_amounts = st.text("0123456789.,-+ e٣", max_size=8) | st.sampled_from(
    ["0.00", "0.05", ".50", "1,.50", "5.0,", "5.,0", "00.50", "-0.00", "-1.00", "1.5", "1.555", "9" * 14 + ".99"]
)
good_amounts = st.integers(0, 10**12).map(money.yuan)


def settlement(total: str, funds: dict[str, str], rest: list[str]) -> SettlementRecorded:
    names = ("personal_account", "family_account", "hospital_share", "other", "cash")
    data: dict[str, Any] = {
        **SettlementRecorded.example,
        "total": total,
        "funds": funds,
        **dict(zip(names, rest, strict=True)),
    }
    return msgspec.convert(data, SettlementRecorded)


@given(
    total=odd_amounts,
    funds=st.dictionaries(st.sampled_from(["310100", "390100", "610100"]), odd_amounts, max_size=3),
    rest=st.lists(odd_amounts, min_size=5, max_size=5),
)
@example(total="5.50", funds={"390100": ".50"}, rest=["5.00", "0.00", "0.00", "0.00", "0.00"])
def test_what_the_cheap_test_lets_pass_the_exact_test_lets_pass(
    total: str, funds: dict[str, str], rest: list[str]
) -> None:
    event = settlement(total, funds, rest)
    assert settlements.check_recorded(event) == settlements.check_exactly(event)


@given(
    funds=st.dictionaries(st.sampled_from(["310100", "390100", "610100"]), good_amounts, max_size=3),
    rest=st.lists(good_amounts, min_size=5, max_size=5),
    odd=st.sampled_from([0, 0, 1, -1]),
)
def test_a_settlement_passes_exactly_when_it_adds_up(funds: dict[str, str], rest: list[str], odd: int) -> None:
    parts = sum(map(money.fen, [*funds.values(), *rest]))
    event = settlement(money.yuan(max(parts + odd, 0)), funds, rest)
    assert (settlements.check_recorded(event) is None) == (max(parts + odd, 0) == parts)
