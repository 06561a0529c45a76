"""The month of R1.5 on a real log, with worker processes of both services: killed at each named point, and restored.

Every lane has a provider with the same month, so that a kill finds the lanes in different places.
"""

import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import pytest

from medfund import money
from tests.conftest import LANES
from tests.integration.faults.test_kills import POINTS
from tests.integration.test_claims import BATCH, CLAIMED, P1, P2, total
from tests.integration.workers import Books, until
from tests.integration.working_fund import (
    FAMILIES,
    WorkingFund,
    id_of,
    kept,
    restored,
    send,
    with_clearing,
    without_clearing,
)

FLOOD = 4_000
"""Settlements; some two hundred batches here."""
LEASE = {"LEASE_S": "1.0", "RENEW_S": "0.2"}
Step = Callable[[WorkingFund], None]


def recorded(fund: WorkingFund) -> None:
    half = {name: fen // 2 for name, fen in CLAIMED.items()}
    fund.register()
    fund.policy()
    fund.settle(half, day="2026-01-05")
    fund.settle({name: fen - half[name] for name, fen in CLAIMED.items()}, day="2026-01-31")


def claimed(fund: WorkingFund) -> None:
    fund.submit(BATCH)


def paid_at_once(fund: WorkingFund) -> None:
    fund.day("2026-02-09")


def told_by_the_bank(fund: WorkingFund) -> None:
    fund.bank(f"{BATCH}/P1", P1, on="2026-02-12")


def audited(fund: WorkingFund) -> None:
    fund.deduct([BATCH], {"310100": 2_923_055})


def told_again(fund: WorkingFund) -> None:
    fund.bank(f"{BATCH}/P2", P2, on="2026-03-05")


STEPS: Sequence[Sequence[Step]] = ((claimed,), (paid_at_once, told_by_the_bank), (audited, told_again))
"""Each begins with what clearing has to decide, and goes on with what the bank answers."""
MONTH = [step for steps in STEPS for step in steps]
"""After `recorded`."""
ANSWERED = len(MONTH) + 2 * (len(P1) - 1)
"""Facts of a month that are answered: the bank tells of each fund's payment by itself."""


@pytest.fixture
async def funds(books: Books) -> AsyncIterator[list[WorkingFund]]:
    """One in each lane, and the ledger works."""
    await with_clearing(books.database)
    books.services["clearing"] = FAMILIES
    control = await asyncpg.connect(books.database.admin)
    with books.working("ledger"):
        yield [WorkingFund(control, {}, lane=lane, books=books) for lane in range(LANES)]
    await control.close()


async def take(funds: Sequence[WorkingFund], step: Step) -> None:
    """The same happens to every provider."""
    for fund in funds:
        step(fund)
    await send(funds)


async def took(funds: Sequence[WorkingFund], *steps: Step) -> None:
    """One after the other, each to its end."""
    for step in steps:
        await take(funds, step)
        await funds[0].books.booked()


async def decided(books: Books) -> list[str]:
    """The ids of all decisions on the log, with their lanes; a repeated delivery counts again."""
    return [f"{record.partition} {id_of(record)}" for record in await books.records("clearing")]


def assert_answered_once(ids: set[str]) -> None:
    """Each fact has one whole answer: an id ends with which of its decisions this is, and of how many."""
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for cause, _, part in (id.rpartition("/") for id in ids):
        answers[cause].append(part)
    for cause, parts in answers.items():
        assert sorted(parts) == sorted(f"{number}-{len(parts)}" for number in range(1, len(parts) + 1)), cause
    assert len(answers) == LANES * ANSWERED


async def hold(books: Books, funds: Sequence[WorkingFund]) -> None:
    """Every provider's books are as the rule proves, and each decision took effect once in both services."""
    await books.booked()
    for fund in funds:
        balances = await fund.balances()
        assert {account: total(amounts) for account, amounts in balances.items()} == {
            "1002": "-3280020.08",
            "2103": "-147538.49",
            "5001": "3427558.57",
        }
        assert await fund.open_items() == {"2103": balances["2103"]}
    report = await books.proof()
    assert report.ok, report.problems
    assert report.quarantined == 0
    ids = set(await decided(books))
    assert_answered_once(ids)
    for service in books.services:
        taken = await books.value(f"select count(*) from {service}.identities where topic = 'clearing'")  # noqa: S608
        assert taken == len(ids), service


async def test_the_month_of_r1_5_ends_in_the_books_as_the_rule_proves(books: Books, funds: list[WorkingFund]) -> None:
    with books.working("clearing", service="clearing"):
        await took(funds, recorded, *MONTH)
        await hold(books, funds)
    for fund in funds:
        ordered = await fund.ordered()
        payments = [sum(map(money.fen, event["amounts"].values())) for event in ordered]
        assert list(map(money.yuan, payments)) == ["3111110.21", "168909.87"]


@pytest.mark.parametrize("point", [*POINTS, "before_sent"])
async def test_clearing_killed_at_any_point_while_it_accepts_pays_or_approves_decides_everything_once(
    books: Books, funds: list[WorkingFund], point: str
) -> None:
    with books.working("clearing", service="clearing", **LEASE) as worker:
        await took(funds, recorded)
        await worker.drain()
    for decisive, *others in STEPS:
        with books.working("clearing", service="clearing", CRASH_AT=f"{point}:1", **LEASE) as killed:
            await take(funds, decisive)
            assert await killed.exit_code() == -signal.SIGKILL
        with books.working("clearing", service="clearing", **LEASE) as successor:
            await books.booked()
            await took(funds, *others)
            await successor.drain()
    await hold(books, funds)
    told = await decided(books)
    again = len(told) - len(set(told))
    assert again >= len(STEPS) if point == "before_sent" else again == 0, "delivered again"


@pytest.mark.parametrize("yesterday", [claimed, paid_at_once, None], ids=["claimed", "paid_at_once", "nothing"])
async def test_clearing_restored_to_an_earlier_day_decides_nothing_twice_and_knows_what_it_knew(
    books: Books, funds: list[WorkingFund], yesterday: Step | None
) -> None:
    """The backup is as old as that step; where there is none, the service begins anew."""
    backup: bytes | None = None
    with books.working("clearing", service="clearing") as worker:
        for step in (recorded, *MONTH[:-1]):
            await took(funds, step)
            if step is yesterday:
                backup = await kept(books.database)
        told, known = sorted(await decided(books)), [await fund.tables() for fund in funds]
        await worker.drain()
    await without_clearing(books.database)
    if backup is None:
        await with_clearing(books.database)
    else:
        await restored(books.database, backup)
    with books.working("clearing", service="clearing"):
        await books.booked()
        assert sorted(await decided(books)) == told
        assert [await fund.tables() for fund in funds] == known
        await took(funds, MONTH[-1])
        await hold(books, funds)


async def test_a_flood_in_one_lane_does_not_hold_up_the_claim_of_another(
    books: Books, funds: list[WorkingFund]
) -> None:
    """Reliability row 50: one hospital sends a hundred times what is usual, and another one claims meanwhile."""
    flooding, other, *_ = funds
    for fund in (flooding, other):
        recorded(fund)
    for _ in range(FLOOD):
        flooding.settle({"310100": 1}, day="2026-01-20")
    await send(funds)
    with books.working("clearing", service="clearing"):
        claimed(other)
        await send([other])
        claims = "select count(*) from clearing.claims where lane = $1"
        await until(lambda: books.value(claims, other.lane), "the claim is decided")
        read = "select next_offset from clearing.positions where lane = $1 and topic = 'claims'"
        assert (await books.value(read, flooding.lane) or 0) < FLOOD, "the flood was not over yet"
        await books.booked()
    assert await books.value("select count(*) from clearing.settlements where lane = $1", flooding.lane) == FLOOD + 2
