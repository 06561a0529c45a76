"""Agreements, holds and recoveries, from events to ledger lines (R6, c.4)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conftest import Database
from tests.fund import Fund, running

BATCH = "B-202601"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        yield fund


async def details(fund: Fund) -> list[str]:
    return [event["detail"] for event in await fund.decided("fact.disputed")]


async def ordered(fund: Fund) -> list[tuple[str, dict[str, str]]]:
    return [(event["payment_ref"], event["amounts"]) for event in await fund.ordered()]


async def offsets(fund: Fund) -> list[tuple[str, str, str, int, dict[str, str]]]:
    return [
        (event["taken_from"], event["account"], event["item_ref"], event["step"], event["amounts"])
        for event in await fund.decided("offset.applied")
    ]


async def equal(fund: Fund) -> None:
    books, items = await fund.balances(), await fund.open_items()
    for account in ("1104", "1107", "2101", "2102", "2103", "2108"):
        assert books.get(account, {}) == items.get(account, {}), account


async def claimed(fund: Fund, amounts: dict[str, int], *, batch: str = BATCH, month: str = "2026-01") -> None:
    fund.settle(amounts, day=f"{month}-15")
    later = f"{month[:-1]}{int(month[-1]) + 1}"
    fund.submit(batch, first=f"{month}-01", last=f"{month}-28", on=f"{later}-05")
    await fund.drain()


def agreement(fund: Fund, status: str, first: str, last: str | None = None) -> None:
    fund.put("provider.agreement.changed.v1", provider=fund.provider, status=status, effective_from=first,
             effective_to=last)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "day", "med_type", "refused"),
    [
        ([("SUSPENDED", "2026-01-10", "2026-01-20")], "2026-01-09", "21", False),
        ([("SUSPENDED", "2026-01-10", "2026-01-20")], "2026-01-10", "21", True),
        ([("SUSPENDED", "2026-01-10", "2026-01-20")], "2026-01-20", "21", True),
        ([("SUSPENDED", "2026-01-10", "2026-01-20")], "2026-01-21", "21", False),
        ([("SUSPENDED", "2026-01-10", "2026-01-20")], "2026-01-15", "13", False),
        ([("SUSPENDED", "2026-01-10", None), ("RESUMED", "2026-01-15", None)], "2026-01-15", "21", False),
        ([("SIGNED", "2026-01-10", None)], "2026-01-09", "21", True),
        ([("SIGNED", "2026-01-10", None)], "2026-01-10", "21", False),
        ([("SIGNED", "2025-01-01", None), ("TERMINATED", "2026-01-10", None)], "2026-01-31", "21", True),
        ([("SIGNED", "2025-01-01", None), ("TERMINATED", "2026-01-10", None)], "2026-01-31", "13", True),
        ([("SIGNED", "2026-01-10", None)], "2026-01-09", "13", True),
        ([("SIGNED", "2026-01-10", None), ("SUSPENDED", "2026-01-05", "2026-01-20")], "2026-01-09", "13", True),
        ([("SIGNED", "2026-01-10", None), ("SUSPENDED", "2026-01-05", "2026-01-20")], "2026-01-10", "13", False),
        ([("TERMINATED", "2026-01-10", None), ("SUSPENDED", "2026-01-12", None)], "2026-01-15", "13", True),
        ([("SUSPENDED", "2026-01-05", None), ("TERMINATED", "2026-01-10", None)], "2026-01-09", "13", False),
    ],
)
async def test_what_was_done_without_an_agreement_is_not_claimed(
    fund: Fund, changes: list[Any], day: str, med_type: str, refused: bool
) -> None:
    """Edge case 24; both days of a suspension are inside it, emergency care is paid in it and nowhere else (R10)."""
    for status, first, last in changes:
        agreement(fund, status, first, last)
    fund.settle({"310100": 100}, day=day, med_type=med_type)
    fund.submit(BATCH)
    [event] = await fund.decided("claim.batch.accepted", "claim.batch.rejected")
    assert event["type"] == ("claim.batch.rejected" if refused else "claim.batch.accepted")
    if refused:
        assert [(error["code"], error["day"]) for error in event["errors"]] == [("NOT_ACTIVE", day)]


@pytest.mark.parametrize(
    ("words", "day", "refused"),
    [
        ([{"valid_from": "2026-01-13"}], "2026-01-12", True),
        ([{"valid_from": "2026-01-13"}], "2026-01-13", False),
        ([{"valid_from": "2026-01-13"}, {"valid_from": "2026-01-02"}], "2026-01-12", False),
        (
            [
                {"valid_from": "2024-05-01"},
                {"valid_from": "2026-01-13", "formed_by": "MERGER", "predecessors": ["H15250200018", "H15250200019"]},
            ],
            "2026-01-12",
            False,
        ),
        ([{"valid_from": "2024-05-01", "area": "152600"}, {"valid_from": "2026-01-13"}], "2026-01-12", True),
    ],
    ids=["before", "its first day", "another word on it", "it was there before the merger", "in another area then"],
)
@pytest.mark.parametrize("med_type", ["21", "13"])
async def test_what_was_done_before_a_provider_was_one_is_not_claimed(
    database: Database, words: list[dict[str, Any]], day: str, refused: bool, med_type: str
) -> None:
    async with running(database) as fund:
        for word in words:
            fund.put("provider.registered.v1", provider=fund.provider, **word)
        fund.policy()
        fund.settle({"310100": 4_711}, day=day, med_type=med_type)
        await fund.drain()
        await fund.claim("clearing")
        fund.submit(BATCH)
        [event] = await fund.decided("claim.batch.accepted", "claim.batch.rejected")
        assert event["type"] == ("claim.batch.rejected" if refused else "claim.batch.accepted")


async def test_a_suspension_leaves_out_its_days_and_the_others_are_claimed(fund: Fund) -> None:
    agreement(fund, "SUSPENDED", "2026-01-10", "2026-01-20")
    for day in ("2026-01-09", "2026-01-10", "2026-01-21"):
        fund.settle({"310100": 100}, day=day)
    fund.submit("A", last="2026-01-09", on="2026-02-05")
    fund.submit("B", first="2026-01-21", on="2026-02-05")
    events = await fund.decided()
    assert [(event["type"], event["batch"]) for event in events] == [
        ("claim.batch.accepted", "A"),
        ("claim.batch.accepted", "B"),
    ]


async def test_a_recovery_is_taken_from_the_payable_after_the_claims_own_advance(fund: Fund) -> None:
    await claimed(fund, {"310100": 100_000, "390100": 50_000})
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", {"310100": 90_000, "390100": 45_000}, on="2026-02-10")
    await fund.drain()
    fund.recover("C-1", {"310100": 8_000, "390100": 1_000})
    await fund.drain()
    assert (await fund.balances())["1107"] == {"310100": 8_000, "390100": 1_000}
    fund.deduct([BATCH], {})
    assert await offsets(fund) == [
        ("2102", "1104", BATCH, 1, {"310100": "900.00"}),
        ("2102", "1107", "C-1", 2, {"310100": "50.00"}),
        ("2102", "1104", BATCH, 1, {"390100": "450.00"}),
        ("2102", "1107", "C-1", 2, {"390100": "10.00"}),
    ]
    assert (await ordered(fund))[1:] == [(f"{BATCH}/P2", {"390100": "15.00"})]
    assert (await fund.open_items())["1107"] == {"310100": 3_000}
    await equal(fund)


async def test_a_recovery_is_taken_from_a_p1_before_it_is_paid(fund: Fund) -> None:
    """R3.6: P1 passes steps 2 to 6; what is taken from it is an advance like what is paid."""
    await claimed(fund, {"310100": 100_000, "310200": 50_000})
    fund.recover("C-1", {"310100": 8_000, "310200": 1_000}, benefit_year=2025)
    fund.day("2026-02-09")
    assert await offsets(fund) == [("P1", "1107", "C-1", 2, {"310100": "80.00"})], "not from personal accounts"
    assert await ordered(fund) == [(f"{BATCH}/P1", {"310100": "820.00", "310200": "450.00"})]
    books = await fund.balances()
    assert (books["1104"], books["4001"]) == ({"310100": 8_000}, {"310100": -8_000, "310200": -1_000})
    assert (await fund.balances("STAT"))["OTHER_INCOME"] == {"310100": -8_000}
    await equal(fund)
    fund.bank(f"{BATCH}/P1", {"310100": 82_000, "310200": 45_000}, on="2026-02-10")
    await fund.drain()
    fund.deduct([BATCH], {})
    assert (await ordered(fund))[1:] == [(f"{BATCH}/P2", {"310100": "50.00", "310200": "50.00"})]
    await equal(fund)


async def test_where_the_policy_says_so_a_p1_is_not_offset(fund: Fund) -> None:
    fund.policy("2026-01-01", instant__offset="false")
    await claimed(fund, {"310100": 100_000})
    fund.recover("C-1", {"310100": 8_000})
    fund.day("2026-02-09")
    assert await offsets(fund) == []
    assert await ordered(fund) == [(f"{BATCH}/P1", {"310100": "900.00"})]


async def test_a_recovery_that_is_paid_in_cash_comes_to_the_fiscal_special_account(fund: Fund) -> None:
    fund.recover("C-1", {"310100": 21_994_740})
    await fund.drain()
    fund.recovered("C-1", {"310100": 21_994_740})
    assert await fund.balances() == {"1003": {"310100": 21_994_740}, "5001": {"310100": -21_994_740}}
    assert (await fund.balances("STAT")) == {
        "FISCAL_CASH": {"310100": 21_994_740},
        "EXPENSE": {"310100": -21_994_740},
    }
    fund.recover("C-1", {"310100": 1})
    fund.recovered("C-2", {"310100": 1})
    assert await details(fund) == ["case C-1 has a recovery already"]
    [item] = await fund.decided("suspense.opened")
    assert (item["bank_account"], item["amounts"], item["reason"]) == (
        "1003", {"310100": "0.01"}, "there is no recovery of case C-2",
    )  # fmt: skip
    await equal(fund)


async def test_a_recovery_of_a_year_after_its_decision_is_refused(fund: Fund) -> None:
    fund.recover("C-1", {"310100": 40_317}, benefit_year=2027, decided_on="2026-11-20")
    fund.recover("C-2", {"310100": 40_318}, benefit_year=2026, decided_on="2026-11-20")
    assert await details(fund) == ["2027 had not begun when case C-1 was decided on 2026-11-20"]
    assert (await fund.balances())["1107"] == {"310100": 40_318}


async def test_a_recovery_that_was_wrong_ends_as_far_as_it_is_open_and_the_rest_is_paid_back(fund: Fund) -> None:
    """R6.7: of 300.00 are 200.00 taken in cash; 250.00 were wrong: 100.00 end, 150.00 are paid back."""
    fund.recover("C-1", {"310100": 30_000}, benefit_year=2025)
    await fund.drain()
    fund.recovered("C-1", {"310100": 20_000})
    await fund.drain()
    fund.recovered("C-1", {"310100": 30_001}, type="appeal.upheld")
    assert await details(fund) == ["fund 310100: 300.01 is more than stands of the recovery"]
    fund.recovered("C-1", {"310100": 25_000}, type="appeal.upheld")
    [event] = await fund.decided("recovery.reversed")
    assert (event["to_open"], event["to_payable"]) == ({"310100": "100.00"}, {"310100": "150.00"})
    assert await ordered(fund) == [("C-1/P2", {"310100": "150.00"})]
    assert (await fund.balances())["4001"] == {"310100": -5_000}
    assert (await fund.balances("STAT"))["OTHER_INCOME"] == {"310100": -20_000 + 15_000}
    fund.bank("C-1/P2", {"310100": 15_000}, on="2026-03-20")
    await fund.drain()
    assert await fund.open_items() == {}
    await equal(fund)


async def test_a_reversal_ends_the_recovery_of_its_settlement(fund: Fund) -> None:
    one = fund.settle({"310100": 40_000}, day="2026-01-15")
    fund.submit(BATCH)
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()
    fund.bank(f"{BATCH}/P2", {"310100": 38_000}, on="2026-02-20")
    fund.recover("C-1", {"310100": 40_000}, settlement_ref=one)
    await fund.drain()
    fund.settle({"310100": 40_000}, day="2026-02-03", reverses=one)
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    [event] = await fund.decided("recovery.reversed")
    assert (event["to_open"], event["to_payable"]) == ({"310100": "400.00"}, {})
    books = await fund.balances()
    assert "1107" not in books
    assert "5001" not in books
    await equal(fund)


async def test_a_hold_keeps_an_approved_payable_and_its_release_pays_in_full(fund: Fund) -> None:
    """R6, R6.1: not paid, still owed, without interest."""
    await claimed(fund, {"310100": 100_000, "390100": 50_000})
    fund.hold(BATCH, {"310100": 60_000})
    await fund.drain()
    fund.deduct([BATCH], {})
    assert await ordered(fund) == [(f"{BATCH}/P2", {"310100": "350.00", "390100": "475.00"})]
    assert (await fund.balances())["2108"] == {"310100": -60_000}
    await equal(fund)
    fund.hold(BATCH, {"310100": 60_001}, release=True)
    fund.hold("B-9", {"310100": 1})
    fund.hold(BATCH, {"310100": 1})
    assert await details(fund) == [
        "fund 310100: hold H-1 holds less than 600.01",
        "there is no payable B-9",
        "hold H-1 is placed already",
    ]
    fund.hold(BATCH, {"310100": 60_000}, release=True)
    assert (await ordered(fund))[1:] == [(f"{BATCH}/P3", {"310100": "600.00"})]
    await equal(fund)


async def test_a_hold_on_a_day_holds_what_is_owed_for_its_month(fund: Fund) -> None:
    """R1.6: the first batch of a month carries what is owed for all; a hold on another one is not lost."""
    for day in ("05", "06"):
        fund.settle({"310100": 50_000}, day=f"2026-01-{day}")
        fund.submit(f"D-{day}", first=f"2026-01-{day}", last=f"2026-01-{day}", on="2026-01-07", mode="DAY")
    await fund.drain()
    fund.hold("D-06", {"310100": 20_000})
    await fund.drain()
    fund.deduct(["D-05", "D-06"], {})
    assert await ordered(fund) == [("D-05/P2", {"310100": "750.00"})]
    assert (await fund.balances())["2108"] == {"310100": -20_000}
    fund.hold("D-06", {"310100": 20_000}, release=True)
    assert (await ordered(fund))[1:] == [("D-05/P3", {"310100": "200.00"})]
    await equal(fund)


async def test_what_is_released_passes_the_waterfall_as_well(fund: Fund) -> None:
    await claimed(fund, {"310100": 100_000})
    fund.hold(BATCH, {"310100": 95_000})
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()
    assert await ordered(fund) == []
    fund.recover("C-1", {"310100": 20_000})
    await fund.drain()
    fund.hold(BATCH, {"310100": 95_000}, release=True)
    assert await offsets(fund) == [("2102", "1107", "C-1", 2, {"310100": "200.00"})]
    assert await ordered(fund) == [(f"{BATCH}/P2", {"310100": "750.00"})]
    await equal(fund)


async def test_a_recovery_cancels_what_is_not_sent_and_orders_the_rest_anew(fund: Fund) -> None:
    """R10, edge case 39: of a P1 of 4,230.00 and a rest of 703.00 in one fund nothing leaves that is owed."""
    fund.day("2026-02-03")
    for staff in ("anna", "bo"):
        fund.mandate(staff)
    await claimed(fund, {"310100": 74_000}, batch="B-202512", month="2026-01")
    fund.deduct(["B-202512"], {})
    fund.settle({"310100": 470_000, "390100": 10_000}, day="2026-02-03", clr_type="11")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-05", on="2026-02-06", mode="WEEK", clr_type="11")
    fund.day("2026-02-09")
    await fund.approve("anna", "bo")
    assert await ordered(fund) == [
        ("B-202512/P2", {"310100": "703.00"}), ("B-202602/P1", {"310100": "4230.00", "390100": "90.00"}),
    ]  # fmt: skip
    fund.recover("C-1", {"310100": 81_100})
    assert await offsets(fund) == [
        ("2102", "1107", "C-1", 2, {"310100": "703.00"}), ("P1", "1107", "C-1", 2, {"310100": "108.00"}),
    ]  # fmt: skip
    left = {one["payment_ref"]: (one["status"], one["amounts"]) for one in await fund.payments()}
    assert left == {
        "B-202512/P2/310100": ("CANCELLED", {"310100": 70_300}),
        "B-202602/P1/310100": ("CANCELLED", {"310100": 423_000}),
        "B-202602/P1/390100": ("APPROVED", {"390100": 9_000}),
        "B-202602/P2/310100": ("ORDERED", {"310100": 412_200}),
    }
    assert "1107" not in await fund.balances()
    await equal(fund)
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_a_recovery_leaves_what_was_sent(fund: Fund) -> None:
    fund.day("2026-02-06")
    fund.deposit({"310100": 1_000_000})
    for staff in ("anna", "bo"):
        fund.mandate(staff)
    await claimed(fund, {"310100": 90_000})
    fund.day("2026-02-09")
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-09")
    fund.recover("C-1", {"310100": 500})
    assert [one["status"] for one in await fund.payments()] == ["SENT"]
    assert await offsets(fund) == []


async def test_a_visitors_payable_is_taken_for_what_the_hospital_owes_the_area(fund: Fund) -> None:
    """R3.6, c.4: the visitors' side is what is paid for them, the recovery's side stays as it is; and the other way
    round."""
    visitors = {"insured_area": "370100"}
    fund.settle({"310100": 60_000}, day="2026-01-15", **visitors)
    fund.submit("B-V", **visitors)
    fund.recover("C-1", {"310100": 21_900}, benefit_year=2025)
    fund.recover("C-2", {"310100": 3_100})
    await fund.drain()
    fund.deduct(["B-V"], {}, **visitors)
    assert await offsets(fund) == [
        ("2102", "1107", "C-1", 2, {"310100": "219.00"}), ("2102", "1107", "C-2", 2, {"310100": "31.00"}),
    ]  # fmt: skip
    assert await ordered(fund) == [("B-V/P2", {"310100": "320.00"})]
    assert await fund.balances() == {
        "1106": {"310100": 60_000}, "2102": {"310100": -32_000}, "2103": {"310100": -3_000},
        "4001": {"310100": -21_900}, "5001": {"310100": -3_100},
    }  # fmt: skip
    statutory = {"TEMP_VISITOR": {"310100": 25_000}, "OTHER_INCOME": {"310100": -21_900}, "EXPENSE": {"310100": -3_100}}
    assert await fund.balances("STAT") == statutory
    assert statutory["TEMP_VISITOR"]["310100"] == 60_000 - 32_000 - 3_000, "1106 less what is owed for them"
    rows = await fund.control.fetch(
        "select counterpart, sum(debit - credit)::bigint as fen from ledger.buckets"
        " where book = 'OPS' and account = '1107' group by counterpart having sum(debit - credit) <> 0"
    )
    assert rows == [], "the recoveries are closed on the side on which they were opened"
    fund.recover("C-3", {"310100": 1_700}, **visitors)
    fund.settlements.clear()
    fund.settle({"310100": 50_000}, day="2026-01-16", clr_type="11")
    fund.submit("B-O", clr_type="11")
    await fund.drain()
    assert (await offsets(fund))[2:] == [("2102", "1107", "C-3", 2, {"310100": "17.00"})], "out of what is not sent"
    await equal(fund)


async def test_a_payable_below_zero_and_an_advance_are_made_good_by_the_same_payer_alone(fund: Fund) -> None:
    visitors = {"insured_area": "370100"}
    one = fund.settle({"310100": 10_000}, day="2026-01-15")
    fund.submit(BATCH)
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()
    fund.bank(f"{BATCH}/P2", {"310100": 9_500}, on="2026-02-20")
    fund.settlements.clear()
    fund.settle({"310100": 10_000}, day="2026-02-03", reverses=one)
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    fund.deduct(["B-202602"], {})
    fund.settlements.clear()
    fund.settle({"310100": 44_000}, day="2026-02-15", **visitors)
    fund.submit("B-V", first="2026-02-01", last="2026-02-28", on="2026-03-05", **visitors)
    await fund.drain()
    fund.deduct(["B-V"], {}, **visitors)
    assert await offsets(fund) == []
    assert (await ordered(fund))[1:] == [("B-V/P2", {"310100": "418.00"})]


async def test_a_release_leaves_what_a_p1_of_the_month_that_is_on_its_way_needs(fund: Fund) -> None:
    """Two days of 500.00 are approved together; the second one's P1 of 450.00 is not answered yet."""
    for day in ("05", "06"):
        fund.settle({"310100": 50_000}, day=f"2026-01-{day}")
        fund.submit(f"D-{day}", first=f"2026-01-{day}", last=f"2026-01-{day}", on="2026-01-07", mode="DAY")
    fund.day("2026-01-08")
    await fund.drain()
    fund.bank("D-05/P1", {"310100": 45_000}, on="2026-01-09")
    fund.hold("D-06", {"310100": 2_000})
    await fund.drain()
    fund.deduct(["D-05", "D-06"], {})
    await fund.drain()
    fund.hold("D-06", {"310100": 2_000}, release=True)
    paid = [fen for one in await fund.payments() if one["status"] != "CANCELLED" for fen in one["amounts"].values()]
    assert sum(paid) == 95_000, "1,000.00 less the bond, and not a second P1"


async def test_offsets_that_race_for_one_payable_take_it_once(fund: Fund) -> None:
    """Edge case 35: two recoveries, a release and an approval in one go; a lane decides one after the other."""
    await claimed(fund, {"310100": 100_000})
    fund.hold(BATCH, {"310100": 40_000})
    await fund.drain()
    fund.recover("C-1", {"310100": 50_000})
    fund.recover("C-2", {"310100": 30_000})
    fund.deduct([BATCH], {})
    fund.hold(BATCH, {"310100": 40_000}, release=True)
    fund.recover("C-3", {"310100": 30_000})
    assert await offsets(fund) == [
        ("2102", "1107", "C-1", 2, {"310100": "500.00"}),
        ("2102", "1107", "C-2", 2, {"310100": "50.00"}),
        ("2102", "1107", "C-2", 2, {"310100": "250.00"}),
        ("2102", "1107", "C-3", 2, {"310100": "150.00"}),
    ]
    assert await ordered(fund) == [(f"{BATCH}/P2", {"310100": "150.00"})]
    assert [one["status"] for one in await fund.payments()] == ["CANCELLED"], "it was ordered, and not sent"
    assert (await fund.open_items())["1107"] == {"310100": 15_000}
    await equal(fund)


async def test_a_claim_below_zero_is_made_good_by_the_next_one_of_its_fund(fund: Fund) -> None:
    """R3.6: 2102 is one account of the provider; edge case 22 at the month close."""
    one = fund.settle({"310100": 10_000}, day="2026-01-15")
    fund.submit(BATCH)
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()
    fund.bank(f"{BATCH}/P2", {"310100": 9_500}, on="2026-02-20")
    fund.settle({"310100": 10_000}, day="2026-02-03", reverses=one)
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    fund.deduct(["B-202602"], {})
    await fund.drain()
    assert (await fund.open_items())["2102"] == {"310100": 10_000}
    fund.settle({"310100": 8_000, "390100": 8_000}, day="2026-03-03")
    fund.submit("B-202603", first="2026-03-01", last="2026-03-31", on="2026-04-05")
    await fund.drain()
    fund.deduct(["B-202603"], {})
    assert await offsets(fund) == [("2102", "2102", "B-202602", 0, {"310100": "76.00"})]
    assert (await ordered(fund))[1:] == [("B-202603/P2", {"390100": "76.00"})]
    assert (await fund.balances())["2102"] == {"310100": 10_000 - 7_600, "390100": -7_600}
    await equal(fund)


async def test_a_fine_is_a_memo_and_never_money_of_the_fund(fund: Fund) -> None:
    fund.put("fine.noted.v1", provider=fund.provider, amounts={"310100": "439894.80"})
    assert await fund.balances() == {"9001": {"310100": 43_989_480}, "9901": {"310100": -43_989_480}}
    assert await fund.balances("STAT") == {}


async def test_a_hold_on_a_batch_that_was_approved_with_others_stops_what_is_ordered_for_all_of_them(
    fund: Fund,
) -> None:
    for number, fen in ((5, 100_000), (6, 60_000)):
        day = f"2026-01-{number:02d}"
        fund.settle({"310100": fen}, day=day)
        fund.submit(f"D-{number}", first=day, last=day, on="2026-01-07", mode="DAY")
    fund.deduct(["D-5", "D-6"], {})
    assert [amounts for _, amounts in await ordered(fund)] == [{"310100": "1520.00"}]
    fund.hold("D-6", {"310100": 20_000})
    assert await details(fund) == []
    assert [amounts for _, amounts in await ordered(fund)] == [{"310100": "1520.00"}, {"310100": "1320.00"}]
    assert [payment["status"] for payment in await fund.payments()] == ["CANCELLED", "ORDERED"]
    await equal(fund)


ONE_STOP = "610100"
"""A fund whose part this agency pays for another payer."""


async def test_what_another_payer_bears_is_taken_back_from_what_that_payer_owes_in_every_step(fund: Fund) -> None:
    """c.4: deductions, recoveries of any year, their reversal and a settlement's go against 1110: none is expense."""
    others = {"advanced": [ONE_STOP]}
    fund.settle({"310100": 80_000, ONE_STOP: 10_000}, **others)
    second = fund.settle({"310100": 3_417, ONE_STOP: 2_093}, **others)
    fund.submit(BATCH, **others)
    fund.day("2026-02-09")
    assert (await ordered(fund))[0] == (f"{BATCH}/P1", {"310100": "750.75", ONE_STOP: "108.84"})
    fund.bank(f"{BATCH}/P1", {"310100": 75_075, ONE_STOP: 10_884}, on="2026-02-10")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 1_731, ONE_STOP: 907}, **others)
    books = await fund.balances()
    assert (books["1110"], books["5001"]) == ({ONE_STOP: 11_186}, {"310100": 81_686})
    [refused] = await fund.decided("claim.deducted")
    assert refused["advanced"] == [ONE_STOP]

    fund.recover("C-1", {ONE_STOP: 450}, benefit_year=2026, **others)
    fund.recover("C-2", {ONE_STOP: 300}, benefit_year=2025, **others)
    books = await fund.balances()
    assert (books["1110"], books["5001"]) == ({ONE_STOP: 11_186 - 750}, {"310100": 81_686})
    assert "4001" not in books, "of an earlier year as of this one"
    fund.recovered("C-1", {ONE_STOP: 450}, type="appeal.upheld")
    assert (await fund.balances())["1110"] == {ONE_STOP: 10_886}
    fund.settle({"310100": 3_417, ONE_STOP: 2_093}, reverses=second, **others)
    books = await fund.balances()
    assert (books["1110"], books["5001"]) == ({ONE_STOP: 8_793}, {"310100": 78_269})
    statutory = await fund.balances("STAT")
    assert ONE_STOP not in statutory["EXPENSE"]
    assert "OTHER_INCOME" not in statutory
    await equal(fund)
