"""The clock of a claim, run by days on the log: what is near, what is late, what a notice moves (R1.4)."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from medfund import money
from tests.conftest import Database
from tests.fund import Fund, running

BATCH = "B-202601"
CLOCK = ("claim.deadline.approaching", "claim.deadline.breached", "claim.deadline.recalculated")
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
    """What of the clock was said: kind, target, and the days left, the day it was seen on, or the new deadline."""
    return [
        (event["type"].removeprefix("claim.deadline."), event["target"],
         str(event.get("days_left", event.get("seen_on", event["due"]))))
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
        ("breached", "MONTH_END", "2026-03-01"),
        ("approaching", "WD_15", "3"),
        ("breached", "WD_15", "2026-03-10"),
        ("approaching", "WD_20", "3"),
        ("breached", "WD_20", "2026-03-17"),
    ]


async def test_a_payment_is_due_when_the_policy_of_its_claim_says(fund: Fund) -> None:
    fund.policy(valid_from="2026-02-01", clock__working_days="10")
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await pass_days(fund, "2026-02-07", "2026-02-09")
    [ordered] = await fund.ordered()
    assert ordered["due"] == "2026-03-02", "10 working days from 2026-02-11, over the Spring Festival"


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
    await pass_days(fund, "2026-03-10", "2026-03-10")
    assert ("breached", "WD_15", "2026-03-10") in await told(fund)


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
