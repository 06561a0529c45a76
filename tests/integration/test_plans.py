"""What is asked every second or every day touches as much after years as in the first month.

Rows and pages are counted, on one history and on a hundred times it, with the settings and the rights of the process
that asks."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from clearing.audit import store as audit
from clearing.bank import files as bank
from clearing.bank.api import get_reconciliations, get_suspense, post_suspense_placings
from clearing.claims import store as claims
from clearing.claims.api import named
from clearing.direct import store as direct
from clearing.instant.api import get_coverage
from clearing.payments import planning
from clearing.payments import store as payments
from clearing.payments.api import runs
from clearing.prepayment import store as prepayments
from clearing.supervision import store as supervision
from clearing.supervision.api import get_recoveries, post_holds
from clearing.treasury.api import get_outflows, get_treasury_requests
from ledger.api import get_balances, get_cash, get_lines
from medfund.http import commands
from medfund.http.database import PLANNING
from medfund.lanes import kept, partition
from medfund.lanes.worker import WORKER_SETTINGS
from medfund.local.postgres import Postgres
from medfund.postgres.arrays import array
from medfund.postgres.queries import Queries
from tests import events, fund, history
from tests.conftest import Database, fresh_database
from tests.history import FUND, LONG, PAST, PRESENT, SHORT, TODAY, Past
from tests.purchases import ONE

LANES = 4
LANE = partition.lane_of(events.AREA.encode(), LANES)
[PROVIDER, *OTHERS] = events.providers(LANE, LANES, history.PROVIDERS)
EVERY = list(range(LANES))
AREAS = [events.AREA]
NOBODY: list[str] = []
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "worker": WORKER_SETTINGS,
    "api": {**PLANNING, "medfund.areas": events.AREA, "medfund.organisations": "*", "medfund.sources": "*"},
    "bank": {"medfund.areas": "*", "medfund.organisations": "*"},
}
ROWS, PAGES = 1.5, 2.5
"""How much more may be touched at a hundred times the history: an index is a level or two higher."""
ROWS_FEW, PAGES_FEW = 20, 30


class Question(NamedTuple):
    role: str
    queries: Queries
    name: str
    values: Sequence[Any]
    service: str = "clearing"


def worker(queries: Queries, name: str, *values: Any) -> Question:
    return Question("worker", queries, name, (LANE, *values))


def page(queries: Queries, name: str, *values: Any) -> Question:
    return Question("api", queries, name, values)


def bank_process(name: str, *values: Any) -> Question:
    return Question("bank", bank.SQL, name, values)


def of_claims(state: str | None = None, **given: Any) -> Question:
    """A page of claims, narrowed as the endpoint does it."""
    narrowed = [given.get(name) for name in ("due_before", "due_after", "as_of", "overdue")]
    after = [None] * 4
    return page(
        named.SQL, "claims", EVERY, given.get("areas"), given.get("parties"), state, *narrowed,
        given.get("unpaid", False), None, None, None, *after, 101,
    )  # fmt: skip


QUESTIONS: Mapping[str, Question] = {
    # what lanes ask for each batch, and when they are claimed
    "the findings of a batch": worker(
        audit.SQL, "findings", NOBODY, NOBODY, [PROVIDER], [PRESENT], ["F-1"], [PROVIDER], ["00"]
    ),
    "the findings of an opened day": worker(
        audit.SQL, "findings", OTHERS, [PRESENT] * len(OTHERS), NOBODY, NOBODY, NOBODY, NOBODY, NOBODY
    ),
    "the claims of some providers": worker(
        claims.SQL, "claims", NOBODY, NOBODY, [PROVIDER], False, NOBODY, NOBODY, NOBODY
    ),
    "the claims of an opened day": worker(claims.SQL, "claims", NOBODY, NOBODY, NOBODY, True, NOBODY, NOBODY, NOBODY),
    "the claims that a submission may overlap": worker(
        claims.SQL, "claims", NOBODY, NOBODY, NOBODY, False, [PROVIDER], ["2026-03-01"], ["2026-03-31"]
    ),
    "the recoveries of an opened day": worker(
        supervision.SQL, "recoveries", NOBODY, NOBODY, NOBODY, True, NOBODY, NOBODY
    ),
    "the prepayments of an opened day": worker(prepayments.SQL, "prepayments", NOBODY, NOBODY, NOBODY, True),
    "the payments of some payables": worker(
        payments.SQL, "payments", NOBODY, NOBODY, [PROVIDER], [PRESENT], NOBODY, NOBODY, NOBODY, NOBODY, None
    ),
    "the payments that a run may take": worker(
        payments.SQL, "payments", NOBODY, NOBODY, NOBODY, NOBODY, AREAS, [FUND], NOBODY, NOBODY, None
    ),
    "what was approved today for a payee": worker(
        payments.SQL, "payments", NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, [PROVIDER], [f"{PAST}/P1/{FUND}"],
        TODAY,
    ),
    "the suspense items of an area": worker(payments.SQL, "suspense", NOBODY, AREAS),
    "what is kept in memory": worker(kept.SQL, "facts", ["policy.published.v1", "staff.mandated.v1"]),
    "what is open of some hospitals' suppliers": worker(
        direct.SQL, "direct", NOBODY, NOBODY, [PROVIDER], False, NOBODY
    ),
    "what waits to be ordered on an opened day": worker(direct.SQL, "direct", NOBODY, NOBODY, NOBODY, True, NOBODY),
    "what is open of a supplier that is paid by another payee": worker(
        direct.SQL, "direct", NOBODY, NOBODY, NOBODY, False, [ONE]
    ),
    # what the bank process asks each second, and for each file
    "the runs to send": bank_process("runs_to_send", LANES),
    "the runs that went out": bank_process("forget_runs"),
    "the items that were placed": bank_process("placed"),
    "the requests that lines name": bank_process("requests", events.AREA, ["Q-1", "Q-PAST"]),
    "what may be paid back that lines name": bank_process(
        "repayable", events.AREA, FUND, ["RECOVERY", "PREPAYMENT", "SHORTFALL", "REFUND"], ["OLD-1"], [PROVIDER],
        ["OLD-2"],
    ),
    "what providers may pay back": bank_process("repayable_of", [PROVIDER], ["OLD-2"]),
    "the books at the end of a day": bank_process("cash", events.AREA, FUND, "1002", TODAY),
    # what people ask each day
    "claims at risk": of_claims(due_before="2026-05-20", due_after="2026-04-06", unpaid=True),
    "claims that are overdue": of_claims(as_of="2026-05-20", overdue=True),
    "claims in review": of_claims("IN_REVIEW", areas=AREAS),
    "a claim by its name": page(named.SQL, "claim", EVERY, None, None, PRESENT),
    "what a provider is paid for": page(post_holds.SQL, "payable", EVERY, None, None, PAST),
    "why a command was refused": page(commands.SQL, "refused", EVERY, b"\1" * 32, None),
    "open recoveries": page(get_recoveries.SQL, "recoveries", EVERY, AREAS, None, True, None, None, None, 101),
    "suspense, the oldest first": page(
        get_suspense.SQL, "suspense", EVERY, AREAS, None, None, None, None, None, 5
    ),
    "runs of payments": page(runs.SQL, "runs", EVERY, AREAS, None, None, None, None, 3),
    "a run of payments": page(runs.SQL, "runs", EVERY, AREAS, None, "RUN-1", None, None, 1),
    "whether lanes have to decide a run": page(runs.SQL, "undecided", events.AREA, FUND, "1002", LANES),
    "whether a run is decided": page(planning.SQL, "undecided", "RUN-1", LANES),
    "what a run can pay from": page(planning.SQL, "available", events.AREA, FUND, "1002"),
    "cash of an area": page(get_outflows.SQL, "cash", AREAS, "1002"),
    "the last statements": page(get_reconciliations.SQL, "accounts", AREAS, TODAY, None),
    "what was asked of the treasury": page(
        get_treasury_requests.SQL, "requests", EVERY, AREAS, None, "1002", None, None, None, None, 3
    ),
    "a request": page(post_suspense_placings.SQL, "target_request", EVERY, events.AREA, "Q-1"),
    "who is paid at once": page(
        get_coverage.SQL, "institutions", EVERY, AREAS, events.AREA, "2026-03-01", "2026-03-31"
    ),
    "a supplier's balances": Question(
        "api", get_balances.SQL, "balances", (EVERY, "OPS", None, None, [ONE], *[None] * 10, 101), "ledger"
    ),
    "a supplier's lines": Question(
        "api", get_lines.SQL, "lines", (EVERY, "OPS", None, None, [ONE], *[None] * 13, 101), "ledger"
    ),
    "the bank accounts": Question(
        "api", get_cash.SQL, "balances", (EVERY, AREAS, None, None, get_cash.ACCOUNTS), "ledger"
    ),
    "the bank accounts as of a day": Question(
        "api", get_cash.SQL, "balances", (EVERY, AREAS, None, TODAY, get_cash.ACCOUNTS), "ledger"
    ),
    "what the bank said last": Question("api", get_cash.SQL, "statements", (EVERY, AREAS, None, None), "ledger"),
}  # fmt: skip


class Touched(NamedTuple):
    rows: float
    pages: int


@pytest.fixture(scope="module")
async def touched(postgres: Postgres, template: str) -> AsyncIterator[Mapping[str, Sequence[Touched]]]:
    """By question: at one time the history, and at a hundred times."""
    async with fresh_database(postgres, template) as database, fund.running(database, lane=LANE, lanes=LANES) as one:
        past = Past(one)
        await past.live()
        found: dict[str, list[Touched]] = {name: [] for name in QUESTIONS}
        for times in (SHORT, LONG):
            await past.lengthen(times)
            for name, question in QUESTIONS.items():
                found[name].append(await ask(database, question))
        yield found


async def ask(database: Database, question: Question) -> Touched:
    connection = await asyncpg.connect(
        database.dsn(question.role, question.service), server_settings=dict(SETTINGS[question.role])
    )
    try:
        async with connection.transaction():
            await connection.execute(f"prepare asked as {getattr(question.queries, question.name)}")
            values = ", ".join(map(literal, question.values))
            asked = f"execute asked({values})" if question.values else "execute asked"
            # The first time pages of the catalogue are read, too.
            await connection.execute(asked)
            plan = await connection.fetchval(f"explain (analyze, buffers, timing off, format json) {asked}")
    finally:
        await connection.close()
    [told] = msgspec.json.decode(plan)
    top = told["Plan"]
    return Touched(sum(map(rows_of, nodes(top))), top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def rows_of(node: Mapping[str, Any]) -> float:
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    return float(node["Actual Loops"] * (node["Actual Rows"] + removed))


def literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    text = array(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}'"


@pytest.mark.parametrize("name", QUESTIONS)
async def test_after_a_hundred_times_the_history_as_much_is_touched_as_after_one(
    touched: Mapping[str, Sequence[Touched]], name: str
) -> None:
    before, after = touched[name]
    assert after.rows <= ROWS * before.rows + ROWS_FEW
    assert after.pages <= PAGES * before.pages + PAGES_FEW
