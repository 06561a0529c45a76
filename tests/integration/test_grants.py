"""What the database itself refuses, whatever the code tries: the roles' grants and the tables' constraints."""

from collections.abc import Mapping

import asyncpg
import pytest

from medfund.http import commands, reach
from medfund.http.tokens import Principal, Role
from medfund.local import prepare
from medfund.local.postgres import Postgres
from medfund.postgres import connect
from tests.conftest import PASSWORDS, Database
from tests.integration.working_fund import with_clearing

APPEND_ONLY = ("journal", "identities", "repeats", "quarantine")
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


@pytest.mark.parametrize("table", [*APPEND_ONLY, "batches", "buckets", "providers", "statements", "positions", "lanes"])
async def test_the_reader_can_write_nothing_of_the_books(database: Database, table: str) -> None:
    for statement in ("insert into {} default values", "update {} set lane = lane", "delete from {}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await attempt(database, "reader", statement.format(table))


@pytest.mark.parametrize("table", ["buckets", "providers", "statements", "batches"])
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {}"])
async def test_the_worker_can_delete_nothing_that_it_may_change(database: Database, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attempt(database, "worker", statement.format(table))


async def test_an_identity_is_kept_once_whatever_its_lane(database: Database) -> None:
    kept = "insert into identities values ({}, '\\x01', '\\x02', 'claims', 41)"
    for lane in range(24):
        with pytest.raises(asyncpg.UniqueViolationError):
            await attempt(database, "worker", *[kept.format(lane)] * 2)


async def test_the_worker_can_move_no_batches_to_another_place(database: Database) -> None:
    for column in ("lane", "first_batch", "epoch"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await attempt(database, "worker", f"update batches set {column} = {column}")  # noqa: S608


# What each role may write; whatever is not named it only reads, or does not see at all.
WRITES: Mapping[tuple[str, str], Mapping[str, set[str]]] = {
    ("ledger", "api"): {"audit": {"INSERT"}},
    ("ledger", "reader"): {},
    ("clearing", "api"): {
        "audit": {"INSERT"},
        "commands": {"INSERT"},
        "prepayment_approvals": {"INSERT"},
        "prepayment_plans": {"INSERT"},
        "proposal_approvals": {"INSERT"},
        "proposals": {"INSERT"},
        "runs": {"INSERT", "UPDATE"},
    },
    ("clearing", "bank"): {
        "bank_files": {"INSERT"},
        "bank_lines": {"INSERT"},
        "bank_register": {"INSERT", "UPDATE"},
        "bank_statements": {"INSERT", "UPDATE"},
        "errands": {"DELETE"},
    },
    ("clearing", "reader"): {},
    ("direct_pay", "api"): {
        "audit": {"INSERT"},
        "commands": {"INSERT"},
        "statement_approvals": {"INSERT"},
        "statement_plans": {"INSERT"},
    },
    ("direct_pay", "reader"): {},
}
READ_BY_THE_BANK_PROCESS = {
    "bank_files", "bank_lines", "bank_register", "bank_statements", "cash", "days", "direct", "errands", "facts",
    "identities", "moves", "payments", "positions", "prepayments", "providers", "quarantine", "recoveries", "repayable",
    "suspense",
}  # fmt: skip


async def privileges(database: Database, role: str, *wanted: str) -> dict[str, set[str]]:
    """What a role may do with the tables and views of its schema, however it came to it."""
    async with connect.connection(database.admin, name="tests") as admin:
        rows = await admin.fetch(
            """
            select relname, privilege from pg_class, unnest($2::text []) as privilege
            where relnamespace = regexp_replace($1, '_[a-z]+$', '')::regnamespace and relkind in ('r', 'p', 'v')
            and has_table_privilege($1, pg_class.oid, privilege)""",
            role,
            wanted,
        )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["relname"], set()).add(row["privilege"])
    return found


@pytest.mark.parametrize(("service", "role"), WRITES)
async def test_a_role_writes_no_more_than_its_process_needs(database: Database, service: str, role: str) -> None:
    await with_clearing(database)
    found = await privileges(database, f"{service}_{role}", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    assert found == WRITES[service, role]


async def test_the_bank_process_reads_what_its_files_are_about_and_nothing_else(database: Database) -> None:
    await with_clearing(database)
    assert set(await privileges(database, "clearing_bank", "SELECT")) == READ_BY_THE_BANK_PROCESS
    async with connect.connection(database.dsn("bank", "clearing"), name="tests") as bank:
        for table in READ_BY_THE_BANK_PROCESS:
            await bank.fetch(f"select * from {table}")  # noqa: S608


async def test_nobody_else_comes_into_the_database_and_nobody_makes_temporary_tables(
    postgres: Postgres, database: Database
) -> None:
    await with_clearing(database)
    for service, role in (("ledger", "reader"), ("ledger", "worker"), ("clearing", "api"), ("clearing", "bank")):
        async with connect.connection(database.dsn(role, service), name="tests") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("create temporary table mine (id integer)")
    async with connect.connection(postgres.dsn(), name="tests") as admin:
        await admin.execute("drop role if exists somebody; create role somebody login password 'a guess'")
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
                await asyncpg.connect(postgres.dsn(database.name, user="somebody", password="a guess"))
        finally:
            await admin.execute("drop role somebody")


async def test_a_role_has_so_many_connections_and_so_much_time_as_its_process_needs(database: Database) -> None:
    await with_clearing(database)
    async with connect.connection(database.admin, name="tests") as admin:
        limits = dict(await admin.fetch("select rolname, rolconnlimit from pg_roles where rolname ~ '^clearing_'"))
    assert limits == {
        "clearing_owner": 4, "clearing_worker": -1, "clearing_api": 128, "clearing_bank": 4, "clearing_reader": 16,
    }  # fmt: skip
    connection = await asyncpg.connect(database.dsn("api", "clearing"))
    try:
        assert await connection.fetchval("show statement_timeout") == "10s"
    finally:
        await connection.close()


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
            "select rolname from pg_roles where rolname ~ '^(ledger|clearing|direct_pay|medfund)_'"
            " and (rolsuper or rolbypassrls)"
        )
        open_tables = await admin.fetch("""
            select distinct class.relname from pg_class as class
            join pg_attribute as attribute on attribute.attrelid = class.oid
            where class.relnamespace in ('ledger'::regnamespace, 'direct_pay'::regnamespace) and class.relkind = 'r'
            and attribute.attname in ('party', 'provider')
            and not (class.relrowsecurity and class.relforcerowsecurity)""")
    assert (loose, open_tables) == ([], [])


async def test_a_second_installation_on_a_server_is_refused_by_name_and_the_first_keeps_its_passwords(
    database: Database, postgres: Postgres
) -> None:
    second = await prepare.database(postgres.dsn(), "second_installation")
    theirs = {role: f"{password}, of the second one" for role, password in PASSWORDS.items()}
    with pytest.raises(prepare.NotAsAsked, match="role ledger_owner of this server is that of the installation in"):
        await prepare.roles(second, "ledger", theirs)
    for role in ("owner", "worker", "api", "reader"):
        await attempt(database, role, "select from lanes")
    await prepare.roles(second, "ledger", PASSWORDS)  # a copy of the first one


OWN, RIVAL = "91370000MA0000002X", "91370000MA00000031"
HOSPITAL = "H15250200017"
KEEP = """insert into commands (id, at, subject, role, kind, lane, topic, provider, area, body)
values ($1, now(), 'staff', 'supplier', 'submit', 3, 'purchases', 'H15250200017', '152500', $2::text::jsonb)"""


def asking(*organisations: str, role: str = "supplier") -> Principal:
    return Principal(subject="staff", role=Role(role), areas=("152500",), organisations=organisations)


async def test_a_supplier_asks_for_itself_alone_and_sees_what_it_asked_with_those_who_are_asked_about(
    database: Database,
) -> None:
    async with connect.connection(database.dsn("api", "direct_pay"), name="tests") as api:

        async def scoped(caller: Principal) -> None:
            await api.execute("select set_config('medfund.areas', '152500', true)")
            await api.execute("select set_config('medfund.organisations', $1, true)", ",".join(caller.organisations))

        async with api.transaction():
            await scoped(asking(OWN))
            await api.execute(KEEP, "submit-1", f'{{"supplier": "{OWN}"}}')
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with api.transaction():
                    await api.execute(KEEP, "submit-2", f'{{"supplier": "{RIVAL}"}}')
        seen = {}
        for caller in (
            asking(OWN),
            asking(RIVAL),
            asking(HOSPITAL, role="provider"),
            asking("H15250200018", role="provider"),
        ):
            async with api.transaction():
                await scoped(caller)
                unasked = await api.fetchval("select count(*) from commands")
                within = reach.of(caller, area=None, party=None, lanes=12)
                by_name = await api.fetch(commands.SQL.kept, "submit-1", list(range(12)), *within.predicates)
                seen[caller.organisations[0]] = (unasked, len(by_name))
    assert seen == {OWN: (1, 1), RIVAL: (0, 0), HOSPITAL: (1, 1), "H15250200018": (0, 0)}
