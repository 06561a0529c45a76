"""The books' control accounts are the clearing service's open items, and what differs is named (`medfund verify`)."""

from collections.abc import AsyncIterator

import pytest

from ledger import control
from ledger.verify import Report
from medfund.local import prepare
from medfund.postgres import connect
from tests.conftest import PASSWORDS, Database
from tests.fund import Fund, running

BATCH = "B-202601"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        fund.settle({"310100": 100_000, "390100": 5_000})
        fund.submit(BATCH)
        await fund.drain()
        fund.day("2026-02-09")
        await fund.drain()
        fund.bank(f"{BATCH}/P1", {"310100": 90_000, "390100": 4_500}, on="2026-02-10")
        fund.recover("C-1", {"310100": 8_000, "390100": 100})
        fund.hold(BATCH, {"390100": 200})
        await fund.drain()
        yield fund


async def compared(database: Database, fund: Fund) -> tuple[int | None, list[str]]:
    """As `medfund verify` asks: each service's reader."""
    connections, report = [], Report()
    for name in ("ledger", "clearing"):
        dsn = prepare.dsn(database.admin, user=f"{name}_reader", password=PASSWORDS["reader"])
        connections.append(await connect.opened(dsn, timeout=30))
    try:
        await control.compare(report, *connections, fund.log, [fund.lane])
    finally:
        for connection in connections:
            await connection.close()
    return report.open_items, report.problems


async def test_before_and_after_the_audit_both_say_the_same(database: Database, fund: Fund) -> None:
    before = await compared(database, fund)
    fund.deduct([BATCH], {"310100": 1_000})
    await fund.drain()
    after = await compared(database, fund)
    assert [before, after] == [(6, []), (5, [])]
    assert await fund.open_items() == {
        "1107": {"310100": 3_950, "390100": 50},
        "2103": {"310100": -4_950, "390100": -250},
        "2108": {"390100": -200},
    }


async def test_an_item_that_was_changed_by_hand_is_named(database: Database, fund: Fund) -> None:
    await fund.control.execute(
        """update clearing.claims set body = jsonb_set(body, '{advance,310100}', '90001') where lane = $1""", fund.lane
    )
    _, problems = await compared(database, fund)
    assert problems == [
        f"open items lane={fund.lane} provider={fund.provider} account=1104 fund=310100: "
        "900.01 by clearing, 900.00 in the books"
    ]


async def test_where_decisions_are_on_their_way_nothing_is_said_to_be_compared(
    database: Database, fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PATIENCE_S", 0.5)
    fund.deduct([BATCH], {"310100": 1_000})
    while await fund.step("clearing"):
        pass
    _, problems = await compared(database, fund)
    assert problems == [f"open items lane={fund.lane}: decisions are on their way, nothing was compared"]
