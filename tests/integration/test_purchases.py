"""Purchases from order to request: events on a log, direct payment, a real database."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Database
from tests.purchasing import INSULIN, METFORMIN, SUPPLIER, Purchasing, buying, invoice_no


@pytest.fixture
async def buyer(database: Database) -> AsyncIterator[Purchasing]:
    async with buying(database) as fund:
        await fund.set_up()
        yield fund


async def worked_example(fund: Purchasing) -> None:
    """R3.5: 120,000.00 + 45,678.90, and a red letter of 3,210.00."""
    fund.product(METFORMIN, "12.00")
    fund.product(INSULIN, "45678.90", "NEGOTIATED")
    fund.deliver("CG-1", (METFORMIN, 10_000, "12.00"), (INSULIN, 1, "45678.90"))
    first = fund.invoice(1, "CG-1", (METFORMIN, 10_000, "12.00"))
    line = {"order_no": "CG-1", "line": 2, "product": INSULIN, "quantity": 1, "price": "45678.90", "amount": "45678.90"}
    second = fund.invoice(2, "CG-1", lines=[line])
    red = fund.red(3, second, "3210.00")
    fund.submit_statement("DZ-1", {first: "120000.00", second: "45678.90", red: "-3210.00"})
    fund.confirm("DZ-1")
    await fund.drain()


async def test_a_statement_is_split_line_by_line_by_its_key_and_requested_as_it_was_agreed_to(
    buyer: Purchasing,
) -> None:
    await worked_example(buyer)
    buyer.agree({"DZ-1": "162468.90"})
    [matched] = await buyer.said("statement.matched")
    assert matched["disputes"] == []
    assert matched["due"] == "2026-09-30"
    [event] = await buyer.said("statement.requested")
    assert event["amounts"] == {"310100": "111079.99", "390100": "51388.91"}
    assert event["lines"] == [
        [invoice_no(1), "120000.00", "2026-09-30", "2026-09-06"],
        [invoice_no(2), "42468.90", "2026-09-30", "2026-09-06"],
    ]  # fmt: skip
    assert (event["due"], event["key_version"], event["payable_ref"]) == ("2026-09-30", "2026-08", f"{SUPPLIER}/DZ-1/1")
    assert [one["amounts"] for one in await buyer.said("order.committed")] == [
        {"310100": "113274.66", "390100": "52404.24"}
    ]
    assert [one["amounts"] for one in await buyer.said("order.released")] == [
        {"310100": "113274.66", "390100": "52404.24"}
    ]
    assert await buyer.refused() == []


async def test_what_is_read_again_from_the_log_is_the_same(buyer: Purchasing) -> None:
    await worked_example(buyer)
    buyer.agree({"DZ-1": "162468.90"})
    buyer.red(4, invoice_no(2), "210.00", on="2026-10-09")
    buyer.day("2026-10-08")
    before, told = await buyer.kept(), len(await buyer.said())
    await buyer.rebuild_purchases()
    assert await buyer.kept() == before
    assert len(await buyer.said()) == told
