"""What an earlier version wrote: its database is migrated, proved and worked on, and its log rebuilds the same rows.

Of 2026-11: a small city, prepayments and claims of several hospitals paid through the bank, and what was open then.
Of 2026-11-30: the stories of the golden histories, one or two in a lane.
"""

import json
import lzma
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ledger import control, statements, verify
from ledger.service import Ledger
from medfund.events.sources import SourcesOpened
from medfund.lanes import partition
from medfund.local import prepare
from medfund.local.postgres import Postgres
from medfund.postgres import connect, migrate
from tests import events, histories
from tests.conftest import PASSWORDS, SERVICES, Database, fresh_database
from tests.fund import LANE, Fund, services
from tests.fund import LANES as OF_A_FUND
from tests.histories import LANES
from tests.integration.working_fund import program
from tests.simulation.memory_log import MemoryLog, MemoryRecord

KIT = {
    "lanes", "workers", "positions", "batches", "identities", "repeats", "quarantine", "answered", "outbox", "turns",
    "waiting",
}  # fmt: skip
"""Where lanes stand, and how they came there."""
FILLED = {
    "ledger": ("buckets", "identities", "providers", "statements"),
    "clearing": ("claims", "findings", "identities", "moves", "payments", "prepayments", "recoveries", "suspense"),
}


def log_of(history: Path) -> MemoryLog:
    log = MemoryLog()
    with lzma.open(history / "log.jsonl.xz", "rt", encoding="utf-8") as lines:
        for family, lane, offset, timestamp, key, headers, value in map(json.loads, lines):
            record = MemoryRecord(
                f"{log.prefix}.{family}", lane, offset, timestamp, key and key.encode(), value and value.encode(),
                tuple((name, text.encode()) for name, text in headers),
            )  # fmt: skip
            log.kept[family, lane].append(record)
            log.ends[family, lane] = offset + 1
            log.clock_ms = max(log.clock_ms, timestamp)
    return log


@asynccontextmanager
async def upgraded(postgres: Postgres, template: str, history: Path) -> AsyncIterator[Database]:
    """The database that the earlier version left, with everything that was added to its tables since."""
    async with fresh_database(postgres, template) as database:
        async with connect.connection(database.admin, name="tests") as admin:
            await admin.execute("; ".join(f"drop schema {service} cascade" for service in SERVICES))
        dump = lzma.decompress((history / "database.sql.xz").read_bytes())
        await program("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", database.admin, given=dump)
        for service, folders in SERVICES.items():
            await prepare.roles(database.admin, service, PASSWORDS)
            async with connect.connection(database.dsn("owner", service), name="tests") as owner:
                await migrate.migrate(owner, folders)
        yield database


async def rows(connection: asyncpg.Connection, service: str) -> Mapping[str, list[Any]]:
    """What the lanes of a service made of the log, whichever way it was cut into batches."""
    tables = await connection.fetch(
        "select table_name from information_schema.columns where table_schema = $1 and column_name = 'lane'"
        " and table_name in (select relname from pg_class"
        " where relkind in ('r', 'p') and not relispartition and relnamespace = $1::regnamespace)",
        service,
    )
    found = {}
    for table in sorted({row[0] for row in tables} - KIT - {"commands", "journal"}):
        query = f'select to_jsonb(one) as body from {service}."{table}" as one order by 1'  # noqa: S608
        found[table] = [json.loads(row["body"]) for row in await connection.fetch(query)]
    query = f"select encode(identity, 'hex'), encode(digest, 'hex') from {service}.identities order by 1"  # noqa: S608
    found["identities"] = await connection.fetch(query)
    return found


@pytest.mark.parametrize("history", histories.written(), ids=lambda history: history.name)
@pytest.mark.timeout(300)
async def test_what_an_earlier_version_wrote_is_migrated_proved_and_rebuilt_as_it_was(
    postgres: Postgres, template: str, history: Path
) -> None:
    log = log_of(history)
    log.clock_ms = max(log.clock_ms, time.time_ns() // 1_000_000)
    for lane in range(LANES):
        if not asks(log, lane):
            await log.append(lane, [prepare.opening(lane, LANES, SourcesOpened())])
    async with upgraded(postgres, template, history) as old, fresh_database(postgres, template) as new:
        async with services(new, LANES) as (control_of_new, connections):
            for lane in range(LANES):
                fund = Fund(control_of_new, connections, lane=lane, lanes=LANES, log=log)
                for name in connections:
                    await fund.claim(name, deciding=False)
                    while await fund.workers[name].step():
                        pass
            async with services(old, LANES) as (control_of_old, of_old):
                for lane in range(LANES):
                    fund = Fund(control_of_old, of_old, lane=lane, lanes=LANES, log=log)
                    for name in of_old:
                        await fund.claim(name)
                        while await fund.workers[name].step():
                            pass
            connection = await asyncpg.connect(old.admin)
            for service in ("ledger", "clearing"):
                before, after = await rows(connection, service), await rows(control_of_new, service)
                assert all(before[table] for table in FILLED[service])
                for table in before:
                    assert after[table] == before[table], f"{service}.{table}"
            await connection.close()
        for database in (old, new):
            await proved(database, log)


def asks(log: MemoryLog, lane: int) -> bool:
    return any(("ce_type", b"sources.opened.v1") in record.headers for record in log.records("agency", lane))


async def proved(database: Database, log: MemoryLog) -> None:
    books = await connect.opened(database.dsn("reader"), timeout=30)
    clearing = await connect.opened(database.dsn("reader", "clearing"), timeout=30)
    try:
        report = await verify.verify(books, log, Ledger(lanes=LANES, prefix=log.prefix), range(LANES))
        await control.compare(report, books, clearing, log, range(LANES))
        await statements.compare(report, books, clearing, log, range(LANES), of=LANES)
        assert report.problems == []
        assert report.open_items
        assert report.statements
    finally:
        await books.close()
        await clearing.close()


async def test_what_came_before_a_lane_asks_stays_as_it_was_taken_and_what_comes_since_is_judged(
    database: Database,
) -> None:
    """Days by the clock, and policies by the national least, are asked since the lane asks who speaks."""
    async with services(database) as (control, connections):
        fund = Fund(control, connections, log=begun_before("2026-04-01"))
        for name in connections:
            await fund.claim(name)
        fund.register()
        for day in ("2026-03-30", "2099-01-01", "2026-03-31"):
            fund.put_in_lane("day.opened.v1", date=day)
        fund.policy(prepayment__gate="310100:11 390100:5")
        await fund.drain()
        assert await refused(fund) == []
        fund.day("2026-04-01")
        for day in ("2099-01-01", "2026-03-31"):
            fund.put_in_lane("day.opened.v1", date=day)
        fund.policy("2026-05-01", prepayment__gate="310100:11 390100:6")
        assert await refused(fund) == ["bad_code", "wrong_day", "wrong_day"]
        before = await fund.tables()
        await fund.rebuild()
        assert await fund.tables() == before
        assert await refused(fund) == ["bad_code", "wrong_day", "wrong_day"]


async def test_how_a_record_is_written_is_judged_since_a_lane_asks(database: Database) -> None:
    """A year written 2026.0 and one instant in two spellings were refused, and a rebuild refuses them again."""
    async with services(database) as (control, connections):
        fund = Fund(control, connections, log=begun_before("2026-04-01"))
        for name in connections:
            await fund.claim(name)
        fund.register()
        put_as_clients_spell(fund, "old")
        assert await refused(fund) == ["conflict", "wrong_kind"]
        fund.day("2026-04-01")
        put_as_clients_spell(fund, "new")
        assert await refused(fund) == ["conflict", "wrong_kind"]
        assert await repeats(fund) == 1
        before = await fund.tables()
        await fund.rebuild()
        assert await fund.tables() == before
        assert await refused(fund) == ["conflict", "wrong_kind"]
        assert await repeats(fund) == 1


def put_as_clients_spell(fund: Fund, name: str) -> None:
    """A settlement whose year is 2026.0, and one that is sent again with its time in UTC."""
    whole = events.settlement(fund.provider, id=f"{name}-1", funds={"310100": 70_001}, benefit_year=2026)
    fund.put_message(replace(whole, value=(whole.value or b"").replace(b":2026,", b":2026.0,")))
    for spelled in ("2026-02-04T10:15:30+08:00", "2026-02-04T02:15:30.000Z"):
        fund.put_message(events.settlement(fund.provider, id=f"{name}-2", funds={"310100": 50_003}, time=spelled))


async def repeats(fund: Fund) -> int:
    count: int = await fund.control.fetchval("select count(*) from clearing.repeats where lane = $1", fund.lane)
    return count


def begun_before(asked_from: str) -> MemoryLog:
    """The log of a lane that has worked for long, and asks from a day on."""
    log, key = MemoryLog(), partition.lane_key(LANE, OF_A_FUND)
    opened = events.message("sources.opened.v1", id="opened", asked_from=asked_from)
    for message in (replace(opened, key=key), *events.registry([LANE], OF_A_FUND)):
        log.put(message.topic, LANE, key=message.key, value=message.value, headers=message.headers)
    return log


async def refused(fund: Fund) -> list[str]:
    await fund.drain()
    rows = await fund.control.fetch("select reason from clearing.quarantine where lane = $1", fund.lane)
    return sorted(row["reason"] for row in rows)
