"""What the database itself refuses, whatever the code tries: the roles' grants and the tables' constraints."""

import asyncpg
import pytest

from medfund.postgres import connect
from tests.conftest import Database

APPEND_ONLY = ("journal", "identities", "repeats", "quarantine", "batches")
LINE = """
insert into journal values (
    0, 'claims', 0, {ordinal}, 9, {events}, 'settlement.recorded.v1', '{book}', '152500', '390100', '5001', '2100',
    {amount}, 'H15250200017', '', '390', '21', 2025, '2025-03-04', '2025-03-04', '2025-03-05')"""


def line(*, ordinal: int = 0, events: int = 3, book: str = "OPS", amount: int = 100) -> str:
    return LINE.format(ordinal=ordinal, events=events, book=book, amount=amount)


async def attempt(database: Database, role: str, *statements: str) -> None:
    async with connect.connection(database.dsn(role), name="tests") as connection:
        for statement in statements:
            await connection.execute(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["update {} set lane = lane", "delete from {}", "truncate {}"])
async def test_the_worker_can_neither_change_nor_delete_what_it_wrote(
    database: Database, table: str, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attempt(database, "worker", statement.format(table))


@pytest.mark.parametrize("table", [*APPEND_ONLY, "buckets", "providers", "statements", "positions", "lanes"])
async def test_the_reader_can_write_nothing_of_the_books(database: Database, table: str) -> None:
    for statement in ("insert into {} default values", "update {} set lane = lane", "delete from {}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await attempt(database, "reader", statement.format(table))


@pytest.mark.parametrize("table", ["buckets", "providers", "statements"])
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {}"])
async def test_the_worker_can_delete_nothing_that_it_may_change(database: Database, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attempt(database, "worker", statement.format(table))


async def test_a_second_line_for_one_cause_and_place_cannot_be_written(database: Database) -> None:
    await attempt(database, "worker", line())
    with pytest.raises(asyncpg.UniqueViolationError):
        await attempt(database, "worker", line(amount=200))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        (line(amount=0), "amount_is_positive"),
        (line(amount=-100), "amount_is_positive"),
        (line(events=11), "range_is_forward"),
        (line(book="TAX"), "book_is_known"),
    ],
)
async def test_a_line_that_cannot_be_true_cannot_be_written(database: Database, wrong: str, constraint: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await attempt(database, "worker", wrong)


async def test_a_position_cannot_move_without_its_counts(database: Database) -> None:
    start = "insert into positions (lane, topic, start_offset, next_offset) values (0, 'claims', 0, 0)"
    with pytest.raises(asyncpg.CheckViolationError, match="every_offset_is_accounted_for"):
        await attempt(database, "worker", start, "update positions set next_offset = 1")


async def test_no_role_of_the_service_passes_row_level_security_and_every_table_of_parties_forces_it(
    database: Database,
) -> None:
    async with connect.connection(database.admin, name="tests") as admin:
        loose = await admin.fetch(
            "select rolname from pg_roles where rolname ~ '^(ledger|medfund)_' and (rolsuper or rolbypassrls)"
        )
        open_tables = await admin.fetch("""
            select distinct class.relname from pg_class as class
            join pg_attribute as attribute on attribute.attrelid = class.oid
            where class.relnamespace = 'ledger'::regnamespace and class.relkind = 'r'
            and attribute.attname in ('party', 'provider')
            and not (class.relrowsecurity and class.relforcerowsecurity)""")
    assert (loose, open_tables) == ([], [])
