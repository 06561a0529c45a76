"""The posting table, against the accountant's own numbers (domain.md R1.5, c.4) and a quarter of one fund (stories).

Cash: whatever happens, each bank account and suspense account is the same in both books.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import chart, posting
from ledger.posting import Line
from medfund import money
from medfund.events.kinds import KINDS, Event

STORY = Path(__file__).parents[1] / "stories" / "four-funds.json"


def event(type: str, **changes: Any) -> Event:
    kind = KINDS[type]
    result = msgspec.convert({**kind.example, **changes}, kind.event)
    assert kind.check(result) is None
    return result


def yuan(**amounts: str) -> dict[str, str]:
    return {name.removeprefix("f"): amount for name, amount in amounts.items()}


def book(name: str, lines: list[Line]) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        {(line.debit, line.credit, line.fund, money.yuan(line.amount)): 1 for line in lines if line.book == name}
    )


def test_every_event_type_of_the_contract_is_in_the_table() -> None:
    assert {kind.event for kind in KINDS.values()} == set(posting.RULES)


def test_no_line_ever_mixes_the_two_books() -> None:
    for kind in KINDS.values():
        for line in posting.lines(msgspec.convert(dict(kind.example), kind.event)):
            assert chart.ACCOUNTS[line.debit].book == chart.ACCOUNTS[line.credit].book == line.book


def test_a_month_of_one_provider_ends_as_r1_5_proves() -> None:
    claimed = yuan(f310100="2100000.37", f310200="456789.12", f390100="880000.00", f610100="19999.63")
    p1 = yuan(f310100="1890000.33", f310200="411110.21", f390100="792000.00", f610100="17999.67")
    approved = yuan(f310100="2070769.82", f310200="456789.12", f390100="880000.00", f610100="19999.63")
    bond = yuan(f310100="103538.49", f310200="0.00", f390100="44000.00", f610100="0.00")
    net = yuan(f310100="1967231.33", f310200="456789.12", f390100="836000.00", f610100="19999.63")
    p2 = yuan(f310100="77231.00", f310200="45678.91", f390100="44000.00", f610100="1999.96")
    nothing: dict[str, Any] = {"personal_account": "0.00", "cash": "0.00"}
    month = [
        event("settlement.recorded.v1", funds=claimed, total="3456789.12", **nothing),
        event("claim.batch.accepted.v1", amounts=claimed),
        event("payment.settled.v1", amounts=p1, purpose="INSTANT", instant_stat="TEMP"),
        event("claim.deducted.v1", amounts=yuan(f310100="29230.55")),
        event("claim.batch.approved.v1", approved=approved, bond=bond, net=net),
        event("offset.applied.v1", amounts=p1, account="1104", recovery_year=None, instant_stat="TEMP"),
        event("payment.settled.v1", amounts=p2, purpose="PAYABLE", instant_stat=None),
    ]
    balance: Counter[str] = Counter()
    for line in (line for one in month for line in posting.lines(one)):
        balance[line.debit] += line.amount
        balance[line.credit] -= line.amount
    assert {code: money.yuan(fen) for code, fen in balance.items() if fen} == {
        "2103": "-147538.49",
        "1002": "-3280020.08",
        "5001": "3427558.57",
        "EXPENSE": "3280020.08",
        "EXP_CASH": "-3280020.08",
    }


REVERSED = "settlement.reversed.v1"
BEARERS = [
    ("settlement.recorded.v1", {}, ("5001", "2100", "390100", "6852.80")),
    ("settlement.recorded.v1", {"insured_area": "370100"}, ("1106", "2100", "390100", "6852.80")),
    ("settlement.recorded.v1", {"advanced": ["610100"]}, ("1110", "2100", "610100", "621.39")),
    ("settlement.recorded.v1", {"advanced": ["610100"]}, ("5001", "2100", "390200", "281.55")),
    (REVERSED, {}, ("2100", "5001", "390100", "6852.80")),
    (REVERSED, {"insured_area": "370100"}, ("2100", "1106", "390100", "6852.80")),
    (REVERSED, {"advanced": ["610100"]}, ("2100", "1110", "610100", "621.39")),
    ("claim.batch.accepted.v1", {"amounts": {"310100": "-5.00"}}, ("2101", "2100", "310100", "5.00")),
    ("claim.batch.withdrawn.v1", {"amounts": {"310100": "5.00"}}, ("2101", "2100", "310100", "5.00")),
    ("claim.deducted.v1", {"insured_area": "370100"}, ("2101", "1106", "310100", "29230.55")),
    ("audit.deduction.undone.v1", {}, ("5001", "2101", "310100", "412.30")),
    ("audit.deduction.undone.v1", {"advanced": ["310100"]}, ("1110", "2101", "310100", "412.30")),
    ("claim.payable.held.v1", {}, ("2102", "2108", "310100", "500000.00")),
    ("claim.payable.released.v1", {}, ("2108", "2102", "310100", "500000.00")),
    ("recovery.opened.v1", {}, ("1107", "5001", "310100", "219947.40")),
    ("recovery.opened.v1", {"recovery_year": "PRIOR"}, ("1107", "4001", "310100", "219947.40")),
    (
        "recovery.opened.v1",
        {"recovery_year": "PRIOR", "insured_area": "370100"},
        ("1107", "1106", "310100", "219947.40"),
    ),
    ("recovery.reversed.v1", {}, ("5001", "1107", "310100", "10000.00")),
    ("recovery.reversed.v1", {}, ("5001", "2102", "310100", "9947.40")),
    ("fine.noted.v1", {}, ("9001", "9901", "310100", "439894.80")),
]


@pytest.mark.parametrize(("type", "changes", "expected"), BEARERS)
def test_who_bears_a_part_decides_its_account(type: str, changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    lines = posting.lines(event(type, **changes))
    assert expected in book("OPS", lines)
    assert not book("STAT", lines)


P1 = {"amounts": {"310100": "100.00"}, "purpose": "INSTANT"}
CASH = [
    # changes, STAT debit, STAT credit
    ({**P1, "instant_stat": "TEMP"}, "TEMP_INSTANT", "EXP_CASH"),
    ({**P1, "instant_stat": "EXPENSE"}, "EXPENSE", "EXP_CASH"),
    ({**P1, "instant_stat": "TEMP", "insured_area": "370100"}, "TEMP_INSTANT", "EXP_CASH"),
    ({**P1, "instant_stat": "EXPENSE", "insured_area": "370100"}, "TEMP_VISITOR", "EXP_CASH"),
    ({**P1, "purpose": "PAYABLE", "instant_stat": None}, "EXPENSE", "EXP_CASH"),
    ({**P1, "purpose": "PAYABLE", "instant_stat": None, "advanced": ["310100"]}, "TEMP_OTHER", "EXP_CASH"),
    ({**P1, "purpose": "CLEARING", "instant_stat": None, "bank_account": "1003"}, "EXPENSE", "FISCAL_CASH"),
    ({**P1, "purpose": "SUPPLIER", "instant_stat": None}, "TEMP_DIRECT", "EXP_CASH"),
    ({**P1, "purpose": "SUPPLIER", "instant_stat": None, "insured_area": "370100"}, "TEMP_DIRECT", "EXP_CASH"),
]


@pytest.mark.parametrize(("changes", "debit", "credit"), CASH)
def test_a_payment_shows_in_the_statutory_book_when_cash_moves(
    changes: dict[str, Any], debit: str, credit: str
) -> None:
    paid = posting.lines(event("payment.settled.v1", **changes))
    assert book("STAT", paid) == Counter({(debit, credit, "310100", "100.00"): 1})
    split = {"to_advance": changes["amounts"] if changes["purpose"] == "INSTANT" else {}, "to_payable": {}}
    returned = posting.lines(event("payment.returned.v1", **{**changes, **split}))
    assert book("STAT", returned) == Counter({(credit, debit, "310100", "100.00"): 1})


@pytest.mark.parametrize(
    ("changes", "credit"),
    [
        ({}, "EXPENSE"),
        ({"recovery_year": "PRIOR"}, "OTHER_INCOME"),
        ({"recovery_year": "PRIOR", "insured_area": "370100"}, "TEMP_VISITOR"),
        ({"advanced": ["310100"]}, "TEMP_OTHER"),
    ],
)
def test_a_recovery_in_cash_comes_to_the_fiscal_special_account(changes: dict[str, Any], credit: str) -> None:
    lines = posting.lines(event("recovery.settled.v1", **changes))
    assert book("OPS", lines) == Counter({("1003", "1107", "310100", "219947.40"): 1})
    assert book("STAT", lines) == Counter({("FISCAL_CASH", credit, "310100", "219947.40"): 1})


def test_a_prior_years_recovery_that_was_wrong_takes_its_income_back_as_far_as_money_was_taken() -> None:
    lines = posting.lines(event("recovery.reversed.v1", recovery_year="PRIOR"))
    assert book("OPS", lines) == Counter(
        {("4001", "1107", "310100", "10000.00"): 1, ("4001", "2102", "310100", "9947.40"): 1}
    )
    assert book("STAT", lines) == Counter({("OTHER_INCOME", "EXPENSE", "310100", "9947.40"): 1})


def test_a_payable_that_makes_good_another_one_stays_in_its_account() -> None:
    assert not posting.lines(event("offset.applied.v1", account="2102", recovery_year=None))


def test_a_returned_p1_goes_back_to_the_advance_first_and_the_rest_to_the_payable() -> None:
    lines = posting.lines(event("payment.returned.v1"))
    assert book("OPS", lines) == Counter(
        {("1002", "1104", "310100", "400000.00"): 1, ("1002", "2102", "310100", "11110.21"): 1}
    )
    assert book("STAT", lines) == Counter(
        {("EXP_CASH", "TEMP_INSTANT", "310100", "400000.00"): 1, ("EXP_CASH", "EXPENSE", "310100", "11110.21"): 1}
    )


A = {"amounts": {"310100": "1.00"}, "recovery_year": None}
OFFSETS = [
    # changes, OPS debit, OPS credit, STAT debit, STAT credit
    ({**A, "account": "1101"}, "2102", "1101", "EXPENSE", "TEMP_PREPAY"),
    ({**A, "account": "1102"}, "2102", "1102", "EXPENSE", "TEMP_VBP"),
    ({**A, "account": "1103"}, "2102", "1103", "EXPENSE", "TEMP_DIRECT"),
    ({**A, "account": "1104", "instant_stat": "TEMP"}, "2102", "1104", "EXPENSE", "TEMP_INSTANT"),
    ({**A, "account": "1104", "instant_stat": "EXPENSE"}, "2102", "1104", None, None),
    ({**A, "account": "1107", "recovery_year": "CURRENT"}, "2102", "1107", "EXPENSE", "EXPENSE"),
    ({**A, "account": "1107", "recovery_year": "PRIOR"}, "2102", "1107", "EXPENSE", "OTHER_INCOME"),
    ({**A, "account": "1108"}, "2102", "1108", "EXPENSE", "EXPENSE"),
    ({**A, "account": "1108", "taken_from": "2104"}, "2104", "1108", "EXPENSE", "EXPENSE"),
    (
        {**A, "account": "1103", "taken_from": "P1", "instant_stat": "TEMP"},
        "1104",
        "1103",
        "TEMP_INSTANT",
        "TEMP_DIRECT",
    ),
    ({**A, "account": "1101", "taken_from": "P1", "instant_stat": "EXPENSE"}, "1104", "1101", "EXPENSE", "TEMP_PREPAY"),
    ({**A, "account": "1101", "insured_area": "370100"}, "2102", "1101", "TEMP_VISITOR", "TEMP_PREPAY"),
    ({**A, "account": "1108", "item_insured_area": "370100"}, "2102", "1108", "EXPENSE", "TEMP_VISITOR"),
    (
        {**A, "account": "1107", "recovery_year": "PRIOR", "item_advanced": ["310100"]},
        "2102",
        "1107",
        "EXPENSE",
        "TEMP_OTHER",
    ),
]


@pytest.mark.parametrize(("changes", "debit", "credit", "stat_debit", "stat_credit"), OFFSETS)
def test_an_offset_pays_its_item_in_both_books(
    changes: dict[str, Any], debit: str, credit: str, stat_debit: str | None, stat_credit: str | None
) -> None:
    lines = posting.lines(event("offset.applied.v1", **changes))
    assert book("OPS", lines) == Counter({(debit, credit, "310100", "1.00"): 1})
    expected = Counter({(stat_debit, stat_credit, "310100", "1.00"): 1}) if stat_debit else Counter()
    assert book("STAT", lines) == expected


# -- the fund's own accounts, and bank money that nobody can place

F = {"310100": "100.00"}
OUT_1002 = {"direction": "OUT", "bank_account": "1002", "amounts": F}
OUT_1003 = {"direction": "OUT", "bank_account": "1003", "amounts": F}
IN_1002 = {"direction": "IN", "bank_account": "1002", "amounts": F}
IN_1003 = {"direction": "IN", "bank_account": "1003", "amounts": F}
ITEMS = [OUT_1002, OUT_1003, IN_1002, IN_1003]
OPENING, TREASURY = "opening.balance.recorded.v1", "treasury.funds.received.v1"
OPENED, PLACED = "suspense.opened.v1", "suspense.placed.v1"
PLAIN = {"amounts": F, "purpose": "PAYABLE", "instant_stat": None}
INSTANT = {"amounts": F, "purpose": "INSTANT", "instant_stat": "TEMP"}
TO_ADVANCE: dict[str, Any] = {"to_advance": F, "to_payable": {}}
TO_WHAT_WAS_PAID: dict[str, Any] = {"to_advance": {}, "to_payable": {}}
OWN = [
    # type, changes, OPS debit, OPS credit, STAT debit, STAT credit
    (TREASURY, {"amounts": F}, "1002", "1003", "EXP_CASH", "FISCAL_CASH"),
    (OPENING, {"amounts": F, "account": "1002"}, "1002", "3001", "EXP_CASH", "FUND_BALANCE"),
    (OPENING, {"amounts": F, "account": "1003"}, "1003", "3001", "FISCAL_CASH", "FUND_BALANCE"),
    (OPENING, {"amounts": {"310100": "-100.00"}, "account": "1003"}, "3001", "1003", "FUND_BALANCE", "FISCAL_CASH"),
    (OPENED, OUT_1002, "1190", "1002", "TEMP_SUSPENSE", "EXP_CASH"),
    (OPENED, OUT_1003, "1190", "1003", "TEMP_SUSPENSE", "FISCAL_CASH"),
    (OPENED, IN_1002, "1002", "2190", "EXP_CASH", "RECV_SUSPENSE"),
    (OPENED, IN_1003, "1003", "2190", "FISCAL_CASH", "RECV_SUSPENSE"),
    (PLACED, {**IN_1002, "placed_as": "FISCAL"}, "2190", "1003", "RECV_SUSPENSE", "FISCAL_CASH"),
    (PLACED, {**IN_1003, "placed_as": "FISCAL"}, "2190", "1002", "RECV_SUSPENSE", "EXP_CASH"),
    (PLACED, {**OUT_1003, "placed_as": "FISCAL"}, "1002", "1190", "EXP_CASH", "TEMP_SUSPENSE"),
    (PLACED, {**OUT_1002, "placed_as": "FISCAL"}, "1003", "1190", "FISCAL_CASH", "TEMP_SUSPENSE"),
    (PLACED, {**IN_1002, "placed_as": "CORRECTED"}, "2190", "1190", "RECV_SUSPENSE", "TEMP_SUSPENSE"),
    (PLACED, {**IN_1002, "placed_as": "OTHER_PAYER"}, "2190", "1110", "RECV_SUSPENSE", "TEMP_OTHER"),
    (PLACED, {**OUT_1002, "placed_as": "OTHER_PAYER"}, "1110", "1190", "TEMP_OTHER", "TEMP_SUSPENSE"),
    (PLACED, {**OUT_1002, "placed_as": "CORRECTED"}, "2190", "1190", "RECV_SUSPENSE", "TEMP_SUSPENSE"),
    ("payment.settled.v1", {**PLAIN, "bank_account": "1190"}, "2102", "1190", "EXPENSE", "TEMP_SUSPENSE"),
    ("payment.settled.v1", {**INSTANT, "bank_account": "1190"}, "1104", "1190", "TEMP_INSTANT", "TEMP_SUSPENSE"),
    (
        "payment.returned.v1",
        {**PLAIN, **TO_WHAT_WAS_PAID, "bank_account": "2190"},
        "2190",
        "2102",
        "RECV_SUSPENSE",
        "EXPENSE",
    ),
    (
        "payment.returned.v1",
        {**INSTANT, **TO_ADVANCE, "bank_account": "2190"},
        "2190",
        "1104",
        "RECV_SUSPENSE",
        "TEMP_INSTANT",
    ),
    ("recovery.settled.v1", {"amounts": F, "bank_account": "2190"}, "2190", "1107", "RECV_SUSPENSE", "EXPENSE"),
]


@pytest.mark.parametrize(("type", "changes", "debit", "credit", "stat_debit", "stat_credit"), OWN)
def test_money_of_the_fund_itself_moves_alike_in_both_books(
    type: str, changes: dict[str, Any], debit: str, credit: str, stat_debit: str, stat_credit: str
) -> None:
    lines = posting.lines(event(type, **changes))
    assert book("OPS", lines) == Counter({(debit, credit, "310100", "100.00"): 1})
    assert book("STAT", lines) == Counter({(stat_debit, stat_credit, "310100", "100.00"): 1})


BEGUN = """
account  whose    OPS                         STAT
1105     area     Dr 1105 / Cr 3001           Dr TEMP_XR / Cr FUND_BALANCE
1106     area     Dr 1106 / Cr 3001           Dr TEMP_VISITOR / Cr FUND_BALANCE
1110     area     Dr 1110 / Cr 3001           Dr TEMP_OTHER / Cr FUND_BALANCE
1120     area     Dr 1120 / Cr 3001           Dr TEMP_FUND / Cr FUND_BALANCE
2106     area     Dr 3001 / Cr 2106           none
2107     area     Dr 3001 / Cr 2107           Dr FUND_BALANCE / Cr RECV_XR
2109     area     Dr 3001 / Cr 2109           none
2120     area     Dr 3001 / Cr 2120           Dr FUND_BALANCE / Cr RECV_FUND
1101     own      Dr 1101 / Cr 3001           Dr TEMP_PREPAY / Cr FUND_BALANCE
1102     own      Dr 1102 / Cr 3001           Dr TEMP_VBP / Cr FUND_BALANCE
1103     own      Dr 1103 / Cr 3001           Dr TEMP_DIRECT / Cr FUND_BALANCE
1109     own      Dr 1109 / Cr 3001           Dr TEMP_DIRECT / Cr FUND_BALANCE
2105     own      Dr 3001 / Cr 2105           Dr FUND_BALANCE / Cr TEMP_DIRECT
1104     own      Dr 1104 / Cr 3001           Dr TEMP_INSTANT / Cr FUND_BALANCE
1107     own      Dr 1107 / Cr 3001           none
1108     own      Dr 1108 / Cr 3001           none
2102     own      Dr 3001 / Cr 2102           none
2103     own      Dr 3001 / Cr 2103           none
2104     own      Dr 3001 / Cr 2104           none
2108     own      Dr 3001 / Cr 2108           none
1107     visitor  Dr 1107 / Cr 3001           Dr TEMP_VISITOR / Cr FUND_BALANCE
1108     visitor  Dr 1108 / Cr 3001           Dr TEMP_VISITOR / Cr FUND_BALANCE
2102     visitor  Dr 3001 / Cr 2102           Dr FUND_BALANCE / Cr TEMP_VISITOR
2103     visitor  Dr 3001 / Cr 2103           Dr FUND_BALANCE / Cr TEMP_VISITOR
2104     other    Dr 3001 / Cr 2104           Dr FUND_BALANCE / Cr TEMP_OTHER
2108     other    Dr 3001 / Cr 2108           Dr FUND_BALANCE / Cr TEMP_OTHER
"""
"""As the ties between the two books have it: Invariants of c.4."""
BRINGS: dict[str, dict[str, Any]] = {
    "1101": {"prepayment_kind": "ANNUAL", "given": "800.00"},
    "1102": {
        "prepayment_kind": "BULK", "given": "800.00", "contract_ref": "JC-1", "agreed": "2000.00", "purchased": "3.00",
    },
    "1107": {"decided_on": "2025-11-03"},
    "2108": {"hold_ref": "H-1"},
}  # fmt: skip
WHOSE: dict[str, dict[str, Any]] = {
    "own": {}, "visitor": {"insured_area": "370100"}, "other": {"advanced": ["310100"]},
}  # fmt: skip


@pytest.mark.parametrize("row", [re.split(r"  +", row) for row in BEGUN.strip().splitlines()[1:]], ids=" ".join)
def test_what_the_books_begin_with_is_against_the_funds_balance(row: list[str]) -> None:
    account, whose, ops, stat = row
    opening = {"310100": "731.05"}
    if whose == "area":
        told = event(OPENING, account=account, amounts=opening)
    else:
        items = [{"account": account, "amounts": opening}]
        more = {**WHOSE[whose], **BRINGS.get(account, {})}
        told = event("opening.item.taken.v1", accounts=items, instant_stat="TEMP", **more)
    for name, sides in (("OPS", ops), ("STAT", stat)):
        debit, credit = re.fullmatch(r"Dr (\w+) / Cr (\w+)|none", sides).groups()  # type: ignore[union-attr]
        expected = Counter({(debit, credit, "310100", "731.05"): 1}) if debit else Counter()
        assert book(name, posting.lines(told)) == expected


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("placed_as", ["PAYMENT", "RETURN", "RECOVERY"])
def test_what_a_payment_or_a_recovery_explains_is_booked_by_its_own_decision(
    item: dict[str, Any], placed_as: str
) -> None:
    assert not posting.lines(event(PLACED, **item, placed_as=placed_as))


def balances(happened: list[Event]) -> Counter[tuple[str, str]]:
    """Account and fund -> debit less credit in fen."""
    found: Counter[tuple[str, str]] = Counter()
    for line in (line for one in happened for line in posting.lines(one)):
        found[line.debit, line.fund] += line.amount
        found[line.credit, line.fund] -= line.amount
    return Counter({place: fen for place, fen in found.items() if fen})


WAYS_OUT = {
    "OUT": ("payment.settled.v1", {**PLAIN, "bank_account": "1190"}),
    "IN": ("payment.returned.v1", {**PLAIN, **TO_WHAT_WAS_PAID, "bank_account": "2190"}),
}


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_that_was_placed_leaves_nothing_in_suspense_and_its_bank_account_as_the_bank_had_it(
    item: dict[str, Any],
) -> None:
    type, answer = WAYS_OUT[item["direction"]]
    sign = 1 if item["direction"] == "IN" else -1
    other = {"1002": "1003", "1003": "1002"}[item["bank_account"]]
    opened = event(OPENED, **item)
    explained = balances([opened, event(PLACED, **item, placed_as="PAYMENT"), event(type, **answer)])
    moved = balances([opened, event(PLACED, **item, placed_as="FISCAL")])
    assert explained == balances([event(type, **{**answer, "bank_account": item["bank_account"]})])
    assert {place: fen for place, fen in moved.items() if place[0].isdigit()} == {
        (item["bank_account"], "310100"): sign * 10_000,
        (other, "310100"): -sign * 10_000,
    }


@pytest.mark.parametrize(("left", "came"), [(OUT_1003, IN_1002), (OUT_1002, IN_1003), (OUT_1002, IN_1002)])
def test_two_items_that_are_each_others_other_side_take_each_other_out_of_suspense_once(
    left: dict[str, Any], came: dict[str, Any]
) -> None:
    found = balances([event(OPENED, **left), event(OPENED, **came), event(PLACED, **came, placed_as="CORRECTED")])
    apart = [event(PLACED, **item, placed_as="CORRECTED", target_lane=3) for item in (left, came)]
    assert found == balances([event(OPENED, **left), event(OPENED, **came), *apart])
    transfer = Counter({(came["bank_account"], "310100"): 10_000})
    transfer[left["bank_account"], "310100"] -= 10_000
    assert {place: fen for place, fen in found.items() if place[0].isdigit()} == {
        place: fen for place, fen in transfer.items() if fen
    }


FUNDS = st.sampled_from(["310100", "390100"])
POSITIVE = st.dictionaries(FUNDS, st.integers(0, 10**13).map(money.yuan), max_size=2)
ANY_SIGN = st.dictionaries(FUNDS, st.integers(-(10**13), 10**13).map(money.yuan), max_size=2)
BANKS, LEFT_FROM = st.sampled_from(["1002", "1003"]), st.sampled_from(["1002", "1003", "1190", "2190"])
DIRECTIONS = st.sampled_from(["OUT", "IN"])
PLACINGS = st.sampled_from(["PAYMENT", "RETURN", "RECOVERY", "FISCAL", "CORRECTED", "OTHER_PAYER"])
BEARER = st.fixed_dictionaries({"insured_area": st.sampled_from(["152500", "370100"])})
PURPOSE = st.one_of(
    st.fixed_dictionaries({"purpose": st.just("INSTANT"), "instant_stat": st.sampled_from(["TEMP", "EXPENSE"])}),
    st.fixed_dictionaries({"purpose": st.sampled_from(["PAYABLE", "CLEARING"]), "instant_stat": st.none()}),
)


def happening(type: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.fixed_dictionaries(fields).map(lambda changes: event(type, **changes))


def returned(told: dict[str, Any], purpose: dict[str, Any], bearer: dict[str, str]) -> Event:
    instant = purpose["purpose"] == "INSTANT"
    split = {"to_advance": told["amounts"] if instant else {}, "to_payable": {}}
    return event("payment.returned.v1", **told, **purpose, **bearer, **split)


PAID = st.fixed_dictionaries({"amounts": POSITIVE, "bank_account": LEFT_FROM})
HAPPENINGS = st.one_of(
    happening(OPENING, amounts=ANY_SIGN, account=BANKS),
    happening(TREASURY, amounts=POSITIVE),
    happening(OPENED, amounts=POSITIVE, bank_account=BANKS, direction=DIRECTIONS),
    happening(PLACED, amounts=POSITIVE, bank_account=BANKS, direction=DIRECTIONS, placed_as=PLACINGS),
    happening("recovery.settled.v1", amounts=POSITIVE, bank_account=st.sampled_from(["1003", "2190"])),
    st.builds(lambda told, how, who: event("payment.settled.v1", **told, **how, **who), PAID, PURPOSE, BEARER),
    st.builds(returned, PAID, PURPOSE, BEARER),
)


@given(st.lists(HAPPENINGS, max_size=12))
def test_whatever_happens_every_fund_balances_and_both_books_have_the_same_cash(happened: list[Event]) -> None:
    found = balances(happened)
    for fund in ("310100", "390100"):
        for name in chart.BOOKS:
            assert (
                sum(fen for (code, of), fen in found.items() if of == fund and chart.ACCOUNTS[code].book == name) == 0
            )
        for code, stat in chart.CASH_STAT.items():
            assert found[code, fund] == found[stat.code, fund], (code, fund)


# -- the story: what the world says there, as our events


def amounts(by_fund: dict[str, int]) -> dict[str, str]:
    return {fund: money.yuan(fen) for fund, fen in by_fund.items() if fen}


def settlement(told: dict[str, Any], advanced: list[str]) -> Event:
    sign = -1 if told["type"].endswith("reversed") else 1
    funds = {fund: sign * fen for fund, fen in told["amounts"].items()}
    return event(
        f"{told['type']}.v1",
        funds=amounts(funds), total=money.yuan(sum(funds.values())), personal_account="0.00", cash="0.00",
        advanced=[fund for fund in advanced if fund in amounts(funds)],
    )  # fmt: skip


def of_story(told: dict[str, Any], policy: dict[str, Any]) -> Iterator[Event]:
    """Our events for one entry of a story; nothing for the entries of later capabilities."""
    stat, expect = policy["instant_stat"], told["expect"]

    def among(by_fund: dict[str, Any]) -> list[str]:
        return [fund for fund in policy["advanced"] if fund in by_fund]

    def one(type: str, by_fund: dict[str, int], **more: Any) -> Iterator[Event]:
        if moved := amounts(by_fund):
            yield event(type, amounts=moved, advanced=among(moved), **more)

    def offsets(taken_from: str) -> Iterator[Event]:
        for fund, items in expect["offsets"].items():
            for account, fen in items.items():
                p1 = stat if "P1" in taken_from or account == "1104" else None
                year = "CURRENT" if account == "1107" else None
                yield from one("offset.applied.v1", {fund: fen}, taken_from=taken_from, account=account,
                               instant_stat=p1, recovery_year=year)  # fmt: skip

    match told["type"]:
        case "settlement.recorded" | "settlement.reversed":
            yield settlement(told, policy["advanced"])
        case "claim.accepted" | "claim.withdrawn":
            yield from one(f"claim.batch.{told['type'].removeprefix('claim.')}.v1", told["amounts"])
        case "deduction.final":
            yield from one("claim.deducted.v1", told["amounts"])
        case "deduction.undone":
            yield from one("audit.deduction.undone.v1", told["amounts"])
        case "recovery.decided":
            yield from one("recovery.opened.v1", told["amounts"], recovery_year=told["year"])
        case "recovery.cash":
            yield from one("recovery.settled.v1", told["amounts"], recovery_year="CURRENT")
        case "recovery.reversed":
            taken = amounts(told["amounts"])
            yield from one("recovery.reversed.v1", told["amounts"], to_open={}, to_payable=taken)
        case "fine.noted":
            yield from one("fine.noted.v1", told["amounts"])
        case "claim.approved":
            by_fund = expect["amounts"]
            sets = {
                name: {fund: money.yuan(parts[name]) for fund, parts in by_fund.items()}
                for name in ("approved", "bond", "net")
            }
            yield event("claim.batch.approved.v1", **sets, advanced=among(sets["approved"]))
        case "instant.paid":
            yield from offsets("P1")
            yield from one("payment.settled.v1", expect["cash"], purpose="INSTANT", instant_stat=stat)
        case "instant.retried":
            yield from one("payment.settled.v1", told["amounts"], purpose="INSTANT", instant_stat=stat)
        case "instant.returned":
            yield from one("payment.returned.v1", told["amounts"], purpose="INSTANT", instant_stat=stat,
                           to_advance=amounts(told["amounts"]), to_payable={})  # fmt: skip
        case "payable.settled":
            yield from offsets("2102")
            yield from one("payment.settled.v1", expect["cash"], purpose="PAYABLE", instant_stat=None)
        case "payment.retried":
            yield from one("payment.settled.v1", told["amounts"], purpose="PAYABLE", instant_stat=None)
        case "bank.returned":
            yield from one("payment.returned.v1", told["amounts"], purpose="PAYABLE", instant_stat=None,
                           to_advance={}, to_payable={})  # fmt: skip
        case "hold.placed" | "hold.released":
            yield from one(f"claim.payable.{told['type'].replace('hold.placed', 'held').replace('hold.', '')}.v1",
                           told["amounts"])  # fmt: skip


def test_a_quarter_of_one_fund_is_booked_line_by_line_as_its_story_says() -> None:
    story = json.loads(STORY.read_text())
    told_types = Counter[str]()
    for told in story["events"]:
        lines = [line for one in of_story(told, story["policy"]) for line in posting.lines(one)]
        if not lines:
            continue
        told_types[told["type"]] += 1
        for name, part in (("OPS", "journal"), ("STAT", "stat")):
            expected = sorted((e["debit"], e["credit"], e["fund"], e["amount"]) for e in told["expect"][part])
            found = sorted((line.debit, line.credit, line.fund, line.amount) for line in lines if line.book == name)
            assert found == expected, (told["seq"], told["type"], name)
    assert told_types.total() >= 20


ON_BEHALF = {
    "supplier.debt.netted.v1": ({"amounts": {"310100": "13.67"}}, [("2105", "1109", "310100", "13.67")], []),
    "supplier.overpaid.v1": ({"amounts": {"310100": "30.01"}}, [("1109", "2105", "310100", "30.01")], []),
    "hospital.shortfall.collected.v1": (
        {"amounts": {"310100": "11.07"}}, [("1002", "1103", "310100", "11.07")],
        [("EXP_CASH", "TEMP_DIRECT", "310100", "11.07")],
    ),
    "supplier.refunded.v1": (
        {"amounts": {"390100": "9.03"}, "bank_account": "2190"}, [("2190", "1109", "390100", "9.03")],
        [("RECV_SUSPENSE", "TEMP_DIRECT", "390100", "9.03")],
    ),
    "inter_fund.trued_up.v1": (
        {"from_fund": "390100", "to_fund": "310100", "amounts": {"390100": "29.01"}},
        [("1120", "1103", "390100", "29.01"), ("1103", "2120", "310100", "29.01")],
        [("TEMP_FUND", "TEMP_DIRECT", "390100", "29.01"), ("TEMP_DIRECT", "RECV_FUND", "310100", "29.01")],
    ),
    "red_letter.followed.v1": (
        {
            "from_fund": "390100", "to_fund": "310100", "amounts": {"390100": "24.03"}, "paid": {"390100": "5.01"},
            "owed": {"310100": "3.00"}, "recovered": {"310100": "2.01"}, "undone": {"390100": "19.02"},
            "given_back": {"310100": "4.07"},
        },
        [
            ("1109", "1103", "310100", "3.00"), ("1109", "2102", "310100", "2.01"), ("1103", "2102", "310100", "4.07"),
            ("1120", "1103", "310100", "19.02"), ("1103", "2120", "390100", "19.02"),
            ("2105", "1103", "390100", "19.02"),
        ],
        [
            ("TEMP_DIRECT", "EXPENSE", "310100", "2.01"), ("TEMP_DIRECT", "EXPENSE", "310100", "4.07"),
            ("TEMP_FUND", "TEMP_DIRECT", "310100", "19.02"), ("TEMP_DIRECT", "RECV_FUND", "390100", "19.02"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("type", ON_BEHALF)
def test_what_is_paid_on_a_hospitals_behalf_is_booked_in_both_books(type: str) -> None:
    changes, ops, stat = ON_BEHALF[type]
    lines = posting.lines(event(type, **changes))
    assert (book("OPS", lines), book("STAT", lines)) == (Counter(ops), Counter(stat))


@pytest.mark.parametrize(
    ("direction", "ops", "stat"),
    [
        ("OUT", ("2120", "1190"), ("RECV_FUND", "TEMP_SUSPENSE")),
        ("IN", ("2190", "1120"), ("RECV_SUSPENSE", "TEMP_FUND")),
    ],
)
def test_cash_between_two_funds_ends_what_they_owe_each_other(
    direction: str, ops: tuple[str, str], stat: tuple[str, str]
) -> None:
    placed = event("suspense.placed.v1", placed_as="INTER_FUND", direction=direction, amounts={"310100": "29.01"})
    lines = posting.lines(placed)
    assert book("OPS", lines) == Counter([(*ops, "310100", "29.01")])
    assert book("STAT", lines) == Counter([(*stat, "310100", "29.01")])
