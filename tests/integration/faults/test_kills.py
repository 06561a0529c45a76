"""kill -9 of a worker at each named point: nothing is lost, nothing counts twice (rows 1-4, 6-8)."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from ledger.__main__ import MIGRATIONS
from medfund.local import prepare
from medfund.local.postgres import Postgres
from medfund.postgres import connect, migrate
from tests.conftest import PASSWORDS, Database
from tests.integration import child
from tests.integration.workers import LIMIT_S, Books, hospitals, registrations, settlements, without_value

POINTS = ("after_fetch", "after_fence", "mid_batch", "before_position", "before_commit", "after_commit")


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_any_point_of_a_batch_neither_loses_nor_doubles(books: Books, point: str) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 30)])
    # The eighth passage: several lanes work at a time, and each may begin again once, to read registrations first.
    with books.working(CRASH_AT=f"{point}:8", BATCH_RECORDS_MAX="5") as killed:
        assert await killed.exit_code() == -signal.SIGKILL
    assert await books.value("select sum(batches) from lanes") > 0, "it was killed before it booked anything"
    assert await books.identities() < set(books.accepted), "it was killed after it had booked everything"
    with books.working() as successor:
        await books.hold()
        await successor.drain()


async def test_a_worker_killed_between_the_log_and_its_outbox_tells_a_refusal_again_under_the_same_id(
    books: Books,
) -> None:
    providers = hospitals()
    await books.publish(registrations(providers))
    await books.publish([without_value(message) for message in settlements(providers, 3)], refused=True)
    with books.working(CRASH_AT="before_sent:1") as killed:
        assert await killed.exit_code() == -signal.SIGKILL
    assert len(await books.told()) > 0, "it was killed before the log had anything"
    with books.working():
        await books.hold()
    told = await books.told()
    assert len(told) > books.refusals, "nothing was told again"
    assert len({id for id, _ in told}) == books.refusals
    assert {content["reason"] for _, content in told} == {"null_value"}


async def test_a_refusal_whose_worker_is_killed_right_after_its_commit_is_told_by_the_next_one(books: Books) -> None:
    providers = hospitals()
    await books.publish([without_value(message) for message in settlements(providers, 1)], refused=True)
    with books.working(CRASH_AT="after_commit:1") as killed:
        assert await killed.exit_code() == -signal.SIGKILL
    assert await books.value("select count(*) from outbox") > 0
    assert await books.told() == []
    with books.working():
        await books.hold()


async def test_a_start_killed_in_a_migration_leaves_nothing_of_it_and_the_next_start_is_clean(
    postgres: Postgres, database: Database, folder: Path
) -> None:
    """At each migration file in turn."""
    half = await _without_tables(postgres, f"{database.name}_migrated")
    for source in [path for place in MIGRATIONS for path in sorted(place.glob("*.sql"))]:
        before = await _schema(half)
        assert await _migrate(half, folder, CRASH_AT="mid_migration:1") == -signal.SIGKILL
        assert await _schema(half) == before, f"something of {source.name} is left"
        await _apply(half, source, folder)
    assert await _migrate(half, folder) == 0
    assert await _schema(half) == await _schema(database)


async def _without_tables(postgres: Postgres, name: str) -> Database:
    admin = await prepare.database(postgres.dsn(), name)
    await prepare.roles(admin, "ledger", PASSWORDS)
    made = Database(name, admin)
    async with connect.connection(made.dsn("owner"), name="tests") as connection:
        await migrate.migrate(connection, [])
    return made


async def _migrate(database: Database, folder: Path, **settings: str) -> int:
    environment = {**os.environ, "LEDGER_OWNER_DSN": database.dsn("owner"), **settings}
    process = child.start(("ledger", "migrate"), environment=environment, log=str(folder / "migrate.log"))
    await asyncio.to_thread(process.join, LIMIT_S)
    assert process.exitcode is not None
    return process.exitcode


async def _apply(database: Database, source: Path, folder: Path) -> None:
    """This one file and no later one."""
    place = folder / source.parents[2].name / "sql" / "migrations"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
    async with connect.connection(database.dsn("owner"), name="tests") as connection:
        assert len(await migrate.migrate(connection, [place])) == 1


async def _schema(database: Database) -> list[tuple[str, ...]]:
    """Everything that a migration makes: columns, constraints, indexes, policies, functions, grants, and its name."""
    query = """
        select 'column', table_name, column_name, data_type, is_nullable from information_schema.columns
        where table_schema = 'ledger'
        union all
        select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '' from pg_constraint
        where connamespace = 'ledger'::regnamespace
        union all
        select 'index', tablename, indexname, indexdef, '' from pg_indexes where schemaname = 'ledger'
        union all
        select 'policy', tablename, policyname, qual, with_check from pg_policies where schemaname = 'ledger'
        union all
        select 'function', proname, prosrc, '', '' from pg_proc where pronamespace = 'ledger'::regnamespace
        union all
        select 'grant', table_name, grantee, privilege_type, '' from information_schema.role_table_grants
        where table_schema = 'ledger'
        union all
        select 'security', relname, relrowsecurity::text, relforcerowsecurity::text, reloptions::text from pg_class
        where relnamespace = 'ledger'::regnamespace
        union all
        select 'applied', name, checksum, '', '' from ledger.schema_migrations"""
    async with connect.connection(database.admin, name="tests") as connection:
        return sorted(tuple(str(part) for part in row) for row in await connection.fetch(query))
