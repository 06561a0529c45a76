"""A statement on a real log, with worker processes of direct payment and the ledger: killed at named points, restored.

Every lane has a hospital with the same purchases, so that a kill finds the lanes in different places.
"""

import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import msgspec
import pytest

from direct_pay.__main__ import MIGRATIONS
from direct_pay.service import DirectPay
from medfund.local import prepare
from medfund.postgres import connect, migrate
from tests.conftest import LANES, PASSWORDS, Database
from tests.fund import of_rules
from tests.integration.workers import Books
from tests.integration.working_fund import WorkingFund, id_of, program, restored, send, type_of
from tests.purchasing import INSULIN, METFORMIN, Purchasing, invoice_no

LEASE = {"LEASE_S": "1.0", "RENEW_S": "0.2"}
POINTS = ("mid_batch", "before_sent")
"""What a lane does at each of its points is the kit's, and shown for clearing; here, what these rules make of it."""


class Buyer(WorkingFund, Purchasing):
    """A hospital whose suppliers and services are processes."""


Step = Callable[[Buyer], None]


def bought(fund: Buyer) -> None:
    fund.register()
    fund.policy()
    fund.mandate_direct()
    fund.key()
    fund.product(METFORMIN, "12.34")
    fund.product(INSULIN, "48.20", "NEGOTIATED")
    fund.contract(METFORMIN, INSULIN)


def delivered(fund: Buyer) -> None:
    fund.deliver("CG-1", (METFORMIN, 317, "12.34"), (INSULIN, 41, "48.20"))
    fund.invoice(1, "CG-1", (METFORMIN, 317, "12.34"))
    line = {"order_no": "CG-1", "line": 2, "product": INSULIN, "quantity": 41, "price": "48.20", "amount": "1976.20"}
    fund.invoice(2, "CG-1", lines=[line])


def stated(fund: Buyer) -> None:
    fund.submit_statement("DZ-1", {invoice_no(1): "3911.78", invoice_no(2): "1976.20"})
    fund.confirm("DZ-1")


def agreed(fund: Buyer) -> None:
    fund.agree({"DZ-1": "5887.98"})


def returned(fund: Buyer) -> None:
    fund.red(3, invoice_no(2), "211.10", on="2026-10-09")


STEPS: Sequence[Step] = (delivered, stated, agreed, returned)
"""After `bought`: each has something that is decided."""


@pytest.fixture
async def buyers(books: Books) -> AsyncIterator[list[Buyer]]:
    """One in each lane, and the ledger works."""
    books.services["direct_pay"] = (DirectPay.own, *DirectPay.facts)
    control = await asyncpg.connect(books.database.admin)
    with books.working("ledger"):
        yield [Buyer(control, {}, lane=lane, books=books) for lane in range(LANES)]
    await control.close()


async def take(buyers: Sequence[Buyer], step: Step) -> None:
    """The same happens to every hospital."""
    for buyer in buyers:
        step(buyer)
    await send(buyers)


async def took(buyers: Sequence[Buyer], *steps: Step) -> None:
    for step in steps:
        await take(buyers, step)
        await buyers[0].books.booked()


async def decided(books: Books) -> list[Any]:
    """All decisions on the log; a repeated delivery counts again."""
    return await books.records("direct-pay")


async def hold(books: Books) -> None:
    """Each statement was requested once, for what it is worth, and each decision took effect once in both services."""
    await books.booked()
    once = {(record.partition, id_of(record)): record for record in await decided(books)}
    of_lane: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for (lane, _), record in once.items():
        of_lane[lane][type_of(record)].append(msgspec.json.decode(record.value).get("amounts"))
    for lane in range(LANES):
        told = of_lane[lane]
        assert told["statement.requested"] == [{"310100": "4025.61", "390100": "1862.37"}]
        assert told["statement.line.reduced"] == [{"310100": "144.33", "390100": "66.77"}]
        assert (len(told["order.committed"]), len(told["statement.matched"])) == (1, 1)
        assert not told["fact.parked"]
    for service in books.services:
        taken = await books.value(f"select count(*) from {service}.identities where topic = 'direct-pay'")  # noqa: S608
        assert taken == len(once), service
    report = await books.proof()
    assert report.ok, report.problems
    assert report.quarantined == 0


async def known(books: Books) -> dict[str, list[str]]:
    """Every row that follows from the log."""
    async with connect.connection(books.database.admin, name="tests") as look:
        return {
            table: [row[0] for row in await look.fetch(f"select one::text from direct_pay.{table} as one order by 1")]  # noqa: S608
            for table in await of_rules(look, "direct_pay")
        }


@pytest.mark.parametrize("point", POINTS)
async def test_direct_payment_killed_while_it_matches_requests_or_reduces_decides_everything_once(
    books: Books, buyers: list[Buyer], point: str
) -> None:
    with books.working("direct", service="direct_pay", **LEASE) as worker:
        await took(buyers, bought)
        await worker.drain()
    for step in STEPS:
        with books.working("direct", service="direct_pay", CRASH_AT=f"{point}:1", **LEASE) as killed:
            await take(buyers, step)
            assert await killed.exit_code() == -signal.SIGKILL
        with books.working("direct", service="direct_pay", **LEASE) as successor:
            await books.booked()
            await successor.drain()
    await hold(books)


@pytest.mark.parametrize("yesterday", [stated, None], ids=["stated", "nothing"])
async def test_direct_payment_restored_to_an_earlier_day_decides_nothing_twice_and_knows_what_it_knew(
    books: Books, buyers: list[Buyer], yesterday: Step | None
) -> None:
    """The backup is as old as that step; where there is none, the service begins anew."""
    backup: bytes | None = None
    admin = f"--dbname={books.database.admin}"
    with books.working("direct", service="direct_pay") as worker:
        for step in (bought, *STEPS[:-1]):
            await took(buyers, step)
            if step is yesterday:
                backup = await program("pg_dump", "--schema=direct_pay", "--format=custom", admin)
        told, rows = sorted(map(id_of, await decided(books))), await known(books)
        await worker.drain()
    async with connect.connection(books.database.admin, name="tests") as connection:
        await connection.execute("drop schema direct_pay cascade")
    if backup is None:
        await anew(books.database)
    else:
        await restored(books.database, backup)
    with books.working("direct", service="direct_pay"):
        await books.booked()
        assert sorted(map(id_of, await decided(books))) == told
        assert await known(books) == rows
        await took(buyers, STEPS[-1])
        await hold(books)


async def anew(database: Database) -> None:
    await prepare.roles(database.admin, "direct_pay", PASSWORDS)
    async with connect.connection(database.dsn("owner", "direct_pay"), name="tests") as owner:
        await migrate.migrate(owner, MIGRATIONS)
