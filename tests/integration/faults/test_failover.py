"""Payments and books through the failures of database servers: a standby takes over, the old one comes back, disks fill
(rows 35 to 38). Whatever happened, the log holds each decision under one id and with one content, each payment is sent
and settled once, and what both services know is what another database learns from the log alone.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from clearing.payments import planning
from ledger.service import Ledger
from medfund.lanes import metrics
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.settings import NOBODY
from medfund.lanes.worker import Worker
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.postgres import connect
from tests.conftest import LANES, Database, fresh_database
from tests.fund import LIMITS, running
from tests.integration import served
from tests.integration.faults.paying import Treasury, treasury
from tests.integration.faults.servers import Pair, ask, pair
from tests.integration.workers import WorkerProcess, until

pytestmark = pytest.mark.timeout(300)

ONE_AT_A_TIME = replace(LIMITS, batch_records_max=1)
SHORT = {"CONNECT_TIMEOUT_S": "2", "COMMAND_TIMEOUT_S": "3", "IDLE_IN_TRANSACTION_S": "3"}

LONG = {"LEASE_S": "20", "CONNECT_TIMEOUT_S": "2"}
"""Half of the time to connect is lost on a server that does not answer."""


@pytest.fixture
async def synchronous(kafka: Kafka, topic_prefix: str, folder: Path) -> AsyncIterator[tuple[Pair, Treasury]]:
    async with (
        pair(folder, "fund", synchronous=True) as servers,
        treasury(Database("fund", servers.admin), kafka, topic_prefix, folder) as made,
    ):
        yield servers, made


@pytest.fixture
async def asynchronous(kafka: Kafka, topic_prefix: str, folder: Path) -> AsyncIterator[tuple[Pair, Treasury]]:
    async with (
        pair(folder, "fund", synchronous=False) as servers,
        treasury(Database("fund", servers.admin), kafka, topic_prefix, folder) as made,
    ):
        yield servers, made


# -- row 35


async def test_a_synchronous_standby_takes_over_and_no_payment_is_lost_or_doubled(
    synchronous: tuple[Pair, Treasury],
) -> None:
    """While payments are approved, sent and settled: each time the standby of the one before. The address leads to the
    standby a moment before it is in charge."""
    servers, fund = synchronous
    with (
        fund.books.working("ledger") as ledger,
        fund.books.working("clearing", service="clearing") as clearing,
    ):
        await fund.took(fund.recorded, fund.claimed, fund.ordered)
        for number, step in enumerate((fund.approved, fund.sent, fund.settled), 1):
            await servers.follow()
            before = len(await fund.decisions())
            await step()
            await until(partial(decided_more, fund, before), "the step is being decided")
            await servers.kill_primary()
            servers.switch.dsn = servers.standby.dsn()
            for worker in (ledger, clearing):
                await until(partial(refused_to_write, worker, number), "the standby takes no writes")
            await servers.promote()
            await fund.books.booked()
        assert all(worker.alive for worker in (ledger, clearing))
        await fund.took(fund.audited, fund.approved_again, fund.sent_again, fund.settled_again)
        await fund.hold()


async def decided_more(fund: Treasury, before: int) -> bool:
    return len(await fund.decisions()) > before


async def refused_to_write(worker: WorkerProcess, times: int) -> bool:
    return len([line for line in worker.said("database unavailable") if "read-only" in line["error"]]) >= times


# -- row 36


async def test_an_asynchronous_standby_that_lacks_the_last_commits_decides_them_as_they_were_decided(
    asynchronous: tuple[Pair, Treasury],
) -> None:
    """What the lost commits decided was not on the log yet, or on it and not known to be, or on it and booked."""
    servers, fund = asynchronous
    with fund.books.working("ledger"):
        with fund.books.working("clearing", service="clearing") as clearing:
            await fund.took(fund.recorded, fund.claimed, fund.ordered)
            await clearing.drain()
        for step, point in ((fund.approved, "after_commit"), (fund.sent, "before_sent"), (fund.settled, "")):
            await servers.follow()
            await servers.stop_shipping()
            stopping = {"STOP_AT": point} if point else {}
            with fund.books.working("clearing", service="clearing", **stopping) as clearing:
                await clearing.says("lane claimed", times=LANES)
                await step()
                await (clearing.is_stopped() if point else fund.books.booked())
                assert await reached(servers.primary) > await reached(servers.standby), "commits are lost"
                await servers.kill_primary()
                await servers.promote()
                clearing.signal(signal.SIGCONT)
                await fund.books.booked()
                await clearing.drain()
        with fund.books.working("clearing", service="clearing"):
            await fund.took(fund.audited, fund.approved_again, fund.sent_again, fund.settled_again)
            assert await fund.hold() == 0, "what the log had was heard, not told again"


async def reached(server: Postgres) -> int:
    """How far clearing has come by what this server knows."""
    return int(await ask(server, "select sum(next_offset) from clearing.positions", database="fund"))


async def test_a_claim_that_was_made_on_a_server_that_lost_it_is_no_claim_though_the_numbers_are_the_same(
    postgres: Postgres, template: str, kafka: Kafka, topic_prefix: str
) -> None:
    """Where commits are lost, their epochs are given again, to others."""
    async with (
        fresh_database(postgres, template) as lost,
        fresh_database(postgres, template) as here,
        connect.connection(here.admin, name="tests", settings={"search_path": "ledger"}) as look,
    ):
        await look.execute(
            "insert into lanes (lane, epoch, instance) select n, 1, 'other' from generate_series(0, 3) n"
        )
        log = KafkaLog(kafka.address, prefix=topic_prefix, identity=NOBODY)
        service = Ledger(lanes=LANES, prefix=topic_prefix)
        # Its leases, and with them lane 0, are on the server that is lost.
        worker = Worker(service, log, lambda lane: (here if lane else lost).dsn("worker"), "worker", LANES)
        stop, fenced = asyncio.Event(), metrics.LANE_STOPS.labels("ledger", "fenced")
        before = fenced._value.get()
        working = asyncio.create_task(worker.run(stop))
        try:
            await until(lambda: counted(fenced, before + LANES - 1), "lanes are given up")
        finally:
            stop.set()
            await working
            await log.close()
        assert not await look.fetchval("select count(*) from positions")


async def counted(counter: Any, wanted: float) -> bool:
    return bool(counter._value.get() >= wanted)


# -- row 37


async def test_a_primary_that_lost_its_synchronous_standby_makes_nothing_happen_any_more(
    synchronous: tuple[Pair, Treasury], kafka: Kafka, topic_prefix: str, folder: Path
) -> None:
    """It lives on, with the workers that still hold connections to it; then it does not answer, and others that know
    both addresses are not held up by it; then it follows the new one."""
    servers, fund = synchronous
    old = Database("fund", servers.primary.dsn("fund"))
    with (
        fund.books.working("old-ledger", LEDGER_WORKER_DSN=old.dsn("worker"), **SHORT),
        fund.books.working(
            "old", service="clearing", CLEARING_WORKER_DSN=old.dsn("worker", "clearing"), **SHORT
        ) as cut_off,
    ):
        await fund.took(fund.recorded, fund.claimed, fund.ordered, fund.approved)
        await servers.follow()
        left_behind = servers.primary
        await servers.promote()
        told = await fund.decisions()
        await fund.sent()
        await cut_off.says("lane interrupted", times=LANES)
        await cut_off.says("database unavailable", times=2)
        assert await fund.decisions() == told, "it committed nothing that it could tell"
    frozen = left_behind.process
    assert frozen
    frozen.signal(signal.SIGSTOP)
    both = replace(fund.books.database, admin=either(left_behind, servers.primary))
    with (
        fund.books.working("ledger", LEDGER_WORKER_DSN=both.dsn("worker"), **LONG),
        fund.books.working("clearing", service="clearing", CLEARING_WORKER_DSN=both.dsn("worker", "clearing"), **LONG),
    ):
        await fund.took(fund.settled, fund.audited, fund.approved_again, fund.sent_again, fund.settled_again)
        assert await fund.hold() == 0, "nothing was told twice"
        async with served.serving(both, kafka.address, topic_prefix, folder / "keys") as api:
            health = (await api.client.get("/healthz")).json()
            assert health["database"], health
            assert health["faults"] == []
    frozen.signal(signal.SIGCONT)
    await servers.rejoin(left_behind)
    known = await fund.known(fund.books.database)
    await until(lambda: knows(fund, old, known), "the old primary knows what the new one knows")


def either(*servers: Postgres) -> str:
    """The DSN of whichever of them takes writes; the first one is asked first."""
    first, *others = [urlsplit(server.dsn("fund")) for server in servers]
    places = ",".join([first.netloc, *(other.netloc.rpartition("@")[2] for other in others)])
    return urlunsplit(first._replace(netloc=places, query="target_session_attrs=read-write"))


async def knows(fund: Treasury, database: Database, rows: dict[str, list[Any]]) -> bool:
    return await fund.known(database) == rows


async def test_two_primaries_at_work_tell_each_decision_under_one_id_and_know_the_same(
    asynchronous: tuple[Pair, Treasury],
) -> None:
    """Nobody ended the old one, and its workers go on with it: what both are asked at rest they answer alike."""
    servers, fund = asynchronous
    old = Database("fund", servers.primary.dsn("fund"))
    with (
        fund.books.working("old-ledger", LEDGER_WORKER_DSN=old.dsn("worker")),
        fund.books.working("old", service="clearing", CLEARING_WORKER_DSN=old.dsn("worker", "clearing")),
    ):
        await fund.took(fund.recorded, fund.claimed, fund.ordered)
        await servers.follow()
        await servers.promote()
        behind = replace(fund.books, database=old, workers=[])
        with fund.books.working("ledger"), fund.books.working("clearing", service="clearing"):
            for step in (fund.approved, fund.sent, fund.settled):
                await fund.took(step)
                await behind.booked()
            await fund.books.booked()
            assert await fund.known(fund.books.database) == await fund.known(old)
    with fund.books.working("ledger"), fund.books.working("clearing", service="clearing"):
        await fund.took(fund.audited, fund.approved_again, fund.sent_again, fund.settled_again)
        assert await fund.hold() > 0, "both told it"


async def test_two_primaries_that_read_in_another_order_contradict_each_other_and_the_first_on_the_log_stands(
    postgres: Postgres, template: str
) -> None:
    """What nothing here can prevent: only who ends the old primary can. It is seen, and the log puts it right."""
    async with (
        fresh_database(postgres, template) as one,
        fresh_database(postgres, template) as other,
        running(one) as fund,
        running(other) as behind,
    ):
        behind.log = fund.log
        for name in ("clearing", "ledger"):
            await behind.claim(name)
        fund.register()
        fund.policy()
        fund.deposit({"310100": 500_000})
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.settle({"310100": 100_000})
        fund.submit("B-1")
        await fund.drain()
        fund.day("2026-02-09")
        await fund.approve("anna", "bo")
        await behind.drain()
        plan = await fund.plan("310100", on="2026-02-10")
        fund.hold("B-1", {"310100": 100})
        fund.put_run(planning.run(plan, run_ref="R-1", staff_ref="anna"))
        behind.workers["clearing"].limits = ONE_AT_A_TIME  # it has the run before the hold, and told nobody yet
        await behind.step("clearing")
        await fund.drain()
        await behind.drain()
        [here], [there] = await fund.payments(), await behind.payments()
        assert (here["status"], there["status"]) == ("APPROVED", "SENT")
        for books in (fund, behind):
            refused = await books.control.fetch("select reason, source from ledger.quarantine")
            assert [tuple(row) for row in refused] == [("conflict", "/clearing")]
        for database in (fund, behind):
            await database.rebuild()
        [here], [again] = await fund.payments(), await behind.payments()
        assert here == again
        assert here["status"] == "APPROVED"
