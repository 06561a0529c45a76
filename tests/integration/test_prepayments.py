"""Prepayments from application to the end of their year: events on a log, clearing, the ledger, a real database."""

from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import pytest

from medfund import money
from tests.conftest import Database
from tests.fund import PROVIDER, Fund, running

EMPLOYEES, RESIDENTS = "310100", "390100"
ANNUAL = f"{PROVIDER}/YF-2026/{EMPLOYEES}"
OF_RESIDENTS = f"{PROVIDER}/YF-2026/{RESIDENTS}"
GRANT = 1_070_473_242
"""10,704,732.42, the example of R2.5."""


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    """The figures of R2.1: the employees' fund bears prepayments, the residents' does not."""
    async with running(database) as fund:
        fund.register()
        fund.policy()
        fund.deposit({EMPLOYEES: 5_000_000_000, RESIDENTS: 5_000_000_000})
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00")
        fund.figures(RESIDENTS, "5600000000.00", "12100000000.00")
        fund.assess()
        fund.day("2026-01-06")
        await fund.drain()
        yield fund


async def disbursed(fund: Fund, ref: str = ANNUAL, fen: int = GRANT, *, on: str = "2026-02-27") -> None:
    """Applied for, granted, approved by two people, sent, and paid by the bank."""
    fund.apply(ref.rpartition("/")[2])
    fund.grant(ref, fen)
    fund.day("2026-02-26")
    await fund.approve("anna", "bo")
    await fund.run(ref.rpartition("/")[2], on=on)
    await pay(fund, ref, fen, on=on)


async def pay(fund: Fund, ref: str, fen: int, *, on: str, number: int = 1) -> None:
    fund.bank(f"{ref}/P{number}/{ref.rpartition('/')[2]}", {ref.rpartition("/")[2]: fen}, on=on)
    await fund.drain()


async def claimed(fund: Fund, fen: int, month: int, *, year: int = 2026) -> None:
    """A month's claim is submitted, and a part of it paid at once, less what is due."""
    next_month = f"{year}-{month + 1:02d}" if month < 12 else f"{year + 1}-01"
    fund.settle({EMPLOYEES: fen}, day=f"{year}-{month:02d}-15")
    fund.submit(f"B-{year}-{month:02d}", first=f"{year}-{month:02d}-01", last=f"{year}-{month:02d}-28",
                on=f"{next_month}-06")  # fmt: skip
    await fund.drain()
    fund.day(f"{next_month}-09")
    await fund.drain()


async def offsets(fund: Fund) -> list[tuple[str, str]]:
    """What was taken for prepayments, by account."""
    taken = await fund.decided("offset.applied")
    return [(one["account"], one["amounts"][EMPLOYEES]) for one in taken if one["account"] in ("1101", "1102")]


async def refusals(fund: Fund) -> list[tuple[str, str]]:
    return [(one["fund"], one["code"]) for one in await fund.decided("prepayment.refused")]


# -- the gate and the application


async def test_one_hospital_gets_the_employees_prepayment_and_not_the_residents(fund: Fund) -> None:
    """R2.1."""
    fund.apply(EMPLOYEES, RESIDENTS)
    gates = await fund.decided("prepayment.gate.evaluated")
    assert [(one["fund"], one["months"], one["allowed"], one["reasons"]) for one in gates] == [
        (EMPLOYEES, "14.3131", True, []),
        (RESIDENTS, "5.5537", False, ["TOO_FEW_MONTHS"]),
    ]
    [checked] = await fund.decided("prepayment.checked")
    assert (checked["prepayment_ref"], checked["grade"]) == (ANNUAL, "A")
    [refused] = await fund.decided("prepayment.refused")
    assert (refused["fund"], refused["code"]) == (RESIDENTS, "GATE")
    assert "5.5537 months of surplus, 6 are needed" in refused["detail"]


@pytest.mark.parametrize(
    ("surplus", "last", "code"),
    [("1200.00", "0.00", None), ("1199.99", "0.00", "GATE"), ("2000.00", "-0.01", "GATE")],
    ids=["40 exactly 12", "40 a fen less", "41 a deficit with 20 months"],
)
async def test_a_fund_is_judged_to_the_fen(fund: Fund, surplus: str, last: str, code: str | None) -> None:
    """Edge cases 40 and 41."""
    fund.figures(EMPLOYEES, surplus, "1200.00", last_year_result=last, as_of="2026-01-05")
    fund.apply(EMPLOYEES)
    assert await refusals(fund) == ([(EMPLOYEES, code)] if code else [])


async def test_what_is_wrong_with_an_application_is_said_fund_by_fund(fund: Fund) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"on": "2026-01-11"}, "TOO_LATE"),
        ({"documents": []}, "DOCUMENTS"),
        ({"on": "2027-01-05"}, "NOT_ASSESSED"),
    ]
    for data, _ in cases:
        fund.apply(EMPLOYEES, **data)
    fund.apply("610100", insutype="310")
    fund.apply(RESIDENTS, insutype="310")
    fund.apply(EMPLOYEES)
    fund.apply(EMPLOYEES)
    assert (await fund.prepayments())[ANNUAL]["status"] == "CHECKED", "the second application does not end the first"
    codes = [code for _, code in await refusals(fund)]
    assert codes == [*(code for _, code in cases), "UNKNOWN_FUND", "INSUTYPE", "TWICE"]


@pytest.mark.parametrize(
    ("before", "now", "code"),
    [
        (None, {"formed_by": "MERGER", "predecessors": ["H15250200018", "H15250200019"]}, "MERGED"),
        (None, {"formed_by": "SPLIT", "predecessors": ["H15250200018"]}, "SPLIT"),
        ({"area": "152600"}, {}, "MOVED"),
        ({"valid_from": "2020-01-01"}, {}, None),
    ],
    ids=["merged", "split", "moved", "no other area"],
)
@pytest.mark.parametrize("formed", ["2025-01-01", "2025-01-02"])
async def test_what_was_merged_or_split_or_moved_waits_for_a_whole_year(
    database: Database, before: dict[str, Any] | None, now: dict[str, Any], code: str | None, formed: str
) -> None:
    """Edge case 43."""
    async with running(database) as fund:
        if before is not None:
            fund.put("provider.registered.v1", provider=PROVIDER, **before)
        kind = "provider.registered.v1" if before is None else "provider.changed.v1"
        fund.put(kind, provider=PROVIDER, valid_from=formed, **now)
        fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="SIGNED", effective_from="2020-01-01")
        fund.policy()
        fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00")
        fund.assess()
        fund.apply(EMPLOYEES)
        late = formed > "2025-01-01"
        assert await refusals(fund) == ([(EMPLOYEES, code)] if late and code else [])


async def test_a_provider_that_is_new_or_broke_its_agreement_or_failed_gets_nothing(database: Database) -> None:
    async with running(database) as fund:
        fund.put("provider.registered.v1", provider=PROVIDER, valid_from="2025-03-01")
        fund.policy()
        fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00")
        fund.assess()
        fund.apply(EMPLOYEES)
        assert await refusals(fund) == [(EMPLOYEES, "AGREEMENT_TOO_NEW")]
        fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="SIGNED", effective_from="2024-01-01")
        fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="SUSPENDED", effective_from="2025-07-01",
                 effective_to="2025-07-10")  # fmt: skip
        fund.apply(EMPLOYEES)
        assert (await refusals(fund))[-1] == (EMPLOYEES, "BREACH")
        fund.assess("D", year=2026)
        fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="TERMINATED", effective_from="2027-01-03")
        fund.apply(EMPLOYEES, on="2027-01-05")
        assert (await refusals(fund))[-1] == (EMPLOYEES, "AGREEMENT")


# -- disbursed and taken back


async def test_a_prepayment_exists_when_the_bank_has_paid_it_and_is_no_expense(fund: Fund) -> None:
    fund.apply(EMPLOYEES)
    fund.grant(ANNUAL, GRANT)
    [approved] = await fund.decided("prepayment.approved")
    assert (approved["amounts"], approved["approvers"]) == ({EMPLOYEES: "10704732.42"}, ["anna", "bo"])
    [ordered] = await fund.decided("payment.ordered")
    assert (ordered["purpose"], ordered["due"], ordered["amounts"]) == ("PREPAYMENT", "2026-03-31", approved["amounts"])
    assert "1101" not in await fund.balances()
    fund.day("2026-02-26")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-27")
    await pay(fund, ANNUAL, GRANT, on="2026-02-27")
    [told] = await fund.decided("prepayment.disbursed")
    assert (told["outstanding"], told["value_date"]) == ({EMPLOYEES: "10704732.42"}, "2026-02-27")
    assert (await fund.balances())["1101"] == {EMPLOYEES: GRANT} == (await fund.open_items())["1101"]
    assert (await fund.balances("STAT"))["TEMP_PREPAY"] == {EMPLOYEES: GRANT}
    assert "5001" not in await fund.balances()


async def test_it_is_taken_back_from_october_on_a_third_each_month(fund: Fund) -> None:
    """R2.5: 3 x 3,568,244.14."""
    await disbursed(fund)
    for month in range(8, 12):
        await claimed(fund, 1_000_000_000, month)
    assert await offsets(fund) == [("1101", "3568244.14"), ("1101", "3568244.14"), ("1101", "3568244.14")]
    assert "1101" not in await fund.balances()
    assert "1101" not in await fund.open_items()


async def test_what_was_missed_for_lack_of_a_payable_is_due_with_the_next_part(fund: Fund) -> None:
    await disbursed(fund)
    await claimed(fund, 100_000_000, 9)
    await claimed(fund, 1_000_000_000, 10)
    taken = await offsets(fund)
    assert taken[0] == ("1101", "900000.00"), "all of the P1 of 900,000.00"
    assert taken[-1] == ("1101", "6236488.28")


async def test_an_offset_is_never_more_than_what_is_outstanding(fund: Fund) -> None:
    """Edge case 46."""
    await disbursed(fund)
    fund.repay(ANNUAL, {EMPLOYEES: GRANT - 100_00}, on="2026-09-01")
    await claimed(fund, 1_000_000_000, 11)
    assert await offsets(fund) == [("1101", "100.00")]
    fund.repay(ANNUAL, {EMPLOYEES: 5}, on="2026-12-10", txn="R-2")
    [item] = await fund.decided("suspense.opened")
    assert item["amounts"] == {EMPLOYEES: "0.05"}, "nothing is outstanding: the money is in suspense"


# -- the end of the year


async def test_what_is_not_returned_on_the_last_day_is_overdue_and_blocks_the_next_year(fund: Fund) -> None:
    """Edge case 45."""
    await disbursed(fund)
    fund.repay(ANNUAL, {EMPLOYEES: GRANT - 500}, on="2026-12-28")
    fund.day("2026-12-31")
    assert await fund.decided("prepayment.overdue") == [], "the day is not over"
    fund.day("2027-01-01")
    [overdue] = await fund.decided("prepayment.overdue")
    assert (overdue["amounts"], overdue["blocks_year"]) == ({EMPLOYEES: "5.00"}, 2027)
    fund.repay(ANNUAL, {EMPLOYEES: 500}, on="2027-01-02", txn="R-2")
    fund.assess(year=2026)
    fund.apply(EMPLOYEES, on="2027-01-05")
    assert (await refusals(fund))[-1] == (EMPLOYEES, "BLOCKED")
    assert "1101" not in await fund.balances()


@pytest.mark.parametrize(
    ("returns", "on", "blocks"),
    [
        (["2026-12-31"], "2026-12-31", None),
        (["2026-12-30", "2026-12-31"], "2026-12-31", None),
        (["2027-01-04"], "2027-01-04", 2027),
        (["2027-01-04", "2026-12-31"], "2027-01-04", 2027),
        (["2026-12-31", "2027-01-04"], "2027-01-04", 2027),
    ],
)
async def test_what_came_in_time_and_was_told_late_does_not_block(
    fund: Fund, returns: list[str], on: str, blocks: int | None
) -> None:
    """R10: the value date counts, of the last part that came."""
    await disbursed(fund)
    fund.day("2026-12-31")
    fund.day("2027-01-01")
    parts = [GRANT - 731, 731][-len(returns) :] if len(returns) > 1 else [GRANT]
    for number, (day, fen) in enumerate(zip(returns, parts, strict=True)):
        await fund.drain()
        fund.repay(ANNUAL, {EMPLOYEES: fen}, on=day, txn=f"R-{number}")
    [cleared] = await fund.decided("prepayment.cleared")
    assert cleared["on"] == on
    assert (await fund.prepayments())[ANNUAL]["blocks"] == blocks


async def test_an_offset_on_the_last_day_of_the_year_is_in_time_and_a_later_one_clears_what_is_overdue(
    fund: Fund,
) -> None:
    await disbursed(fund)
    fund.settle({EMPLOYEES: GRANT - 1_234}, day="2026-12-02")
    fund.submit("B-12A", first="2026-12-01", last="2026-12-15", on="2026-12-21", mode="WEEK")
    fund.settle({EMPLOYEES: 9_900}, day="2026-12-20")
    fund.submit("B-12B", first="2026-12-16", last="2026-12-31", on="2027-01-05")
    fund.day("2026-12-31")
    await fund.drain()
    fund.deduct(["B-12A"], {})
    left = GRANT - money.round2(Fraction(9 * (GRANT - 1_234), 10))
    left -= money.round2(Fraction(95 * (GRANT - 1_234), 100)) - (GRANT - left)
    assert (await fund.prepayments())[ANNUAL]["outstanding"] == {EMPLOYEES: left}
    fund.repay(ANNUAL, {EMPLOYEES: left - 4_711}, on="2026-12-31")
    fund.day("2027-01-01")
    [overdue] = await fund.decided("prepayment.overdue")
    assert overdue["amounts"] == {EMPLOYEES: "47.11"}
    fund.deduct(["B-12B"], {})
    [cleared] = await fund.decided("prepayment.cleared")
    assert cleared["on"] == "2027-01-01"
    given = (await fund.prepayments())[ANNUAL]
    assert (given["status"], given["blocks"], given["outstanding"]) == ("CLEARED", 2027, {})
    assert "1101" not in await fund.balances()


async def test_what_an_offset_on_the_last_day_takes_to_the_end_blocks_nothing(fund: Fund) -> None:
    await disbursed(fund, fen=61_700)
    fund.settle({EMPLOYEES: 73_100}, day="2026-12-02")
    fund.submit("B-12", first="2026-12-01", last="2026-12-15", on="2026-12-30", mode="WEEK")
    await fund.drain()
    fund.day("2026-12-31")
    assert await offsets(fund) == [("1101", "617.00")]
    fund.day("2027-01-01")
    [cleared] = await fund.decided("prepayment.cleared")
    assert (cleared["on"], (await fund.prepayments())[ANNUAL]["blocks"]) == ("2026-12-31", None)
    assert await fund.decided("prepayment.overdue") == []


async def test_a_visitors_payable_pays_the_hospitals_own_prepayment_of_that_fund(fund: Fund) -> None:
    """R10, c.4: the visitors' side is what is paid for them, the prepayment's side stays as it is."""
    await disbursed(fund, fen=61_700)
    fund.recall(ANNUAL, on="2026-05-11")
    fund.settle({EMPLOYEES: 73_100}, day="2026-05-15", insured_area="370100")
    fund.submit("B-V", first="2026-05-01", last="2026-05-31", on="2026-06-05", insured_area="370100")
    await fund.drain()
    fund.day("2026-06-08")
    assert await offsets(fund) == [("1101", "617.00")]
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{EMPLOYEES: 65_790 - 61_700}]
    books, stat = await fund.balances(), await fund.balances("STAT")
    assert ("1101" in books, books["1104"]) == (False, {EMPLOYEES: 61_700})
    assert "TEMP_PREPAY" not in stat
    assert stat["TEMP_INSTANT"] == {EMPLOYEES: 61_700}


async def test_what_was_taken_back_is_cleared_at_the_end_of_the_year(fund: Fund) -> None:
    await disbursed(fund)
    for month in (9, 10, 11):
        await claimed(fund, 1_000_000_000, month)
    fund.day("2026-12-31")
    fund.day("2027-01-02")
    [cleared] = await fund.decided("prepayment.cleared")
    assert cleared["prepayment_ref"] == ANNUAL
    assert await fund.decided("prepayment.overdue") == []


# -- recalled


async def test_misuse_recalls_all_of_it_at_once(fund: Fund) -> None:
    """Edge case 50."""
    await disbursed(fund)
    fund.recall(ANNUAL, "MISUSE")
    await claimed(fund, 500_000_000, 6)
    [recalled] = await fund.decided("prepayment.recalled")
    assert (recalled["code"], recalled["amounts"]) == ("MISUSE", {EMPLOYEES: "10704732.42"})
    assert await offsets(fund) == [("1101", "4500000.00")], "the whole P1, months before the schedule begins"


async def test_a_recall_amid_an_offset_takes_the_rest_of_the_same_claim_and_nothing_twice(fund: Fund) -> None:
    await disbursed(fund)
    await claimed(fund, 500_000_000, 9)
    fund.recall(ANNUAL, "MISUSE", on="2026-10-12")
    fund.deduct(["B-2026-09"], {})
    await fund.drain()
    assert await offsets(fund) == [("1101", "3568244.14"), ("1101", "931755.86"), ("1101", "250000.00")]
    assert [one["status"] for one in await fund.payments(purpose="INSTANT")] == ["CANCELLED"], "it was not sent yet"
    left = {EMPLOYEES: GRANT - 356_824_414 - 93_175_586 - 25_000_000}
    assert (await fund.balances())["1101"] == left == (await fund.open_items())["1101"]
    fund.repay(ANNUAL, left, on="2026-11-02")
    fund.day("2026-12-31")
    fund.day("2027-01-01")
    [cleared] = await fund.decided("prepayment.cleared")
    assert cleared["prepayment_ref"] == ANNUAL


async def test_the_end_of_an_agreement_recalls_in_full_and_a_lost_gate_where_the_policy_says_so(
    database: Database,
) -> None:
    """Edge cases 42 and 49."""
    async with running(database) as fund:
        fund.register()
        fund.policy(prepayment__gate_lost="RECALL")
        fund.deposit({EMPLOYEES: 5_000_000_000})
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00")
        fund.assess()
        fund.day("2026-01-06")
        await disbursed(fund)
        fund.figures(EMPLOYEES, "1.00", "34567000000.00", as_of="2026-06-30")
        [recalled] = await fund.decided("prepayment.recalled")
        assert recalled["code"] == "GATE_LOST"


async def test_a_gate_that_closed_freezes_what_was_not_granted(fund: Fund) -> None:
    """Edge case 42, where the policy freezes."""
    monthly = f"{PROVIDER}/YY-2026/{EMPLOYEES}"
    fund.apply(EMPLOYEES)
    fund.apply(EMPLOYEES, kind="MONTHLY")
    fund.grant(monthly, 100, prepayment_kind="MONTHLY", on="2026-01-20")
    fund.figures(EMPLOYEES, "1.00", "34567000000.00", as_of="2026-01-25")
    fund.grant(ANNUAL, GRANT, base="20000000.00")
    fund.day("2026-02-02")
    assert await refusals(fund) == [(EMPLOYEES, "GATE")]
    assert await fund.payments() == []
    assert await fund.decided("prepayment.recalled") == []
    fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00", as_of="2026-02-25")
    fund.day("2026-03-02")
    assert len(await fund.payments()) == 1, "the month after it opened again"


async def test_a_terminated_agreement_recalls_and_cancels_what_was_not_sent(fund: Fund) -> None:
    """Edge case 49."""
    fund.apply(EMPLOYEES)
    fund.grant(ANNUAL, GRANT)
    fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="TERMINATED", effective_from="2026-02-10")
    [recalled] = await fund.decided("prepayment.recalled")
    assert (recalled["code"], recalled["amounts"]) == ("AGREEMENT", {})
    assert [one["status"] for one in await fund.payments()] == ["CANCELLED"]


async def test_a_grant_whose_payment_comes_back_is_paid_again_when_somebody_asks(fund: Fund) -> None:
    await disbursed(fund)
    fund.bank(f"{ANNUAL}/P1/{EMPLOYEES}", {EMPLOYEES: GRANT}, on="2026-03-02", back=True)
    assert "1101" not in await fund.balances()
    fund.retry(f"{ANNUAL}/P1/{EMPLOYEES}")
    fund.day("2026-03-03")
    await fund.approve("bo", refs=[f"{ANNUAL}/P2/{EMPLOYEES}"])
    await fund.run(EMPLOYEES, on="2026-03-04")
    await pay(fund, ANNUAL, GRANT, on="2026-03-04", number=2)
    assert (await fund.balances())["1101"] == {EMPLOYEES: GRANT} == (await fund.open_items())["1101"]


async def test_a_payment_that_comes_back_after_an_offset_is_paid_again_and_what_was_taken_stays_taken(
    fund: Fund,
) -> None:
    await disbursed(fund)
    await claimed(fund, 1_000_000_000, 9)
    assert await offsets(fund) == [("1101", "3568244.14")]
    fund.bank(f"{ANNUAL}/P1/{EMPLOYEES}", {EMPLOYEES: GRANT}, on="2026-10-12", back=True)
    await fund.drain()
    owed = {EMPLOYEES: -356_824_414}
    assert (await fund.balances())["1101"] == owed == (await fund.open_items())["1101"]
    await claimed(fund, 1_000_000_000, 10)
    assert len(await offsets(fund)) == 1, "nothing is outstanding"
    fund.day("2026-12-31")
    fund.day("2027-01-01")
    assert await fund.decided("prepayment.overdue", "prepayment.cleared") == []


async def test_a_months_prepayment_that_failed_is_not_paid_again_when_the_next_months_is_out(fund: Fund) -> None:
    ref = f"{PROVIDER}/YY-2026/{EMPLOYEES}"
    fund.apply(EMPLOYEES, kind="MONTHLY")
    fund.grant(ref, 100, prepayment_kind="MONTHLY", on="2026-01-20")
    fund.day("2026-02-02")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-02")
    await fund.drain()
    fund.put("bank.payment.rejected.v1", provider=PROVIDER, payment_ref=f"{ref}/P1/{EMPLOYEES}")
    fund.day("2026-03-02")
    fund.retry(f"{ref}/P1/{EMPLOYEES}")
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == f"{ref} has been given for a later month"


async def test_a_plan_that_two_people_with_mandates_do_not_stand_behind_gives_nothing(fund: Fund) -> None:
    fund.apply(EMPLOYEES)
    fund.mandate("hugo", "finance")
    fund.mandate("iris", "finance", limit="9634259.17")
    for approvers in (["anna", "ANNA"], ["anna", "eve"], ["anna", "iris"]):
        fund.grant(ANNUAL, GRANT, approvers=approvers)
    fund.mandate("iris", "finance")
    fund.grant(ANNUAL, GRANT, approvers=["hugo", "iris"])
    assert [event["detail"] for event in await fund.decided("fact.disputed")] == [
        "plan YF-1 has one approver, and needs two",
        "eve, who approved plan YF-1, has no mandate for it on 2026-02-03",
        "iris, who approved plan YF-1, has no mandate for it on 2026-02-03",
        "no approver has approved plan YF-1",
    ]
    fund.grant(ANNUAL, GRANT, approvers=["anna", "iris"])
    assert len(await fund.decided("prepayment.approved")) == 1


async def test_a_plan_counts_once_and_a_later_one_changes_what_it_gave(fund: Fund) -> None:
    fund.apply(EMPLOYEES)
    fund.grant(ANNUAL, GRANT)
    fund.grant(ANNUAL, GRANT)
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == f"plan YF-1 has given {ANNUAL} before"
    fund.grant(ANNUAL, 500_000_000, plan="YF-2")
    [adjusted] = await fund.decided("prepayment.adjusted")
    assert adjusted["delta"] == {EMPLOYEES: "-5704732.42"}
    waiting = await fund.payments(status="ORDERED")
    assert [one["amounts"] for one in waiting] == [{EMPLOYEES: 500_000_000}]


async def test_annual_and_monthly_together_are_a_month_at_most(fund: Fund) -> None:
    """Edge case 47, R2.3."""
    monthly = f"{PROVIDER}/YY-2026/{EMPLOYEES}"
    fund.apply(EMPLOYEES)
    fund.apply(EMPLOYEES, kind="MONTHLY")
    fund.grant(ANNUAL, 700, base="10.00", on="2026-01-20")
    fund.grant(monthly, 301, base="10.00", prepayment_kind="MONTHLY", plan="YF-2", on="2026-01-20")
    fund.grant(monthly, 300, base="10.00", prepayment_kind="MONTHLY", plan="YF-3", on="2026-01-20")
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "3.01 is more than 3.00, which is all that may be given"
    assert (await fund.prepayments())[monthly]["granted"] == 300


async def test_what_is_to_be_returned_by_the_clearing_is_not_overdue_at_the_years_end(database: Database) -> None:
    """R10: AT_ANNUAL_CLEARING."""
    async with running(database) as fund:
        fund.register()
        fund.policy(prepayment__schedule="AT_ANNUAL_CLEARING", prepayment__return_by="CLEARING")
        fund.deposit({EMPLOYEES: 5_000_000_000})
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00")
        fund.assess()
        fund.day("2026-01-06")
        await disbursed(fund)
        fund.day("2026-12-31")
        fund.day("2027-01-01")
        assert await fund.decided("prepayment.overdue", "prepayment.cleared") == []
        assert (await fund.balances())["1101"] == {EMPLOYEES: GRANT}


async def test_a_part_that_falls_due_is_taken_from_what_is_ordered_and_not_sent(fund: Fund) -> None:
    """R10: of 9,000.00 a third is due from 1 October on; an order of 1,080.00 of August stands unsent."""
    await disbursed(fund, fen=900_000)
    await claimed(fund, 120_000, 8)
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{EMPLOYEES: 108_000}]
    fund.day("2026-10-01")
    assert await offsets(fund) == [("1101", "1080.00")]
    assert await fund.payments(status="ORDERED") == []
    await claimed(fund, 300_000, 9)
    assert await offsets(fund) == [("1101", "1080.00"), ("1101", "1920.00")]
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{EMPLOYEES: 78_000}]
    fund.grant(ANNUAL, 860_000, plan="YF-2", base="9000.00", on="2026-10-12")
    assert (await offsets(fund))[2:] == [("1101", "266.67")], (
        "8,600.00: a third is 2,866.67, and 400.00 are due at once"
    )
    assert [one["amounts"] for one in await fund.payments(status="ORDERED")] == [{EMPLOYEES: 51_333}]
    assert (await fund.balances())["1101"] == {EMPLOYEES: 573_333} == (await fund.open_items())["1101"]


async def test_what_is_due_of_a_prepayment_when_it_is_paid_is_taken_from_what_is_not_sent(fund: Fund) -> None:
    """Paid in November, two thirds of 9,000.00 are due: an order of 1,080.00 makes way for it."""
    fund.apply(EMPLOYEES)
    fund.grant(ANNUAL, 900_000)
    await claimed(fund, 120_000, 10)
    await fund.approve("anna", "bo", refs=[f"{ANNUAL}/P1/{EMPLOYEES}"])
    await fund.run(EMPLOYEES, on="2026-11-09")
    await pay(fund, ANNUAL, 900_000, on="2026-11-10")
    assert await offsets(fund) == [("1101", "1080.00")]
    assert await fund.payments(status="ORDERED") == []


# -- bulk purchases


@pytest.mark.parametrize(
    ("on", "contract", "code"),
    [
        ("2026-01-19", {"contracted_on": "2026-01-05"}, None),
        ("2026-01-20", {"contracted_on": "2026-01-05"}, "TOO_LATE"),
        ("2026-01-04", {"contracted_on": "2026-01-05"}, "TOO_LATE"),
        ("2026-01-19", {"contracted_on": None}, "DOCUMENTS"),
        ("2026-12-25", {"contracted_on": "2026-12-25"}, "NO_CALENDAR"),
    ],
    ids=["the tenth working day", "the eleventh", "before the contract", "no day of it", "a year without a calendar"],
)
async def test_a_bulk_purchases_is_applied_for_within_ten_working_days_and_paid_in_ten_more(
    fund: Fund, on: str, contract: dict[str, Any], code: str | None
) -> None:
    """R2.6."""
    ref = f"{PROVIDER}/JC-JC-17/{EMPLOYEES}"
    fund.apply(EMPLOYEES, on=on, kind="BULK", contract_ref="JC-17", agreed={EMPLOYEES: "12000000.00"}, **contract)
    assert await refusals(fund) == ([(EMPLOYEES, code)] if code else [])
    if code is None:
        fund.grant(ref, 360_000_000, base="12000000.00", prepayment_kind="BULK", on="2026-01-21")
        [ordered] = await fund.decided("payment.ordered")
        assert ordered["due"] == "2026-02-02"


async def test_a_bulk_purchases_prepayment_is_taken_back_along_the_purchases(fund: Fund) -> None:
    """R2.6: 3,600,000.00, and 300,000.00 after 1,000,000.00 of 12,000,000.00."""
    ref = f"{PROVIDER}/JC-JC-17/{EMPLOYEES}"
    fund.apply(EMPLOYEES, kind="BULK", contract_ref="JC-17", agreed={EMPLOYEES: "12000000.00"})
    fund.grant(ref, 360_000_000, prepayment_kind="BULK")
    fund.day("2026-02-26")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-27")
    await pay(fund, ref, 360_000_000, on="2026-02-27")
    assert (await fund.balances())["1102"] == {EMPLOYEES: 360_000_000}
    fund.put("prepayment.purchases.reported.v1", provider=PROVIDER, contract_ref="JC-17",
             purchased={EMPLOYEES: "1000000.00"}, reported_on="2026-03-31")  # fmt: skip
    await claimed(fund, 1_000_000_000, 3)
    assert await offsets(fund) == [("1102", "300000.00")]
    assert (await fund.balances())["1102"] == {EMPLOYEES: 330_000_000} == (await fund.open_items())["1102"]


@pytest.mark.parametrize("how", ["taken", "returned", "recalled"])
async def test_a_bulk_purchases_prepayment_is_cleared_when_all_that_was_given_is_back(fund: Fund, how: str) -> None:
    """Of 7,654.32 a part of 2,296.30; 1,900.00 of it are back after 6,333.26 were purchased."""
    ref = f"{PROVIDER}/JC-JC-19/{EMPLOYEES}"
    fund.apply(EMPLOYEES, kind="BULK", contract_ref="JC-19", agreed={EMPLOYEES: "7654.32"})
    fund.grant(ref, 229_630, base="7654.32", prepayment_kind="BULK")
    fund.day("2026-02-26")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-27")
    await pay(fund, ref, 229_630, on="2026-02-27")

    async def purchased(amount: str) -> None:
        fund.put("prepayment.purchases.reported.v1", provider=PROVIDER, contract_ref="JC-19",
                 purchased={EMPLOYEES: amount}, reported_on="2026-03-31")  # fmt: skip
        await fund.drain()

    await purchased("6333.26")
    await claimed(fund, 1_000_000, 3)
    assert (await fund.prepayments())[ref]["outstanding"] == {EMPLOYEES: 39_632}
    assert await fund.decided("prepayment.cleared") == []
    if how == "recalled":
        fund.recall(ref, on="2026-04-09")
        await claimed(fund, 1_000_000, 4)
    elif how == "returned":
        fund.repay(ref, {EMPLOYEES: 39_632}, on="2026-04-13")
    else:
        await purchased("7654.32")
        await claimed(fund, 1_000_000, 4)
    [cleared] = await fund.decided("prepayment.cleared")
    assert (cleared["prepayment_ref"], cleared["on"]) == (
        ref, {"returned": "2026-04-13", "taken": "2026-04-09", "recalled": "2026-04-09"}[how],
    )  # fmt: skip
    await purchased("7654.32")
    assert await fund.decided("fact.disputed") == [], "what is reported of it still changes nothing"
    fund.day("2027-01-04")
    given = (await fund.prepayments())[ref]
    assert (given["status"], given["outstanding"], given["blocks"]) == ("CLEARED", {}, None)
    assert len(await fund.decided("prepayment.cleared")) == 1
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_what_was_recalled_and_came_back_long_before_is_cleared_at_the_end_of_its_year(fund: Fund) -> None:
    await disbursed(fund)
    fund.recall(ANNUAL, on="2026-06-11")
    fund.repay(ANNUAL, {EMPLOYEES: GRANT}, on="2026-06-17")
    for day in ("2026-06-18", "2026-12-31", "2027-01-01"):
        await fund.drain()
        fund.day(day)
    [cleared] = await fund.decided("prepayment.cleared")
    assert (cleared["prepayment_ref"], cleared["on"]) == (ANNUAL, "2026-12-31")


# -- month by month


async def test_a_monthly_prepayment_is_taken_back_by_its_months_claim_and_none_is_given_while_one_is_open(
    fund: Fund,
) -> None:
    """Edge case 48."""
    ref, amount = f"{PROVIDER}/YY-2026/{EMPLOYEES}", 50_000_000
    fund.apply(EMPLOYEES, kind="MONTHLY")
    fund.grant(ref, amount, prepayment_kind="MONTHLY", on="2026-01-20")
    await fund.drain()
    assert await fund.payments() == [], "the first one comes with the next month"
    fund.day("2026-02-02")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-02")
    await pay(fund, ref, amount, on="2026-02-03")
    await claimed(fund, 100_000_000, 1)
    assert await offsets(fund) == [], "January's claim is not February's"
    fund.day("2026-03-02")
    assert len(await fund.payments(purpose="PREPAYMENT")) == 1, "February's is still open: none is given for March"
    await claimed(fund, 100_000_000, 2)
    assert await offsets(fund) == [("1101", "500000.00")]
    [_, second] = await fund.payments(purpose="PREPAYMENT")
    assert (second["amounts"], second["due"]) == ({EMPLOYEES: amount}, "2026-03-09"), "on the day that ended the first"
    for month in range(4, 13):
        fund.day(f"2026-{month:02d}-02")
    assert len(await fund.payments(purpose="PREPAYMENT")) == 2, "it waits to be paid"


async def test_a_months_prepayment_is_given_once_for_a_month_and_on_the_day_that_ends_the_one_before(
    fund: Fund,
) -> None:
    """R10: February's is returned in March, so March's is given on that day; March's is returned in March too, and
    April's comes with April."""
    ref = f"{PROVIDER}/YY-2026/{EMPLOYEES}"
    fund.apply(EMPLOYEES, kind="MONTHLY")
    fund.grant(ref, 81_300, prepayment_kind="MONTHLY", on="2026-01-20")
    fund.day("2026-02-02")
    for number, (paid, returned, sent) in enumerate(
        [("2026-02-03", "2026-03-11", "2026-02-02"), ("2026-03-12", "2026-03-24", "2026-03-12")], 1
    ):
        await fund.approve("anna", "bo")
        await fund.run(EMPLOYEES, on=sent)
        await pay(fund, ref, 81_300, on=paid, number=number)
        fund.day(returned)
        fund.repay(ref, {EMPLOYEES: 81_300}, on=returned, txn=f"R-{number}")
        await fund.drain()
    given = [one["due"] for one in await fund.payments(purpose="PREPAYMENT")]
    assert given == ["2026-02-02", "2026-03-11"]
    fund.day("2026-04-01")
    given = [one["due"] for one in await fund.payments(purpose="PREPAYMENT")]
    assert given == ["2026-02-02", "2026-03-11", "2026-04-01"]


async def test_what_a_later_plan_gives_less_than_was_paid_is_due_at_once_and_the_rest_by_the_schedule(
    fund: Fund,
) -> None:
    """Of 9,000.00 paid a later plan leaves 6,600.00: 2,400.00 at once, and 2,200.00 in each of the last months."""
    await disbursed(fund, fen=900_000)
    fund.grant(ANNUAL, 660_000, plan="YF-2", base="9000.00", on="2026-05-11")
    for month, fen in ((4, 40_000), (5, 1_000_000), (9, 1_000_000), (10, 1_000_000)):
        await claimed(fund, fen, month)
    assert await offsets(fund) == [("1101", "360.00"), ("1101", "2040.00"), ("1101", "2200.00"), ("1101", "2200.00")]
    assert (await fund.balances())["1101"] == {EMPLOYEES: 220_000} == (await fund.open_items())["1101"]


async def test_a_return_in_cash_lowers_the_last_parts_of_the_schedule_and_one_that_is_due_the_next(fund: Fund) -> None:
    """Of 9,000.00, 3,000.00 a month from October on: 4,100.00 came in June; in October, 1,900.00 of 3,000.00 that were
    due came in cash, so that 1,100.00 are left to be taken, and November takes what is left at all."""
    await disbursed(fund, fen=900_000)
    fund.day("2026-06-08")
    fund.repay(ANNUAL, {EMPLOYEES: 410_000}, on="2026-06-08", txn="R-1")
    fund.day("2026-10-01")
    fund.repay(ANNUAL, {EMPLOYEES: 190_000}, on="2026-10-01", txn="R-2")
    for month in (9, 10):
        await claimed(fund, 1_000_000, month)
    assert await offsets(fund) == [("1101", "1100.00"), ("1101", "1900.00")]
    assert [one.get("early") for one in await fund.decided("prepayment.returned")] == [{EMPLOYEES: "4100.00"}, None]
    assert "1101" not in await fund.balances()


async def test_a_bulk_purchases_prepayment_is_its_ratio_or_nothing(fund: Fund) -> None:
    ref = f"{PROVIDER}/JC-JC-19/{EMPLOYEES}"
    fund.apply(EMPLOYEES, kind="BULK", contract_ref="JC-19", agreed={EMPLOYEES: "7654.32"})
    fund.grant(ref, 229_629, base="7654.32", prepayment_kind="BULK")
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "2296.29 is less than 2296.30, the least of a bulk purchase"
    fund.grant(ref, 229_630, base="7654.32", prepayment_kind="BULK")
    assert [one["amounts"] for one in await fund.payments()] == [{EMPLOYEES: 229_630}]


async def test_who_is_blocked_after_it_was_found_good_is_given_nothing(fund: Fund) -> None:
    await disbursed(fund)
    fund.assess(year=2026)
    fund.figures(EMPLOYEES, "41230000000.00", "34567000000.00", as_of="2026-12-31")
    fund.apply(EMPLOYEES, on="2027-01-02")
    fund.day("2027-01-03")
    await fund.drain()
    fund.grant(f"{PROVIDER}/YF-2027/{EMPLOYEES}", 100, year=2027, on="2027-02-01")
    assert await refusals(fund) == [(EMPLOYEES, "BLOCKED")]


async def test_no_more_than_a_month_is_given(fund: Fund) -> None:
    """Edge case 47."""
    fund.apply(EMPLOYEES)
    fund.grant(ANNUAL, GRANT, base="10704732.41")
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "10704732.42 is more than 10704732.41, which is all that may be given"
