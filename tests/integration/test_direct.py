"""Suppliers paid on a hospital's behalf: approved, paid, recovered, taken back; in both books, and as open items."""

from collections.abc import AsyncIterator, Mapping

import pytest

from medfund import money
from tests.conftest import Database
from tests.fund import Fund, running
from tests.purchases import EMPLOYEES, KEY, ONE, RESIDENTS, THREE, TWO, Purchases, invoice, ref

Fens = Mapping[str, int]


class World(Purchases):
    """Whose days go by when something is to be paid."""

    today = "2026-09-21"

    def day(self, day: str) -> None:
        self.today = day
        self.fund.day(day)

    async def send(self, *, on: str) -> None:
        """Two people approve what waits, and it goes to the bank."""
        await self.fund.approve("anna", "bo")
        for of in (EMPLOYEES, RESIDENTS):
            if (await self.fund.plan(of, on=on)).payments:
                self.runs = getattr(self, "runs", 0) + 1
                await self.fund.run(of, on=on, number=self.runs)
        await self.fund.drain()

    async def paid(self, payable: str, *, on: str) -> None:
        """The bank has paid what is on its way."""
        for one in await self.fund.payments(payable_ref=payable, status="SENT"):
            self.fund.bank(one["payment_ref"], one["amounts"], on=on)
        await self.fund.drain()

    async def pay(self, payable: str, *, on: str) -> None:
        self.day(on)
        await self.send(on=on)
        await self.paid(payable, on=on)

    async def come_back(self, payable: str, *, on: str) -> None:
        for one in await self.fund.payments(payable_ref=payable, status="SETTLED"):
            if one["settled"] != one["returned"]:
                self.fund.bank(one["payment_ref"], one["settled"], on=on, back=True)
        await self.fund.drain()

    async def retry(self, payable: str) -> None:
        for one in await self.fund.payments(payable_ref=payable):
            if one["to_retry"]:
                self.fund.retry(one["payment_ref"])
        await self.fund.drain()

    async def earn(self, amounts: Fens, batch: str, *, month: int = 9) -> None:
        """A claim of the hospital that is approved without a P1, so that all of it passes the waterfall."""
        day = f"2026-{month:02d}-03"
        self.fund.settle(amounts, day=day)
        self.fund.submit(batch, first=day, last=day, on=f"2026-{month:02d}-20")
        self.fund.deduct([batch], {})
        await self.fund.drain()

    async def books(self, *accounts: str, book: str = "OPS") -> dict[str, dict[str, int]]:
        found = await self.fund.balances(book)
        return {account: found[account] for account in accounts if account in found}

    async def items(self) -> dict[tuple[str, str, str], int]:
        await self.fund.drain()
        rows = await self.fund.control.fetch(
            "select account, counterpart, fund, fen::bigint from clearing.open_items"
            " where account in ('1103', '1109', '2102', '2105')"
        )
        return {tuple(row)[:3]: row["fen"] for row in rows}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with running(database) as fund:
        fund.register()
        fund.policy(instant__ratio="0", bond__310100="0", bond__390100="0")
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.deposit({EMPLOYEES: 99_999_999_99, RESIDENTS: 99_999_999_99})
        for supplier in (ONE, TWO, THREE):
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, bank_account_ref=f"acct-{supplier[-2:]}")
        world = World(fund)
        world.day("2026-09-21")
        await fund.drain()
        yield world


async def test_the_numbers_of_r3_5_come_out_line_by_line_and_what_is_not_recovered_is_carried(world: World) -> None:
    name = world.request("DZ202609", {invoice(1): 120_000_00, invoice(2): 45_678_90 - 3_210_00})
    assert await world.books("1103", "2105") == {
        "1103": {EMPLOYEES: 111_079_99, RESIDENTS: 51_388_91},
        "2105": {EMPLOYEES: -111_079_99, RESIDENTS: -51_388_91},
    }
    assert await world.fund.payments() == [], "it is ordered when the next day opens"
    await world.pay(name, on="2026-10-15")
    assert await world.books("2105", "TEMP_DIRECT", book="OPS") == {}
    assert (await world.fund.balances("STAT"))["TEMP_DIRECT"] == {EMPLOYEES: 111_079_99, RESIDENTS: 51_388_91}
    [*told] = await world.fund.decided("supplier.payment.settled")
    assert [(one["how"], one["value_date"], [line[1] for line in one["lines"]]) for one in told] == [
        ("BANK", "2026-10-15", ["82044.00", "29035.99"]),
        ("BANK", "2026-10-15", ["37956.00", "13432.91"]),
    ]
    await world.earn({EMPLOYEES: 100_000_00, RESIDENTS: 60_000_00}, "B-1", month=10)
    taken = {(one["item_ref"], fund): amount for one in await world.fund.decided("offset.applied")
             for fund, amount in one["amounts"].items()}  # fmt: skip
    assert taken == {(name, EMPLOYEES): "100000.00", (name, RESIDENTS): "51388.91"}
    assert await world.books("1103", "2102") == {
        "1103": {EMPLOYEES: 11_079_99},
        "2102": {RESIDENTS: -(60_000_00 - 51_388_91)},
    }
    assert (await world.fund.balances("STAT"))["TEMP_DIRECT"] == {EMPLOYEES: 11_079_99}
    red = world.red(name, invoice(1), 3_210_00)
    assert red == {EMPLOYEES: 2_194_68, RESIDENTS: 1_015_32}
