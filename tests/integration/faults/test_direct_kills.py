"""From a plan to the supplier's money and back, on a real log with processes of all three services.

Both that decide are killed with -9 at each named point of each step, and between the steps. A supplier is paid once.
Every lane has a hospital with the same purchases, so that a kill finds the lanes in different places.
"""

import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import asyncpg
import msgspec
import pytest

from clearing.payments import planning
from clearing.service import Clearing
from direct_pay.service import DirectPay
from direct_pay.statements.statement import Statement
from ledger import control, verify
from medfund.lanes import partition
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.settings import NOBODY
from medfund.postgres import connect
from tests import events
from tests.conftest import LANES
from tests.integration.faults.test_direct_pay import LEASE, Buyer, Step, agreed, bought, delivered, returned, stated
from tests.integration.faults.test_direct_pay import take as taken
from tests.integration.workers import Books
from tests.integration.working_fund import id_of, send, type_of, with_clearing
from tests.purchasing import SUPPLIER, invoice_no

FUNDS = "310100", "390100"
PAYABLE = f"{SUPPLIER}/DZ-1/1"
ASKED = {"310100": "4025.61", "390100": "1862.37"}
TAKEN_BACK = {"310100": "144.33", "390100": "66.77"}
POINTS = ("after_fetch", "mid_batch", "before_commit", "after_commit", "before_sent")
DECIDERS = {"direct_pay": DirectPay, "clearing": Clearing}
PAID_ON = "2026-10-09"


def ready(fund: Buyer) -> None:
    """What the agency says before anything is paid."""
    bought(fund)
    fund.sent += 1_000 * (fund.lane + 1)  # ids are the publisher's own, and there is one publisher
    for staff, role in (("anna", "finance"), ("bo", "approver")):
        fund.mandate(staff, role)
    fund.put_in_lane("supplier.registered.v1", supplier=SUPPLIER, bank_account_ref="acct-s")
    fund.day("2026-10-06")
    if fund.lane == partition.lane_of(events.AREA.encode(), LANES):
        fund.deposit(dict.fromkeys(FUNDS, 99_000_000))


def joined(fund: Buyer) -> None:
    """Another hospital, of whose purchases the agency has said everything."""
    fund.register()
    fund.mandate_direct()
    fund.key()


def opened(fund: Buyer) -> None:
    fund.day("2026-10-08")


def approved(fund: Buyer) -> None:
    payments = [f"{PAYABLE}/P2/{of}" for of in FUNDS]
    for staff in ("anna", "bo"):
        fund.put("payment.approval.given.v1", provider=fund.provider, payments=payments, total="5887.98",
                 staff_ref=staff)  # fmt: skip


def paid(fund: Buyer) -> None:
    for of, amount in ASKED.items():
        fund.put("bank.payment.settled.v1", provider=fund.provider, payment_ref=f"{PAYABLE}/P2/{of}",
                 bank_txn=f"T-{of}", amounts={of: amount}, value_date=PAID_ON)  # fmt: skip


@pytest.fixture
async def buyers(books: Books) -> AsyncIterator[list[Buyer]]:
    """One in each lane; the ledger works."""
    await with_clearing(books.database)
    for name, service in DECIDERS.items():
        books.services[name] = (service.own, *service.facts)
    look = await asyncpg.connect(books.database.admin)
    with books.working("ledger"):
        yield [Buyer(look, {}, lane=lane, books=books) for lane in range(LANES)]
    await look.close()


async def read_by(books: Books, *names: str) -> None:
    """Some of the services have read everything; of the others nobody works."""
    everybody = books.services
    books.services = {name: everybody[name] for name in ("ledger", *names)}
    try:
        await books.booked()
    finally:
        books.services = everybody


async def took(buyers: Sequence[Buyer], *steps: Step) -> None:
    """One after the other, each to its end, and nobody is killed."""
    books = buyers[0].books
    with (
        books.working("direct", service="direct_pay", **LEASE) as direct,
        books.working("clearing", service="clearing", **LEASE) as clearing,
    ):
        for step in steps:
            await taken(buyers, step)
            await books.booked()
        await direct.drain()
        await clearing.drain()


async def killed(books: Books, service: str, crash_at: str, **settings: str) -> None:
    """A worker dies of what waits for it, and another one ends it."""
    with books.working(service, service=service, CRASH_AT=crash_at, **LEASE, **settings) as one:
        assert await one.exit_code() == -signal.SIGKILL
    with books.working(service, service=service, **LEASE) as successor:
        await read_by(books, service)
        await successor.drain()


async def run(buyers: Sequence[Buyer], payments: int) -> None:
    """What is approved goes to the bank, each fund by a run of its own."""
    for of in FUNDS:
        wanted = planning.Wanted(events.AREA, of, "1002", date(2099, 12, 31), date.fromisoformat(PAID_ON))
        dsn = buyers[0].books.database.dsn("worker", "clearing")
        async with connect.connection(dsn, name="tests") as connection:
            plan = await planning.plan(connection, wanted)
        assert plan.payments == payments, plan
        for buyer in buyers:
            buyer.put_run(planning.run(plan, run_ref=planning.run_ref(wanted, 1), staff_ref="anna"))
    await send(buyers)


async def once(books: Books, family: str) -> dict[int, dict[str, list[Any]]]:
    """By lane and type, every decision once; one that stands there again says the same."""
    kept: dict[tuple[int, str], Any] = {}
    for record in await books.records(family):
        first = kept.setdefault((record.partition, id_of(record)), record)
        assert (first.key, first.value, first.headers) == (record.key, record.value, record.headers)
    for name, topics in books.services.items():
        query = f"select count(*) from {name}.identities where topic = $1"  # noqa: S608
        assert family not in topics or await books.value(query, family) == len(kept), name
    found: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for (lane, _), record in kept.items():
        found[lane][type_of(record)].append(msgspec.json.decode(record.value))
    return found


async def proof(books: Books) -> verify.Report:
    """What `medfund verify` does."""
    report = await books.proof()
    log = KafkaLog(books.bootstrap, prefix=books.prefix, identity=NOBODY)
    async with (
        connect.connection(books.database.dsn("reader"), name="tests") as ledger,
        connect.connection(books.database.dsn("reader", "clearing"), name="tests") as clearing,
    ):
        await control.compare(report, ledger, clearing, log, range(LANES))
    await log.close()
    return report


async def known(books: Books) -> list[Statement]:
    """As direct payment has them."""
    return [
        msgspec.json.decode(row[0], type=Statement)
        for row in await books.rows("select body from direct_pay.statements")
    ]


def amounts(decided: Mapping[str, Sequence[Mapping[str, Any]]], type: str) -> list[dict[str, str]]:
    return [dict(one["amounts"]) for one in decided[type]]


@pytest.mark.parametrize("point", POINTS)
async def test_a_supplier_is_paid_once_though_both_deciders_are_killed_at_each_step(
    books: Books, buyers: list[Buyer], point: str
) -> None:
    await took(buyers, ready, delivered, stated)
    learns = [] if point == "before_sent" else ["direct_pay"]  # it says nothing when a supplier was paid
    await taken(buyers, agreed)
    for service in ("direct_pay", "clearing"):
        await killed(books, service, f"{point}:1")
    await taken(buyers, opened)
    await killed(books, "clearing", f"{point}:1")
    await took(buyers, approved)
    await run(buyers, LANES)
    await killed(books, "clearing", f"{point}:1")
    await taken(buyers, paid)
    for service in ("clearing", *learns):
        await killed(books, service, f"{point}:1")
    await taken(buyers, returned)
    for service in ("direct_pay", "clearing"):
        await killed(books, service, f"{point}:1")
    with books.working("direct", service="direct_pay", **LEASE):
        await books.booked()
    each = [{of: amount} for of, amount in ASKED.items()]
    told, asked = await once(books, "clearing"), await once(books, "direct-pay")
    for lane in range(LANES):
        assert amounts(asked[lane], "statement.requested") == amounts(told[lane], "statement.approved") == [ASKED]
        for type in ("payment.ordered", "payment.sent", "payment.settled", "supplier.payment.settled"):
            assert sorted(amounts(told[lane], type), key=str) == each, type
        [red] = told[lane]["red_letter.applied"]
        assert red["paid"] == red["amounts"] == TAKEN_BACK
        assert not {"fact.disputed", "fact.parked", "suspense.opened"} & told[lane].keys()
        assert "fact.parked" not in asked[lane]
    for statement in await known(books):
        lines = [(entry.invoice, entry.left, entry.paid) for entry in statement.instalments[0].lines]
        assert lines == [(invoice_no(1), 391178, 391178), (invoice_no(2), 197620 - 21110, 197620)]
    report = await proof(books)
    assert report.ok, report.problems
    assert (report.quarantined, report.open_items) == (0, LANES * len(FUNDS) * 2), "1103 and 1109 of each"


async def test_a_plan_half_of_which_is_requested_and_a_statement_that_is_approved_and_not_ordered_are_ended_once(
    books: Books, buyers: list[Buyer]
) -> None:
    """Direct payment dies between two requests of a plan, clearing between what is approved and its order."""
    one, two = buyers[0], replace(buyers[0], sent=50_000)
    two.provider = events.providers(one.lane, LANES, 2)[1]
    await took([one], ready, delivered, stated)
    await took([two], joined, delivered, stated)
    for buyer, step in ((one, agreed), (one, Buyer.key), (two, agreed)):
        await taken([buyer], step)  # of a topic that says who speaks a batch takes one event more than it may
    with books.working(
        "direct", service="direct_pay", CRASH_AT="after_commit:1", BATCH_RECORDS_MAX="1", **LEASE
    ) as dead:
        assert await dead.exit_code() == -signal.SIGKILL
    assert sorted(len(statement.instalments) for statement in await known(books)) == [0, 1]
    with books.working("direct", service="direct_pay", **LEASE) as successor:
        await read_by(books, "direct_pay")
        await successor.drain()
    with books.working("clearing", service="clearing", CRASH_AT="after_commit:1", **LEASE) as dead:
        assert await dead.exit_code() == -signal.SIGKILL
    assert await books.value("select count(*) from clearing.payments") == 0
    await took([one], opened)
    asked, told = await once(books, "direct-pay"), await once(books, "clearing")
    whose = Counter({one.provider: 1, two.provider: 1})
    assert Counter(event["provider"] for event in asked[one.lane]["statement.requested"]) == whose
    assert Counter(event["provider"] for event in told[one.lane]["statement.approved"]) == whose
    ordered = Counter((event["provider"], *event["amounts"].items()) for event in told[one.lane]["payment.ordered"])
    assert ordered == Counter((buyer.provider, part) for buyer in (one, two) for part in ASKED.items())
    report = await proof(books)
    assert report.ok, report.problems
