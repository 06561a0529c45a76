"""What is kept for ever can be managed: a closed month is locked, and the journal is divided while it holds lines."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from ledger import verify
from ledger.service import Ledger
from medfund import calendar
from medfund.postgres import connect
from tests.conftest import Database
from tests.fund import Fund, services
from tests.simulation.memory_log import MemoryLog

DOCS = Path(__file__).parents[2] / "docs"
FUND = "310100"


def statements(page: str, after: str) -> str:
    """The first block of SQL of a page after some words."""
    _, _, rest = (DOCS / page).read_text("utf-8").partition(after)
    return rest.partition("```sql\n")[2].partition("```")[0]


async def as_owner(database: Database, script: str) -> None:
    async with connect.connection(database.dsn("owner"), name="tests") as owner:
        for statement in filter(None, script.split(";\n")):
            await owner.execute(statement)


def noon(day: str) -> int:
    """What the broker's clock shows."""
    moment = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(12), calendar.SHANGHAI)
    return int(moment.timestamp() * 1000)


@asynccontextmanager
async def books(database: Database, since: str) -> AsyncIterator[Fund]:
    """With a settlement of the day on which they begin."""
    async with services(database) as on:
        fund = Fund(*on, log=MemoryLog(clock_ms=noon(since)))
        for name in fund.connections:
            await fund.claim(name)
        fund.register()
        fund.settle({FUND: 7_313})
        await fund.drain()
        yield fund


async def lines(fund: Fund, table: str = "journal") -> int:
    return int(await fund.control.fetchval(f"select count(*) from ledger.{table}"))  # noqa: S608


async def test_a_closed_month_takes_no_line(database: Database) -> None:
    async with books(database, "2026-01-30") as fund:
        before = await lines(fund)
        await as_owner(database, statements("operators.md", "**To lock a month**"))
        fund.log.clock_ms = noon("2026-02-01")
        fund.settle({FUND: 911}, day="2026-01-15")
        await fund.drain()
        open_month = await lines(fund)
        assert open_month > before, "what comes late is recorded in the open month"
        fund.log.clock_ms = noon("2026-01-31")
        fund.settle({FUND: 613})
        with pytest.raises(asyncpg.CheckViolationError, match="closed_152500"):
            await fund.drain()
        assert await lines(fund) == open_month
        with pytest.raises(asyncpg.CheckViolationError, match="closed_152500"):
            await fund.connections["ledger"].execute("update ledger.buckets set debit = debit + 1")


async def test_a_journal_that_holds_lines_is_divided_by_years_and_proved(database: Database) -> None:
    async with books(database, "2026-12-30") as fund:
        before = await lines(fund)
        await as_owner(database, statements("decisions/0005-what-is-kept-is-kept-whole.md", "stays open"))
        fund.settle({FUND: 911})
        fund.log.clock_ms = noon("2027-01-01")
        fund.settle({FUND: 613}, day="2026-12-31")
        await fund.drain()
        assert await lines(fund, "journal_until_2026") > before > 0
        assert await lines(fund, "journal_2027") > 0
        async with connect.connection(database.dsn("reader"), name="tests") as reader:
            ledger = Ledger(lanes=fund.lanes, prefix="medfund")
            report = await verify.verify(reader, fund.log, ledger, [fund.lane])
            assert (report.problems, report.lines) == ([], await lines(fund))
            assert await reader.fetchval("select count(*) from journal") == 0, "without a scope nothing is seen"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.fetch("select from journal_2027")
