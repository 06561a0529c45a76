"""Every query of every `.sql` file, against the schema as it is migrated and in the name of the role that runs it: a
column that is not there, a type that does not fit, or a right that is missing is told in seconds."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from medfund.local.postgres import Postgres
from medfund.local.services import SERVICES
from medfund.postgres.queries import Queries
from tests.conftest import fresh_database
from tests.integration.working_fund import with_clearing

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in ROOT.glob("*/**/sql/*.sql") if path.parts[len(ROOT.parts)] in ("medfund", "services"))
OTHERS = {
    "services/clearing/clearing/payments/sql/planning.sql": "api",
    "services/clearing/clearing/prepayment/sql/planning.sql": "api",
    "services/direct-pay/direct_pay/plans/sql/planning.sql": "api",
    "services/ledger/ledger/sql/control.sql": "reader",
    "services/ledger/ledger/sql/statements.sql": "reader",
    "services/ledger/ledger/sql/verify.sql": "reader",
    "medfund/postgres/sql/migrate.sql": "owner",
}
"""Who runs the queries of a file where its folder does not tell: the plans of runs and grants, and the proof."""
OF_DECIDERS = ("medfund/http/sql/commands.sql", "medfund/http/sql/knowledge.sql", "medfund/lanes/kept/sql/kept.sql")
"""Files of the kit whose tables only services have that decide."""
DECIDERS = tuple(service for service in SERVICES if service != "ledger")
QUERY = re.compile(r"(?:--[^\n]*\n|\s)*(?:select|with|insert|update|delete)\b")
OF_DECIDING = "Asked of the schema of a service that decides"
OF_CLEARING = "Asked of the clearing service's own schema"


class Asked(NamedTuple):
    service: str
    role: str
    query: str


def of_file(path: Path) -> Iterator[tuple[str, Asked]]:
    """Each query of a file, once for each service and role that runs it. What an administrator does has no plan."""
    name = path.relative_to(ROOT).as_posix()
    parts = path.relative_to(ROOT).parts
    services = (parts[2],) if parts[0] == "services" else DECIDERS if name in OF_DECIDERS else SERVICES
    folder = next((part for part in ("api", "bank") if part in parts), "api" if "http" in parts else "worker")
    for query, text in Queries(path):
        if QUERY.match(text) and "{schema}" not in text and "provision" not in path.name:
            for service in ("clearing",) if OF_CLEARING in text else DECIDERS if OF_DECIDING in text else services:
                yield f"{service}:{name}:{query}", Asked(service, OTHERS.get(name, folder), text)


QUERIES: Mapping[str, Asked] = {id: asked for path in FILES for id, asked in of_file(path)}


@pytest.fixture(scope="module")
async def roles(postgres: Postgres, template: str) -> AsyncIterator[Mapping[tuple[str, str], asyncpg.Connection]]:
    """A connection for each role of each service."""
    async with fresh_database(postgres, template) as database, AsyncExitStack() as opened:
        await with_clearing(database)
        made = {}
        for service, role in sorted({(asked.service, asked.role) for asked in QUERIES.values()}):
            made[service, role] = await asyncpg.connect(database.dsn(role, service))
            opened.push_async_callback(made[service, role].close)
        yield made


@pytest.mark.parametrize("id", QUERIES)
async def test_a_query_fits_the_schema_and_its_role_may_run_it(
    roles: Mapping[tuple[str, str], asyncpg.Connection], id: str
) -> None:
    asked = QUERIES[id]
    connection = roles[asked.service, asked.role]
    await connection.prepare(asked.query)
    # Rights are looked at when a plan is about to run, which preparing does not do.
    await connection.execute(f"explain (generic_plan) {asked.query}")


async def test_what_does_not_fit_or_is_not_allowed_is_told(
    roles: Mapping[tuple[str, str], asyncpg.Connection],
) -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await roles["clearing", "worker"].prepare("select no_such from claims where lane = $1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await roles["clearing", "api"].execute("explain (generic_plan) update claims set due = $1")


def test_every_file_is_found_and_runs_something() -> None:
    assert len(FILES) > 40
    assert {Path(id.split(":")[1]).name for id in QUERIES} == {path.name for path in FILES} - {"provision.sql"}
    assert set(OTHERS) <= {id.split(":")[1] for id in QUERIES}
