"""The books' bank accounts are what the bank says, over all lanes; a fen of difference is named (`medfund verify`)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from ledger import statements
from ledger.verify import Report
from medfund.lanes import partition
from medfund.postgres import connect
from tests import fund as funds
from tests.conftest import Database
from tests.events import AREA
from tests.fund import LANES, Fund

BATCH = "B-202601"
FUND = "310100"


@dataclass
class Town:
    """A hospital in one lane, the area's own events in another, on one log."""

    database: Database
    hospital: Fund
    area: Fund

    async def drain(self) -> None:
        for fund in (self.area, self.hospital):
            await fund.drain()

    def state(self, closing: str, *, on: str = "2026-02-10", account: str = "1002", opening: str = "0.01") -> None:
        self.area.put(
            "bank.statement.imported.v1", fund=FUND, bank_account=account, day=on, opening=opening, closing=closing
        )

    async def compared(self, lanes: range = range(LANES)) -> tuple[int | None, list[str]]:
        """As `medfund verify` asks: each service's reader."""
        report = Report()
        async with AsyncExitStack() as opened:
            books, clearing = [
                await opened.enter_async_context(connect.connection(self.database.dsn("reader", name), name="tests"))
                for name in ("ledger", "clearing")
            ]
            await statements.compare(report, books, clearing, self.hospital.log, lanes, of=LANES)
        return report.statements, [*report.differences, *report.not_compared]


@pytest.fixture
async def town(database: Database) -> AsyncIterator[Town]:
    """1,000.00 to begin with, 5,000.00 from the treasury, 900.00 paid on 2026-02-10."""
    async with funds.services(database) as (control, connections):
        hospital = Fund(control, connections, lane=7)
        area = Fund(control, connections, lane=partition.lane_of(AREA.encode(), LANES), log=hospital.log, sent=1_000)
        for fund in (hospital, area):
            for name in connections:
                await fund.claim(name)
        amounts = {"amounts": {FUND: "1000.00"}, "value_date": "2025-12-31"}
        area.put("opening.balance.recorded.v1", account="1002", **amounts)
        area.put("treasury.funds.received.v1", amounts={FUND: "5000.00"}, value_date="2026-02-09")
        hospital.register()
        hospital.policy()
        hospital.settle({FUND: 100_000})
        hospital.submit(BATCH)
        await hospital.drain()
        hospital.day("2026-02-09")
        await hospital.drain()
        hospital.bank(f"{BATCH}/P1", {FUND: 90_000}, on="2026-02-10")
        made = Town(database, hospital, area)
        await made.drain()
        yield made


async def test_books_that_are_what_the_bank_says_are_clean(town: Town) -> None:
    town.state("1000.00", on="2025-12-31")
    town.state("6000.00", on="2026-02-09")
    town.state("5100.00", on="2026-02-10")
    await town.drain()
    assert await town.compared() == (3, [])


async def test_a_fen_of_difference_is_named_on_the_first_day_that_has_it(town: Town) -> None:
    town.state("6000.00", on="2026-02-09")
    town.state("5099.99", on="2026-02-10")
    town.state("5099.99", on="2026-02-11")
    town.state("5100.00", on="2026-02-12")
    await town.drain()
    assert await town.compared() == (
        4,
        [
            f"statement area={AREA} fund={FUND} account=1002 day=2026-02-10: "
            "5099.99 by the bank, 5100.00 in the books, a difference of -0.01"
        ],
    )


async def test_the_last_statement_of_a_day_counts(town: Town) -> None:
    town.state("5099.99")
    await town.drain()
    town.state("1.00")
    town.state("5100.00")
    await town.drain()
    assert await town.compared() == (1, [])


async def test_an_account_that_the_books_never_opened_differs_by_all_that_is_in_it(town: Town) -> None:
    town.state("90000.00", account="1003")
    await town.drain()
    assert await town.compared() == (
        1,
        [
            f"statement area={AREA} fund={FUND} account=1003 day=2026-02-10: "
            "90000.00 by the bank, -5000.00 in the books, a difference of 95000.00"
        ],
    )


async def test_some_lanes_alone_prove_nothing_and_say_so(town: Town) -> None:
    town.state("5099.99")
    await town.drain()
    assert await town.compared(range(LANES - 1)) == (None, [])


@pytest.mark.parametrize("behind", ["ledger", "clearing"])
async def test_while_the_banks_word_is_on_its_way_nothing_is_said_to_be_compared(
    town: Town, behind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement is there, and a payment of its day is not booked, or not even decided."""
    monkeypatch.setattr(statements, "PATIENCE_S", 0.5)
    town.state("5000.00")
    await town.drain()
    town.hospital.bank(f"{BATCH}/P1", {FUND: 10_000}, on="2026-02-10", back=True)
    awake = {"ledger": "clearing", "clearing": "ledger"}[behind]
    while await town.hospital.step(awake):
        pass
    assert await town.compared() == (
        None,
        [f"statements of {LANES} lanes: events are on their way"],
    )
