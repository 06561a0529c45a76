"""What suppliers and the agency ask of direct payment is found by an index, however many others there are."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import pytest

from direct_pay.plans import planning
from direct_pay.statements.api import reading
from medfund.http.database import PLANNING
from tests.conftest import Database
from tests.events import AREA

LANES = [0, 1, 2, 3]
MINE = "S00000000000000007"
"""Of two hundred suppliers."""
FILLED = """
create temporary view bought as
select n, n % 4 as lane, 'H1525020' || lpad((n % 40)::text, 4, '0') as provider,
    'S' || lpad((n % 200)::text, 17, '0') as supplier, '152500' as area, date '2026-01-01' + n % 300 as day
from generate_series(1, 40000) as n;
insert into invoices
select lane, provider, supplier, 'I' || n, area, 'I' || n, day, n, 100, '', 'DZ' || n / 2000, false, '[]' from bought;
insert into statements (
    lane, provider, supplier, ref, area, status, period, submitted_on, mode, body, is_pending, in_dispute, pay_by
)
select lane, provider, supplier, 'DZ' || n, area, 'MATCHED', date '2026-01-01', day, 'HOSPITAL', '[]', n % 100 = 0,
    n % 200 = 0, case when n % 50 = 0 then date '2026-10-01' + n % 30 end
from bought where n <= 20000;
analyze invoices, statements;
"""
AGENCY = (LANES, [AREA], None, None)
SUPPLIER = (LANES, [AREA], None, [MINE])
ASKED: dict[str, tuple[str, Sequence[Any], int]] = {
    "invoices of a supplier": (reading.SQL.invoiced, (*SUPPLIER, *[None] * 10, 101), 400),
    "statements of a supplier": (reading.SQL.several, (*SUPPLIER, *[None] * 10, 101), 200),
    "disputes of an area": (reading.SQL.several, (*AGENCY, None, None, None, True, None, *[None] * 5, 101), 400),
    "what is due in an area": (reading.SQL.due, (*AGENCY, None, date(2026, 10, 9), *[None] * 6, 101), 800),
    "what a plan may have": (planning.SQL.candidates, (AREA,), 400),
    "who else has a number": (
        planning.SQL.registrations,
        ([0], ["H15250200000"], ["S00000000000000000"], ["I400"]),
        20,
    ),
}
"""With the most rows that may be looked at."""


def looked_at(node: dict[str, Any]) -> int:
    """Rows that were read of tables, also where they were thrown away."""
    own = 0
    if "Relation Name" in node:
        rows = (
            node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        )
        own = round(rows * node["Actual Loops"])
    return own + sum(map(looked_at, node.get("Plans", ())))


@pytest.fixture
async def asked(database: Database) -> Any:
    admin = await asyncpg.connect(database.admin)
    await admin.execute("set search_path = direct_pay")
    await admin.execute(FILLED)
    await admin.close()
    connection = await asyncpg.connect(database.dsn("api", "direct_pay"), server_settings=dict(PLANNING))
    yield connection
    await connection.close()


async def test_no_question_looks_through_what_is_others(asked: asyncpg.Connection) -> None:
    found = {}
    for name, (query, values, _) in ASKED.items():
        organisations = MINE if "supplier" in name else "*"
        async with asked.transaction():
            await asked.execute("select set_config('medfund.areas', $1, true)", "*" if "else" in name else AREA)
            await asked.execute("select set_config('medfund.organisations', $1, true)", organisations)
            plan = await asked.fetchval(f"explain (analyze, format json) {query}", *values)
        found[name] = looked_at(json.loads(plan)[0]["Plan"])
    assert {name: rows for name, rows in found.items() if rows > ASKED[name][2]} == {}
    assert found["invoices of a supplier"] > 0
