"""The books' control accounts are the clearing service's open items, and what differs is named (`medfund verify`)."""

from collections.abc import AsyncIterator

import pytest

from ledger import control
from ledger.verify import Report
from medfund.local import prepare
from medfund.postgres import connect
from tests.conftest import PASSWORDS, Database
from tests.fund import Fund, running
from tests.purchasing import METFORMIN, OTHER_SUPPLIER, STENT, SUPPLIER, Purchasing, buying

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


async def compared(
    database: Database, fund: Fund, held_by: control.Held = control.CLEARING
) -> tuple[int | None, list[str]]:
    """As `medfund verify` asks: each service's reader."""
    connections, report = [], Report()
    for name in ("ledger", held_by.by.replace("-", "_")):
        dsn = prepare.dsn(database.admin, user=f"{name}_reader", password=PASSWORDS["reader"])
        connections.append(await connect.opened(dsn, timeout=30))
    try:
        await control.compare(report, *connections, fund.log, [fund.lane], held_by)
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


# -- what direct payment holds beside the books


@pytest.fixture
async def buyer(database: Database) -> AsyncIterator[Purchasing]:
    """Two orders, of two suppliers, one delivered in part; and old arrears of one of them, cleared in part."""
    async with buying(database, names=("direct_pay", "ledger")) as fund:
        await fund.set_up()
        fund.order("CG-1", (METFORMIN, 1000, "12.34"), (STENT, 7, "796.00"))
        fund.ship("CG-1", (METFORMIN, 400))
        fund.accept("CG-1", 400)
        fund.order("CG-2", (STENT, 3, "796.00"), supplier=OTHER_SUPPLIER)
        arrears = {"supplier": SUPPLIER, "arrears_ref": "QK-1", "provider": fund.provider}
        fund.put("arrears.registered.v1", **arrears, amounts={"310100": "774.87", "390100": "100.00"})
        fund.put("arrears.cleared.v1", **arrears, amounts={"310100": "700.00"})
        await fund.drain()
        yield fund


async def test_what_orders_are_to_cost_and_old_arrears_are_the_memo_accounts_supplier_by_supplier(
    database: Database, buyer: Purchasing
) -> None:
    """12,340.00 + 5,572.00 less 4,936.00 delivered; 2,388.00; 874.87 less 700.00."""
    assert await compared(database, buyer, control.DIRECT_PAY) == (6, [])
    query = "select account, counterpart, sum(fen)::bigint from direct_pay.open_items group by 1, 2 order by 1, 2"
    assert [tuple(row) for row in await buyer.control.fetch(query)] == [
        ("9002", SUPPLIER, 1_297_600), ("9002", OTHER_SUPPLIER, 238_800), ("9003", SUPPLIER, 17_487),
    ]  # fmt: skip


async def test_an_order_that_was_changed_by_hand_is_named_with_its_supplier(
    database: Database, buyer: Purchasing
) -> None:
    await buyer.control.execute(
        "update direct_pay.orders set body = jsonb_set(body::jsonb, '{4,3,390100}', '75533')::text where supplier = $1",
        OTHER_SUPPLIER,
    )
    _, problems = await compared(database, buyer, control.DIRECT_PAY)
    assert problems == [
        f"open items lane={buyer.lane} provider={buyer.provider} account=9002 supplier={OTHER_SUPPLIER} fund=390100: "
        "755.33 by direct-pay, 755.32 in the books"
    ]
