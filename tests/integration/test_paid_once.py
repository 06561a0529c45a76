"""What failed or came back is owed once, whatever becomes of its claim and whatever the bank does about it later."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Database
from tests.fund import Fund, running

FUND = "310100"
P1, REST = f"B-1/P1/{FUND}", f"B-1/P2/{FUND}"
CONTROL = ("1101", "1102", "1104", "1107", "2101", "2102", "2103", "2108")


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        await begun(fund)
        yield fund


async def begun(fund: Fund, **policy: str) -> None:
    fund.register()
    fund.policy(**policy)
    fund.deposit({FUND: 500_000})
    for staff in ("anna", "bo", "chen"):
        fund.mandate(staff)
    await fund.drain()


async def sent(fund: Fund, fen: int = 73_100) -> None:
    """Of 731.00 a P1 of 657.90; after audit there are 36.55 of bond and 694.45 that are owed."""
    fund.settle({FUND: fen})
    fund.submit("B-1")
    await fund.drain()
    fund.day("2026-02-09")
    await fund.approve("anna", "bo")
    await fund.run(FUND, on="2026-02-10")
    await fund.drain()


async def back(fund: Fund, how: str) -> None:
    """The P1 does not stay with the hospital."""
    if how == "failed":
        fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=P1)
    else:
        fund.bank(P1, {FUND: 65_790}, on="2026-02-11")
        fund.bank(P1, {FUND: 65_790}, on="2026-02-12", back=True)
    await fund.drain()


def after_all(fund: Fund, how: str, ref: str = P1, fen: int = 65_790) -> None:
    """And does after all."""
    if how == "failed":
        fund.bank(ref, {FUND: fen}, on="2026-02-13")
    else:
        fund.put("bank.return.reversed.v1", provider=fund.provider, payment_ref=ref, bank_txn="R-9",
                 value_date="2026-02-13", booked_on="2026-02-13",
                 amounts={FUND: f"{fen // 100}.{fen % 100:02d}"})  # fmt: skip


async def states(fund: Fund) -> dict[str, tuple[str, int, int]]:
    """What has become of each payment, how much of it is with the hospital, and what waits to be asked for."""
    return {
        one["payment_ref"]: (
            one["status"],
            one["settled"].get(FUND, 0) - one["returned"].get(FUND, 0),
            one["to_retry"].get(FUND, 0),
        )
        for one in await fund.payments()
    }


async def holds(fund: Fund) -> dict[str, int]:
    """The books' control accounts are the open items, and the log alone makes the same rows; what the books have."""
    books = await fund.balances()
    assert await fund.open_items() == {account: books[account] for account in CONTROL if account in books}
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before
    return {account: amounts[FUND] for account, amounts in books.items() if account != "3001"}


@pytest.mark.parametrize("how", ["failed", "returned"])
async def test_a_p1_that_waits_when_its_claim_is_approved_is_paid_with_it_and_waits_no_more(
    fund: Fund, how: str
) -> None:
    await sent(fund)
    await back(fund, how)
    fund.deduct(["B-1"], {})
    assert (await states(fund))[P1][2] == 0
    assert (await states(fund))[REST] == ("ORDERED", 0, 0)
    [told] = await fund.decided("payment.retried")
    assert (told["payment_ref"], told["amounts"], told["requested_by"]) == (P1, {FUND: "657.90"}, None)
    fund.retry(P1)
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == f"nothing of payment {P1} failed or came back and waits"
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 69_445}]
    await holds(fund)


@pytest.mark.parametrize("how", ["failed", "returned"])
async def test_what_was_ordered_with_a_p1_that_the_hospital_has_after_all_makes_way(fund: Fund, how: str) -> None:
    await sent(fund)
    await back(fund, how)
    fund.deduct(["B-1"], {})
    await fund.approve("anna", "bo")
    after_all(fund, how)
    assert {ref: (status, kept) for ref, (status, kept, _) in (await states(fund)).items()} == {
        P1: ("SETTLED", 65_790), REST: ("CANCELLED", 0), f"B-1/P3/{FUND}": ("ORDERED", 0),
    }  # fmt: skip
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 3_655}]
    assert await fund.decided("suspense.opened", "fact.disputed") == []
    books = await holds(fund)
    assert {account: books.get(account) for account in ("1002", "1104", "2102", "2103")} == {
        "1002": 434_210, "1104": None, "2102": -3_655, "2103": -3_655,
    }  # fmt: skip


@pytest.mark.parametrize("how", ["failed", "returned"])
async def test_what_is_left_of_such_a_p1_is_an_advance_that_the_next_claim_makes_good(fund: Fund, how: str) -> None:
    """494.45 were ordered after a recovery of 200.00: the hospital has 163.45 too much."""
    await sent(fund)
    await back(fund, how)
    fund.recover("C-1", {FUND: 20_000})
    fund.deduct(["B-1"], {})
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 49_445}]
    after_all(fund, how)
    assert await fund.payments(status="ORDERED") == []
    assert (await holds(fund))["1104"] == 16_345


@pytest.mark.parametrize("how", ["failed", "returned"])
async def test_what_the_bank_pays_when_the_order_with_it_is_on_its_way_is_in_suspense(fund: Fund, how: str) -> None:
    await sent(fund)
    await back(fund, how)
    fund.deduct(["B-1"], {})
    await fund.approve("anna", "bo")
    await fund.run(FUND, on="2026-02-12", number=2)
    await fund.drain()
    after_all(fund, how)
    assert (await states(fund))[REST] == ("SENT", 0, 0)
    [item] = await fund.decided("suspense.opened")
    assert (item["direction"], item["amounts"], item["payment_ref"]) == ("OUT", {FUND: "657.90"}, P1)
    assert (await holds(fund))["1190"] == 65_790


@pytest.mark.parametrize("fails", ["before", "after"])
async def test_a_p1_that_fails_when_a_part_of_its_claim_is_approved_is_paid_once(
    database: Database, fails: str
) -> None:
    """Of 731.00, 100.00 are doubted: 599.45 are approved of 631.00, and paid in the P1's place; the rest when it is."""
    async with running(database) as fund:
        await begun(fund, audit__unfinished="HOLD_DOUBTFUL")
        doubted = fund.settle({FUND: 10_000})
        await sent(fund, 63_100)
        fund.find("B-1", "F-1", {FUND: 10_000}, doubted)
        if fails == "before":
            await back(fund, "failed")
        fund.day("2026-03-06")
        await fund.drain()
        if fails == "after":
            assert await fund.payments(status="ORDERED") == [], "the P1 may come still"
            await back(fund, "failed")
            fund.retry(P1)
        assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 59_945}]
        fund.deduct(["B-1"], {FUND: 10_000})
        assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 59_945}]
        assert (await states(fund))[P1] == ("FAILED", 0, 0)
        await holds(fund)


@pytest.mark.parametrize("how", ["asked for", "taken back"])
async def test_what_comes_back_of_a_day_that_was_approved_with_its_month_is_paid_again(fund: Fund, how: str) -> None:
    """The first day of a month carries what is owed; the P1 of the second one, 657.95, comes back after the audit."""
    for day in (5, 6):
        fund.settlements.clear()
        fund.settle({FUND: 73_100 + day}, day=f"2026-01-0{day}")
        fund.submit(f"D-{day}", first=f"2026-01-0{day}", last=f"2026-01-0{day}", on=f"2026-01-0{day + 1}", mode="DAY")
    await fund.drain()
    fund.day("2026-01-15")
    await fund.approve("anna", "bo")
    await fund.run(FUND, on="2026-01-15")
    for day in (5, 6):
        fund.bank(f"D-{day}/P1/{FUND}", {FUND: 65_795}, on="2026-01-16")
    fund.deduct(["D-5", "D-6"], {})
    second = f"D-6/P1/{FUND}"
    fund.bank(second, {FUND: 65_795}, on="2026-01-19", back=True)
    assert (await states(fund))[second] == ("SETTLED", 0, 65_795)
    fund.retry(second, "chen")
    await fund.drain()
    waiting = {one["retry_of"]: one["amounts"] for one in await fund.payments(status="ORDERED")}
    assert waiting == {None: {FUND: 7_310}, second: {FUND: 65_795}}
    if how == "taken back":
        after_all(fund, "returned", second, 65_795)
        assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 7_310}]
        assert (await states(fund))[second] == ("SETTLED", 65_795, 0)
        assert await fund.decided("suspense.opened") == []
    assert (await holds(fund))["2102"] == (-7_310 if how == "taken back" else -73_105)


async def test_what_the_bank_paid_a_part_of_though_nobody_had_sent_it_is_ordered_for_the_rest(fund: Fund) -> None:
    fund.settle({FUND: 73_100})
    fund.submit("B-1")
    fund.day("2026-02-09")
    await fund.approve("anna", "bo")
    fund.bank(P1, {FUND: 60_000}, on="2026-02-10")
    assert await states(fund) == {P1: ("CANCELLED", 60_000, 0), REST: ("ORDERED", 0, 0)}
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 5_790}]
    assert (await fund.plan(FUND, on="2026-02-10")).payments == 0
    assert (await holds(fund))["1104"] == 60_000


async def test_what_the_bank_rejects_of_a_payment_that_it_paid_in_part_is_the_rest(fund: Fund) -> None:
    await sent(fund)
    fund.bank(P1, {FUND: 60_000}, on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=P1)
    assert await states(fund) == {P1: ("FAILED", 60_000, 5_790)}
    fund.retry(P1)
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{FUND: 5_790}]
    fund.bank(P1, {FUND: 5_790}, on="2026-02-12")
    assert await states(fund) == {P1: ("SETTLED", 65_790, 0), REST: ("CANCELLED", 0, 0)}
    assert (await holds(fund))["1104"] == 65_790
