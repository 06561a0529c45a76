"""What the books begin with, item by item: taken over once, and paid, taken back or kept as any other (R10, c.2 67)."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from ledger import control, verify
from ledger.service import Ledger
from medfund import money
from medfund.postgres import connect
from tests.conftest import Database
from tests.fund import PROVIDER, Fund, running

EMPLOYEES, RESIDENTS = "310100", "390100"
ANNUAL = f"{PROVIDER}/YF-2026/{EMPLOYEES}"
CLAIM = {"clr_way": "3", "period_from": "2025-11-01", "period_to": "2025-11-30", "cut_off": "2025-12-10"}


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        fund.deposit({EMPLOYEES: 100_000_000})
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.day("2026-01-05")
        yield fund


def opened(fund: Fund, item: str, accounts: Mapping[str, Mapping[str, int]], **data: Any) -> None:
    told = [
        {"account": account, "amounts": {of: money.yuan(fen) for of, fen in amounts.items()}}
        for account, amounts in accounts.items()
    ]
    content: dict[str, Any] = {"benefit_year": 2025, **dict.fromkeys(CLAIM), **data}
    fund.put("opening.item.recorded.v1", provider=PROVIDER, item_ref=item, accounts=told, value_date="2025-12-31",
             **content)  # fmt: skip


def prepaid(fund: Fund, ref: str, fen: int, given: str, account: str = "1101", **data: Any) -> None:
    year = {"benefit_year": 2026, "prepayment_kind": "ANNUAL", **data}
    opened(fund, ref, {account: {EMPLOYEES: fen}}, given=given, **year)


async def details(fund: Fund) -> list[str]:
    return [event["detail"] for event in await fund.decided("fact.disputed")]


async def offsets(fund: Fund) -> list[tuple[str, str, dict[str, str]]]:
    return [(one["account"], one["item_ref"], one["amounts"]) for one in await fund.decided("offset.applied")]


async def claimed(fund: Fund, fen: int, month: int) -> None:
    first = f"2026-{month:02d}"
    fund.settle({EMPLOYEES: fen}, day=f"{first}-15")
    fund.submit(f"B-{first}", first=f"{first}-01", last=f"{first}-28", on=f"2026-{month + 1:02d}-05")
    await fund.drain()
    fund.day(f"2026-{month + 1:02d}-09")
    await fund.drain()


async def proved(fund: Fund, database: Database) -> verify.Report:
    """What `medfund verify` says of the lane."""
    await fund.drain()
    books, clearing = [await connect.opened(database.dsn("reader", of), timeout=30) for of in ("ledger", "clearing")]
    try:
        ledger = Ledger(lanes=fund.lanes, prefix=fund.log.prefix)
        report = await verify.verify(books, fund.log, ledger, [fund.lane])
        await control.compare(report, books, clearing, fund.log, [fund.lane])
        return report
    finally:
        await books.close()
        await clearing.close()


async def rebuilt(fund: Fund) -> None:
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_everything_that_can_be_open_is_in_both_books_and_with_whoever_decides_about_it(
    fund: Fund, database: Database
) -> None:
    """Sums of every account against 3001; what is of the own fund and was not paid is nothing in the statutory book."""
    prepaid(fund, ANNUAL, 41_700, "900.00")
    bulk = {"prepayment_kind": "BULK", "contract_ref": "JC-7", "agreed": "2000.00", "purchased": "500.00"}
    prepaid(fund, f"{PROVIDER}/JC-JC-7/{EMPLOYEES}", 45_000, "600.00", "1102", **bulk)
    opened(fund, "B-R", {"2103": {RESIDENTS: 1_300}, "2108": {RESIDENTS: 7_700}}, hold_ref="H-1", **CLAIM)
    opened(fund, "C-1", {"1107": {RESIDENTS: 2_500}}, decided_on="2025-11-20", benefit_year=2024)
    for account, fen in (("1103", 8_100), ("1109", 300), ("2105", 2_200), ("1108", 900), ("2104", 1_100)):
        opened(fund, f"DZ-{account}", {account: {EMPLOYEES: fen}})
    for account, fen in (("1105", 61), ("1106", 62), ("1110", 63), ("1120", 64), ("2106", 65), ("2107", 66),
                         ("2109", 67), ("2120", 68)):  # fmt: skip
        fund.deposit({EMPLOYEES: fen}, account=account)
    books = {
        account: by_fund for account, by_fund in (await fund.balances()).items() if account not in ("1002", "3001")
    }
    assert books == {
        "1101": {EMPLOYEES: 41_700}, "1102": {EMPLOYEES: 45_000}, "1103": {EMPLOYEES: 8_100},
        "1105": {EMPLOYEES: 61}, "1106": {EMPLOYEES: 62}, "1107": {RESIDENTS: 2_500}, "1108": {EMPLOYEES: 900},
        "1109": {EMPLOYEES: 300}, "1110": {EMPLOYEES: 63}, "1120": {EMPLOYEES: 64}, "2103": {RESIDENTS: -1_300},
        "2104": {EMPLOYEES: -1_100}, "2105": {EMPLOYEES: -2_200}, "2106": {EMPLOYEES: -65},
        "2107": {EMPLOYEES: -66}, "2108": {RESIDENTS: -7_700}, "2109": {EMPLOYEES: -67}, "2120": {EMPLOYEES: -68},
    }  # fmt: skip
    statutory = await fund.balances("STAT")
    assert {name: of[EMPLOYEES] for name, of in statutory.items() if name not in ("EXP_CASH", "FUND_BALANCE")} == {
        "TEMP_PREPAY": 41_700, "TEMP_VBP": 45_000, "TEMP_DIRECT": 8_100 + 300 - 2_200, "TEMP_XR": 61,
        "TEMP_VISITOR": 62, "TEMP_OTHER": 63, "TEMP_FUND": 64, "RECV_XR": -66, "RECV_FUND": -68,
    }  # fmt: skip
    items = await fund.open_items()
    assert items == {account: books[account] for account in ("1101", "1102", "1107", "2103", "2108")}
    assert await details(fund) == []
    report = await proved(fund, database)
    assert (report.problems, report.open_items) == ([], 8)
    await rebuilt(fund)


async def test_what_nobody_had_placed_waits_and_is_placed_and_no_bank_account_moves(fund: Fund) -> None:
    """What came and what left before the books began take each other out."""
    for account, txn in (("2190", "T-7"), ("1190", "T-8"), ("2190", "T-7")):
        fund.put("opening.balance.recorded.v1", account=account, amounts={EMPLOYEES: "612.07"}, bank_account="1002",
                 bank_txn=txn, value_date="2025-12-30")  # fmt: skip
    books = await fund.balances()
    assert (books["1190"], books["2190"]) == ({EMPLOYEES: 61_207}, {EMPLOYEES: -61_207}), "the same line again is one"
    assert books["1002"] == {EMPLOYEES: 100_000_000}
    statutory = await fund.balances("STAT")
    assert (statutory["TEMP_SUSPENSE"], statutory["RECV_SUSPENSE"]) == ({EMPLOYEES: 61_207}, {EMPLOYEES: -61_207})
    came, left = [one["item_ref"] for one in await fund.decided("opening.suspense.taken")]
    fund.place(came, "CORRECTED", target=left)
    assert await fund.decided("suspense.placing.refused") == []
    books = await fund.balances()
    assert not {"1190", "2190"} & books.keys()
    assert books["1002"] == {EMPLOYEES: 100_000_000}
    assert [row["fen"] for row in (await fund.tables())["moves"]] == [100_000_000]
    await rebuilt(fund)


async def test_an_opening_payable_is_ordered_less_what_is_owed_and_paid_by_two_people(
    fund: Fund, database: Database
) -> None:
    """The debt comes after the payable: the order makes way, and what is left of it is paid; the bond stays."""
    opened(fund, "B-1", {"2102": {EMPLOYEES: 31_017}, "2103": {EMPLOYEES: 1_640}}, **CLAIM)
    opened(fund, "C-1", {"1107": {EMPLOYEES: 6_016}}, decided_on="2025-11-20", benefit_year=2024)
    await fund.approve("anna", "bo")
    [payment] = await fund.payments(status="APPROVED")
    assert (payment["payment_ref"], payment["amounts"]) == ("B-1/P3/310100", {EMPLOYEES: 25_001})
    await fund.run(EMPLOYEES, on="2026-01-05")
    fund.bank("B-1/P3", {EMPLOYEES: 25_001}, on="2026-01-05")
    books = await fund.balances()
    assert books["1002"] == {EMPLOYEES: 100_000_000 - 25_001}
    assert books["2103"] == {EMPLOYEES: -1_640} == (await fund.open_items())["2103"]
    assert not {"2102", "1107", "4001", "5001"} & books.keys(), "all of it was before the books began"
    assert {name for name, of in (await fund.balances("STAT")).items() if of} == {
        "EXP_CASH", "FUND_BALANCE", "EXPENSE", "OTHER_INCOME",
    }  # fmt: skip
    assert await fund.decided("claim.deadline.breached") == [], "its clock ran elsewhere"
    assert (await proved(fund, database)).problems == []
    await rebuilt(fund)


async def test_a_visitors_opening_payable_pays_what_the_hospital_owed_and_each_side_is_proved(
    fund: Fund, database: Database
) -> None:
    opened(fund, "B-V", {"2102": {EMPLOYEES: 8_020}}, insured_area="370100", **CLAIM)
    opened(fund, "C-1", {"1107": {EMPLOYEES: 3_019}}, decided_on="2025-11-20")
    assert await offsets(fund) == [("1107", "C-1", {EMPLOYEES: "30.19"})]
    rows = await fund.control.fetch(
        "select account, counterpart, sum(debit - credit)::bigint as fen from ledger.buckets"
        " where book = 'OPS' and party = $1 group by account, counterpart having sum(debit - credit) <> 0"
        " order by account, counterpart",
        PROVIDER,
    )
    assert [tuple(row) for row in rows] == [("2102", "370100", -5_001), ("3001", "", -3_019), ("3001", "370100", 8_020)]
    assert (await fund.balances("STAT"))["TEMP_VISITOR"] == {EMPLOYEES: -5_001}, "less what is still owed for them"
    assert (await proved(fund, database)).problems == []


async def test_an_opening_prepayment_is_taken_back_by_its_schedule(fund: Fund) -> None:
    """Of 9,000.00 that were paid 6,500.00 are open: with two thirds due in November, 3,500.00 are taken."""
    prepaid(fund, ANNUAL, 650_000, "9000.00")
    await claimed(fund, 1_000_000, 8)
    assert await offsets(fund) == []
    await claimed(fund, 1_000_000, 9)
    assert await offsets(fund) == [("1101", ANNUAL, {EMPLOYEES: "500.00"})], "2,500.00 of the first 3,000.00 were back"
    await claimed(fund, 1_000_000, 10)
    assert (await offsets(fund))[1:] == [("1101", ANNUAL, {EMPLOYEES: "3000.00"})]
    assert (await fund.balances())["1101"] == {EMPLOYEES: 300_000} == (await fund.open_items())["1101"]
    fund.repay(ANNUAL, {EMPLOYEES: 299_000}, on="2026-11-20")
    fund.day("2026-12-31")
    assert (await offsets(fund))[2:] == [("1101", ANNUAL, {EMPLOYEES: "10.00"})], "from what is not sent"
    fund.day("2027-01-01")
    assert [one["on"] for one in await fund.decided("prepayment.cleared")] == ["2026-12-31"]


async def test_the_rest_of_an_opening_advance_and_a_recovery_are_taken_from_the_next_claim(fund: Fund) -> None:
    opened(fund, "B-1", {"1104": {EMPLOYEES: 4_410}}, **CLAIM)
    opened(fund, "C-1", {"1107": {EMPLOYEES: 1_090}}, decided_on="2025-11-20")
    await claimed(fund, 100_000, 1)
    fund.deduct(["B-2026-01"], {})
    assert await offsets(fund) == [
        ("1107", "C-1", {EMPLOYEES: "10.90"}),
        ("1104", "B-2026-01", {EMPLOYEES: "10.90"}),
        ("1104", "B-1", {EMPLOYEES: "44.10"}),
    ]
    books = await fund.balances()
    assert not {"1104", "1107"} & books.keys()
    assert books["2102"] == (await fund.open_items())["2102"]


async def test_an_opening_item_is_taken_over_once_and_only_under_its_own_name(fund: Fund) -> None:
    opened(fund, "B-1", {"2102": {EMPLOYEES: 500}}, **CLAIM)
    opened(fund, "B-1", {"2103": {EMPLOYEES: 70}}, **CLAIM)
    opened(fund, "DZ-1", {"1103": {EMPLOYEES: 900}})
    await fund.drain()
    opened(fund, "DZ-1", {"1103": {EMPLOYEES: 900}})
    prepaid(fund, "YF-2026", 100, "100.00")
    prepaid(fund, f"{PROVIDER}/YF-2026/{EMPLOYEES}", 100, "100.00", insutype="390")
    opened(fund, "C-9", {"1107": {EMPLOYEES: 5}}, decided_on="2025-11-20", benefit_year=2026)
    assert await details(fund) == [
        "B-1 is known already",
        "DZ-1 is known already",
        f"the prepayment is called {ANNUAL}",
        "fund 310100 does not bear insurance type 390",
        "2026 had not begun when case C-9 was decided on 2025-11-20",
    ]
    fund.recover("B-1", {EMPLOYEES: 1})
    assert (await details(fund))[5:] == ["case B-1 is the name of something else"]
    books = await fund.balances()
    # What a hospital owes for a supplier is due at once: the claim's order, which was not sent, made way.
    assert ("2102" in books, books["1103"]) == (False, {EMPLOYEES: 400})
    await rebuilt(fund)


async def test_an_opening_claim_covers_no_settlement_that_is_published_here(fund: Fund) -> None:
    opened(fund, "B-1", {"2102": {EMPLOYEES: 500}}, **CLAIM)
    fund.settle({EMPLOYEES: 1_200}, day="2025-11-20")
    await fund.drain()
    fund.submit("B-LATE", first="2025-11-01", last="2025-11-30", on="2026-01-05")
    [accepted] = await fund.decided("claim.batch.accepted", "claim.batch.rejected")
    assert (accepted["type"], accepted["amounts"]) == ("claim.batch.accepted", {EMPLOYEES: "12.00"})
