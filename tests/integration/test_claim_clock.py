"""The clock of a claim, run by days on the log: what is near, what is late, what a notice moves (R1.4)."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from medfund import calendar, money
from tests.conftest import Database
from tests.fund import Fund, running
from tests.integration import claims_served

BATCH = "B-202601"
CLOCK = (
    "claim.deadline.approaching", "claim.deadline.breached", "claim.breach.withdrawn", "claim.deadline.recalculated",
)  # fmt: skip
NEW_YEAR_2027 = {
    "year": 2027,
    "holidays": ["2027-01-01", "2027-01-02", "2027-01-03"],
    "workdays": [],
    "notice_ref": "a notice for tests",
}


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        yield fund


async def pass_days(fund: Fund, first: str, last: str) -> None:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        fund.day(f"{day}")
        day += timedelta(days=1)
    await fund.drain()


async def told(fund: Fund) -> list[tuple[str, str, str]]:
    """What of the clock was said: kind, target, and the days left, the day it was seen on or paid on, or the new
    deadline."""
    return [
        (event["type"].rpartition(".")[2], event["target"],
         str(event.get("days_left", event.get("seen_on", event.get("paid_on", event["due"])))))
        for event in await fund.decided(*CLOCK)
    ]  # fmt: skip


async def pay(fund: Fund, number: int, on: str) -> None:
    """The bank pays what was ordered in this place."""
    ordered = (await fund.ordered())[number]
    fund.bank(ordered["payment_ref"], {name: money.fen(amount) for name, amount in ordered["amounts"].items()}, on=on)
    await fund.drain()


async def test_each_target_is_announced_and_missed_by_itself_over_the_spring_festival(fund: Fund) -> None:
    """Edge cases 3 and 9: due on 2026-03-09, and 2026-03-16 at the latest; the month ends on a worked Saturday."""
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-03-20")
    assert await told(fund) == [
        ("approaching", "MONTH_END", "3"),
        ("breached", "MONTH_END", "2026-03-03"),
        ("approaching", "WD_15", "3"),
        ("breached", "WD_15", "2026-03-11"),
        ("approaching", "WD_20", "3"),
        ("breached", "WD_20", "2026-03-18"),
    ]


async def test_a_payment_is_due_when_the_policy_of_its_claim_says(fund: Fund) -> None:
    fund.policy(valid_from="2026-02-01", clock__working_days="10")
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    await pay(fund, 0, "2026-02-10")
    fund.deduct([BATCH], {})
    at_once, rest = await fund.ordered()
    assert rest["due"] == "2026-03-02", "10 working days from 2026-02-11, over the Spring Festival"
    assert at_once["due"] == "2026-02-09", "the first working day after it was submitted, on a Friday"


async def test_a_claim_that_is_paid_in_time_is_not_late(fund: Fund) -> None:
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-11")
    await pay(fund, 0, "2026-02-12")
    fund.deduct([BATCH], {})
    await pay(fund, 1, "2026-02-27")
    await pass_days(fund, "2026-02-12", "2026-03-20")
    assert await told(fund) == []


async def test_a_day_that_has_not_come_or_is_over_is_refused_and_today_stays(fund: Fund) -> None:
    fund.settle({"310100": 20_000}, day="2026-12-01")
    fund.submit("B-202612", first="2026-12-01", last="2026-12-01", on="2026-12-02")
    for day in ("2026-12-02", "2026-12-07"):
        fund.day(day)
    for day in ("2099-01-01", "2026-12-04"):
        fund.put_in_lane("day.opened.v1", date=day)
    fund.day("2026-12-08")
    assert [one["payment_ref"] for one in await fund.payments()] == ["B-202612/P1/310100"]
    assert await fund.control.fetchval("select opened from clearing.days where lane = $1", fund.lane) == date(
        2026, 12, 8
    )
    refused = 'select reason, detail from {0}.quarantine where lane = $1 order by "offset"'
    of_clearing = await fund.control.fetch(refused.format("clearing"), fund.lane)
    of_ledger = await fund.control.fetch(refused.format("ledger"), fund.lane)
    assert [row["reason"] for row in of_clearing] == ["wrong_day", "wrong_day"]
    assert of_clearing[1]["detail"] == "$.date: 2026-12-04 does not come after 2026-12-07, which was opened last"
    assert of_ledger == of_clearing[:1], "the ledger tells publishers of a day that has not come"
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_a_value_date_after_the_deadline_is_a_breach_whenever_it_becomes_known(fund: Fund) -> None:
    """Edge case 6: paid on the due date, after the bank's own cut-off."""
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    await pay(fund, 0, "2026-02-12")
    fund.deduct([BATCH], {})
    await pay(fund, 1, "2026-03-10")
    assert await told(fund) == [("breached", "WD_15", "2026-03-10"), ("breached", "MONTH_END", "2026-03-10")]
    await pass_days(fund, "2026-03-10", "2026-03-20")
    assert len(await told(fund)) == 2, "a breach is told once"


async def test_money_that_comes_back_starts_the_clock_again(fund: Fund) -> None:
    fund.settle({"310100": 10_000})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    await pay(fund, 0, "2026-02-12")
    fund.deduct([BATCH], {})
    await pay(fund, 1, "2026-02-26")
    fund.bank(f"{BATCH}/P2", {"310100": 500}, on="2026-02-27", back=True)
    await pass_days(fund, "2026-03-10", "2026-03-11")
    assert ("breached", "WD_15", "2026-03-11") in await told(fund)


async def test_a_return_that_the_bank_takes_back_takes_the_breach_back(fund: Fund) -> None:
    fund.settle({"310100": 73_100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    await pay(fund, 0, "2026-02-12")
    fund.deduct([BATCH], {})
    await pay(fund, 1, "2026-02-26")
    [_, rest] = await fund.payments()
    [left] = rest["amounts"].values()
    fund.bank(rest["payment_ref"], {"310100": left}, on="2026-02-27", back=True)
    await pass_days(fund, "2026-03-11", "2026-03-11")
    assert ("breached", "WD_15", "2026-03-11") in await told(fund)
    fund.put("bank.return.reversed.v1", provider=fund.provider, payment_ref=rest["payment_ref"], bank_txn="R-9",
             value_date="2026-03-12", booked_on="2026-03-12", amounts={"310100": money.yuan(left)})  # fmt: skip
    assert [event for event in await told(fund) if event[1] == "WD_15"][-1] == ("withdrawn", "WD_15", "2026-02-26")


async def test_a_deadline_beyond_the_calendar_is_provisional_until_the_notice_comes(fund: Fund) -> None:
    """Edge cases 4 and 5, reliability row 52."""
    fund.settle({"310100": 100}, day="2026-11-15")
    fund.submit("B-202611", first="2026-11-01", last="2026-11-30", on="2026-12-20")
    [accepted] = await fund.decided("claim.batch.accepted")
    assert accepted["cut_off"] == "2026-12-20"
    assert accepted["due_15"] < accepted["latest_15"]
    assert accepted["due_20"] < accepted["latest_20"]
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    moved = await fund.decided("claim.deadline.recalculated")
    assert [(event["target"], event["was"], event["due"], event["latest"]) for event in moved] == [
        ("WD_15", accepted["due_15"], "2027-01-11", None),
        ("WD_20", accepted["due_20"], "2027-01-18", None),
    ]
    amended = {**NEW_YEAR_2027, "holidays": [*NEW_YEAR_2027["holidays"], "2027-01-04"]}  # type: ignore[misc]
    fund.put_in_lane("calendar.published.v1", **amended)
    *_, fifteen, twenty = await fund.decided("claim.deadline.recalculated")
    assert (fifteen["was"], fifteen["due"]) == ("2027-01-11", "2027-01-12")
    assert (twenty["was"], twenty["due"]) == ("2027-01-18", "2027-01-19")
    fund.put_in_lane("calendar.published.v1", **{**amended, "notice_ref": "the same days again"})
    assert len(await fund.decided("claim.deadline.recalculated")) == 4, "what does not move is not told"


WAITED = """
statement_days  last_open   told
0               2026-03-09  no     # the due day itself
0               2026-03-10  2026-03-10
1               2026-03-09  no
1               2026-03-10  2026-03-10
2               2026-03-10  no
2               2026-03-11  2026-03-11
5               2026-03-15  no     # a Sunday lies between
5               2026-03-16  2026-03-16
"""


@pytest.mark.parametrize("case", [line.split("#")[0].split() for line in WAITED.strip().splitlines()[1:]], ids="-".join)
async def test_a_breach_is_told_when_the_banks_statement_of_the_due_day_can_have_come(
    fund: Fund, case: list[str]
) -> None:
    waited, last, seen_on = case
    fund.policy(valid_from="2026-02-01", clock__statement_days=waited)
    fund.settle({"310100": 73_100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-09", last)
    breaches = await fund.decided("claim.deadline.breached")
    assert [event["seen_on"] for event in breaches if event["target"] == "WD_15"] == (
        [] if seen_on == "no" else [seen_on]
    )


async def paid_on_the_due_day(fund: Fund, last_open: str, value_date: str = "2026-03-09") -> None:
    """What is left of a claim of 731.00 after its P1 of 657.90, told by the bank after a day has opened."""
    fund.settle({"310100": 73_100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    await pay(fund, 0, "2026-02-12")
    fund.deduct([BATCH], {})
    await pass_days(fund, "2026-02-10", last_open)
    await pay(fund, 1, value_date)


async def states(database: Database, fund: Fund, folder: Path) -> dict[str, tuple[str, str | None]]:
    """As `GET /v1/claims/{provider}/{batch}/deadlines` tells them."""
    async with claims_served.serving(database, fund.log, folder / "keys") as api:
        answer = await api.caller("finance").answer(f"/v1/claims/{fund.provider}/{BATCH}/deadlines")
    return {one["target"]: (one["state"], one["paid_on"]) for one in answer["deadlines"]}


async def test_a_claim_paid_on_its_due_day_is_met_though_the_bank_says_so_the_day_after(
    fund: Fund, database: Database, tmp_path: Path
) -> None:
    await paid_on_the_due_day(fund, "2026-03-10")
    assert ("breached", "WD_15") not in {event[:2] for event in await told(fund)}
    told_of = await states(database, fund, tmp_path)
    assert (told_of["WD_15"], told_of["WD_20"]) == (("MET", "2026-03-09"), ("MET", "2026-03-09"))


async def test_a_breach_is_taken_back_by_the_fact_that_it_was_paid_in_time(
    fund: Fund, database: Database, tmp_path: Path
) -> None:
    await paid_on_the_due_day(fund, "2026-03-12")
    assert [event for event in await told(fund) if event[1] == "WD_15"] == [
        ("approaching", "WD_15", "3"), ("breached", "WD_15", "2026-03-11"), ("withdrawn", "WD_15", "2026-03-09"),
    ]  # fmt: skip
    assert (await states(database, fund, tmp_path))["WD_15"] == ("MET", "2026-03-09")
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_a_breach_stays_where_the_bank_paid_a_day_late(fund: Fund, database: Database, tmp_path: Path) -> None:
    await paid_on_the_due_day(fund, "2026-03-12", value_date="2026-03-10")
    assert [event for event in await told(fund) if event[1] == "WD_15"][-1] == ("breached", "WD_15", "2026-03-11")
    assert (await states(database, fund, tmp_path))["WD_15"] == ("BREACHED", "2026-03-10")


# -- a year whose notice has not come


async def claimed_in_december(fund: Fund, **data: Any) -> None:
    """10,000.00, of which 9,000.00 are paid at once."""
    fund.settle({"310100": 1_000_000}, day="2026-12-15")
    fund.submit("B-202612", first="2026-12-01", last="2026-12-31", **data)
    await fund.drain()


async def test_a_published_notice_makes_its_days_working_days(fund: Fund) -> None:
    await claimed_in_december(fund, on="2027-01-02")
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    await fund.drain()
    fund.day("2027-01-03")
    assert await fund.ordered() == []
    fund.day("2027-01-04")
    [ordered] = await fund.ordered()
    assert (ordered["purpose"], ordered["amounts"]) == ("INSTANT", {"310100": "9000.00"})
    assert (ordered["due"], ordered["latest"]) == ("2027-01-04", None)


async def test_a_day_of_next_year_pays_what_waits_though_the_scheduler_cannot_say_what_it_is(fund: Fund) -> None:
    """The batch of a day in November, the notice, and 4 January as the scheduler writes it."""
    batch = "20261116-310-21"
    fund.settle({"310100": 1_000_000}, day="2026-11-16")
    fund.submit(batch, first="2026-11-16", last="2026-11-16", on="2026-11-30", mode="DAY")
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    await fund.drain()
    fund.day("2027-01-04")
    [day] = fund.log.records("time", fund.lane)
    assert b'"working_day":null' in (day.value or b"")
    [payment] = await fund.payments()
    assert (payment["payment_ref"], payment["amounts"]) == (f"{batch}/P1/310100", {"310100": 900_000})


async def test_a_notice_that_is_missing_late_in_the_year_is_seen_in_a_metric(fund: Fund) -> None:
    seen = []
    for day in ("2026-11-29", "2026-12-01", "2026-12-31", "2027-01-01"):
        fund.day(day)
        await fund.drain()
        seen.append(REGISTRY.get_sample_value("medfund_calendar_days", {"service": "clearing"}))
    assert seen == [32, 30, 0, 0]
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    await fund.drain()
    assert REGISTRY.get_sample_value("medfund_calendar_days", {"service": "clearing"}) == 364


async def test_an_amended_notice_says_which_days_are_worked(fund: Fund) -> None:
    await claimed_in_december(fund, on="2027-01-02")
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    await fund.drain()
    fund.put_in_lane(
        "calendar.published.v1",
        **{**NEW_YEAR_2027, "holidays": ["2027-01-01", "2027-01-04"], "workdays": ["2027-01-03"]},
    )
    await fund.drain()
    fund.day("2027-01-03")
    [ordered] = await fund.ordered()
    assert (ordered["due"], ordered["amounts"]) == ("2027-01-03", {"310100": "9000.00"})


async def test_a_notice_that_amends_a_year_that_was_shipped_says_which_days_are_worked(fund: Fund) -> None:
    """9 February 2026, a Monday, is given away; a claim that waits for it is paid the day after."""
    shipped = calendar.shipped().notices[2026]
    days = {"holidays": shipped.holidays, "workdays": shipped.workdays}
    notice = {name: sorted(str(day) for day in of) for name, of in days.items()}
    notice["holidays"].append("2026-02-09")
    fund.put_in_lane("calendar.published.v1", year=2026, notice_ref="amended", **notice)
    fund.settle({"310100": 73_100})
    fund.submit(BATCH)
    await fund.drain()
    fund.day("2026-02-09")
    assert await fund.ordered() == []
    fund.day("2026-02-10")
    [ordered] = await fund.ordered()
    assert (ordered["due"], ordered["amounts"]) == ("2026-02-10", {"310100": "657.90"})
    [accepted] = await fund.decided("claim.batch.accepted")
    assert (accepted["due_15"], accepted["due_20"]) == ("2026-03-09", "2026-03-16"), "its clock starts after it"


async def test_what_was_not_paid_at_once_for_want_of_a_notice_is_paid_when_it_comes(fund: Fund) -> None:
    await claimed_in_december(fund, on="2027-01-02")
    for day in ("2027-01-04", "2027-01-05", "2027-01-09"):
        fund.day(day)
    assert await fund.ordered() == []
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    [ordered] = await fund.ordered()
    assert (ordered["cause"]["topic"], ordered["due"], ordered["amounts"]) == (
        "agency", "2027-01-04", {"310100": "9000.00"},
    )  # fmt: skip
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_what_the_scheduler_says_counts_where_no_notice_is_known(fund: Fund) -> None:
    await claimed_in_december(fund, on="2027-01-02")
    fund.day("2027-01-03")
    fund.day("2027-01-04", worked=True)
    [ordered] = await fund.ordered()
    assert (ordered["due"], ordered["latest"]) == ("2027-01-03", "2027-01-29"), "and its due day is provisional"


async def test_a_breach_is_never_told_of_a_provisional_deadline(fund: Fund) -> None:
    await claimed_in_december(fund, on="2027-01-05")
    [accepted] = await fund.decided("claim.batch.accepted")
    await pass_days(fund, "2027-01-06", "2027-03-31")
    assert {event[1] for event in await told(fund)} == {"MONTH_END"}
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    *_, fifteen, twenty = [event for event in await told(fund) if event[1] != "MONTH_END" and event[0] == "breached"]
    assert (fifteen, twenty) == (("breached", "WD_15", "2027-03-31"), ("breached", "WD_20", "2027-03-31"))
    assert accepted["due_15"] < accepted["latest_15"] < "2027-03-31"


async def test_a_cut_off_that_rolls_is_rolled_again_when_the_notice_comes(fund: Fund) -> None:
    """10 January 2027 is a Sunday; the second notice has it worked."""
    fund.policy(valid_from="2026-02-01", clock__cut_off_roll="NEXT_WORKING_DAY")
    await claimed_in_december(fund, on="2027-01-05")
    [accepted] = await fund.decided("claim.batch.accepted")
    assert accepted["cut_off"] == "2027-01-10"
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    await fund.drain()
    fund.put_in_lane("calendar.published.v1", **{**NEW_YEAR_2027, "workdays": ["2027-01-10"]})
    moved = await fund.decided("claim.deadline.recalculated")
    assert [(event["target"], event["due"], event["cut_off"]) for event in moved] == [
        ("WD_15", "2027-02-01", "2027-01-11"),
        ("WD_20", "2027-02-08", "2027-01-11"),
        ("WD_15", "2027-01-29", "2027-01-10"),
        ("WD_20", "2027-02-05", "2027-01-10"),
    ]
    assert accepted["due_15"] <= "2027-01-29"
    assert accepted["latest_15"] >= "2027-02-01"


async def test_a_claim_paid_before_its_notice_came_is_judged_when_it_comes(
    fund: Fund, database: Database, tmp_path: Path
) -> None:
    fund.settle({"310100": 73_100}, day="2026-12-15")
    fund.submit(BATCH, first="2026-12-01", last="2026-12-31", on="2027-01-05")
    fund.day("2027-01-06")
    fund.deduct([BATCH], {})
    await fund.drain()
    await pay(fund, 0, "2027-02-02")
    assert (await states(database, fund, tmp_path))["WD_15"] == ("OPEN", "2027-02-02")
    fund.put_in_lane("calendar.published.v1", **NEW_YEAR_2027)
    assert [event for event in await told(fund) if event[1] == "WD_15"] == [
        ("recalculated", "WD_15", "2027-01-29"), ("breached", "WD_15", "2027-02-02"),
    ]  # fmt: skip
    assert (await states(database, fund, tmp_path))["WD_20"] == ("MET", "2027-02-02")


async def test_a_run_takes_what_is_paid_at_once_before_what_is_due_later(fund: Fund) -> None:
    for staff in ("anna", "bo"):
        fund.mandate(staff)
    fund.deposit({"310100": 66_000 + 54_000})
    fund.settle({"310100": 73_100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    await pay(fund, 0, "2026-02-10")
    fund.deduct([BATCH], {})
    fund.settlements.clear()
    fund.settle({"310100": 60_000}, clr_type="11")
    fund.submit("A-LATER", clr_type="11", on="2026-02-12")
    await pass_days(fund, "2026-02-10", "2026-02-13")
    await fund.approve("anna", "bo")
    at_once, rest = "A-LATER/P1/310100", f"{BATCH}/P2/310100"
    assert {one["payment_ref"]: one["due"] for one in await fund.payments(status="APPROVED")} == {
        at_once: "2026-02-13", rest: "2026-03-09",
    }  # fmt: skip
    plan = await fund.plan("310100", on="2026-02-13", due_until="2026-03-31")
    assert (plan.approved, plan.payments, plan.fen, plan.last and plan.last.payment_ref) == (2, 1, 54_000, at_once)
