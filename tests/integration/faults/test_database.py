"""What the database does to a worker: restarts, kills, and processes that stand still (rows 33, 34)."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.postgres import connect
from tests import events
from tests.conftest import LANES
from tests.integration.faults.conftest import kept
from tests.integration.proxy import Staller, through
from tests.integration.workers import (
    Books,
    backends,
    hospitals,
    own_database,
    registrations,
    settlements,
    until,
    without_value,
)

SHORT = {"CONNECT_TIMEOUT_S": "1", "COMMAND_TIMEOUT_S": "1.5", "IDLE_IN_TRANSACTION_S": "2"}


@pytest.fixture(scope="module")
def server(session_folder: Path) -> Iterator[Postgres]:
    """One that may be killed; it waits for the disk as it does in earnest."""
    made = Postgres(session_folder / "postgres-that-dies")
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def endangered(server: Postgres, kafka: Kafka, topic_prefix: str, folder: Path) -> AsyncIterator[Books]:
    database = await own_database(server, f"ledger_{folder.name}")
    with kept(database, kafka, topic_prefix, folder) as made:
        yield made


async def fast(server: Postgres, books: Books) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def immediate(server: Postgres, books: Books) -> None:
    process = server.process
    assert process
    process.signal(signal.SIGQUIT)
    assert await asyncio.to_thread(process.wait, 30)
    await asyncio.to_thread(server.start)


async def killed_postmaster(server: Postgres, books: Books) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def killed_backend(server: Postgres, books: Books) -> None:
    """The postmaster then ends all others and recovers."""
    [backend, *_] = [found for lane in range(LANES) for found in await backends(books, lane=lane)]
    backend.signal(signal.SIGKILL)


async def ended_connections(server: Postgres, books: Books) -> None:
    assert await books.value(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name ~ '^(lane .*)?worker'"
    )


@pytest.mark.parametrize("fault", [fast, immediate, killed_postmaster, killed_backend, ended_connections])
async def test_a_database_that_comes_back_is_used_again_by_the_same_worker(
    endangered: Books, server: Postgres, fault: Callable[[Postgres, Books], Awaitable[None]]
) -> None:
    books, providers = endangered, hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 60)])
    with books.working(BATCH_RECORDS_MAX="5") as worker:
        await until(lambda: _has_booked(books, 40), "the worker is in the middle of it")
        await fault(server, books)
        await books.hold(limit_s=30)
        assert worker.alive
        assert worker.said("lane interrupted")
        await worker.drain()
    assert await books.value("select sum(duplicate) from positions") == 0


async def _has_booked(books: Books, count: int) -> bool:
    return len(await books.identities()) >= count


async def test_a_lane_whose_backend_stands_still_goes_on_by_another_one(books: Books) -> None:
    providers = hospitals()
    await books.publish(registrations(providers))
    with books.working(**SHORT) as worker:
        await books.booked()
        [backend] = await backends(books, lane=1)
        backend.signal(signal.SIGSTOP)
        try:
            await books.publish(settlements(providers, 20))
            interrupted = await worker.says("lane interrupted", lane=1, limit_s=15)
            assert "TimeoutError" in interrupted["reason"] or "connection" in interrupted["reason"]
            await books.hold()
        finally:
            backend.signal(signal.SIGCONT)


async def test_a_backend_that_stands_still_in_a_transaction_holds_up_its_own_lane_only(books: Books) -> None:
    providers = hospitals()
    mine = events.providers(1, LANES, 1)
    await books.publish(registrations(providers))
    # Each lane books its registration first; the next batch is the one below.
    with books.working(STOP_AT=f"mid_batch:{LANES + 1}", **SHORT) as worker:
        await books.booked()
        await books.publish(settlements(mine, 20))
        await worker.is_stopped()
        [backend] = await backends(books, lane=1, state="idle in transaction")
        backend.signal(signal.SIGSTOP)
        try:
            worker.signal(signal.SIGCONT)
            await worker.says("lane interrupted", lane=1, limit_s=15)
            await books.publish(settlements([code for code in providers if code not in mine], 20))
            await until(lambda: _others_are_booked(books), "the other lanes go on", limit_s=20)
        finally:
            backend.signal(signal.SIGCONT)
        await books.hold()


async def _others_are_booked(books: Books) -> bool:
    query = "select count(*) from identities where topic = 'claims' and lane <> 1"
    return bool(await books.value(query) == 20 * (LANES - 1))


async def test_a_postmaster_that_stands_still_keeps_nobody_from_booking_or_from_ending(
    endangered: Books, server: Postgres
) -> None:
    books, providers = endangered, hospitals()
    await books.publish(registrations(providers))
    postmaster = server.process
    assert postmaster
    settled = settlements(providers, 20)
    with books.working(**SHORT) as worker:
        await books.booked()
        async with connect.connection(books.database.admin, settings={"search_path": "ledger"}) as look:
            postmaster.signal(signal.SIGSTOP)
            try:
                await worker.says("database unavailable", limit_s=15)
                await books.publish(settled)

                async def all_booked() -> bool:
                    count = await look.fetchval("select count(*) from identities where topic = 'claims'")
                    return bool(count == len(settled))

                await until(all_booked, "lanes that have a connection go on", limit_s=20)
                worker.signal(signal.SIGTERM)
                assert await worker.exit_code(limit_s=10) == 0
            finally:
                postmaster.signal(signal.SIGCONT)
    await books.publish(settlements(providers, 5, name="later"))
    with books.working():
        await books.hold()


async def test_a_connection_that_stalls_in_the_middle_of_a_copy_holds_neither_the_worker_nor_the_lane(
    books: Books,
) -> None:
    """The database's client itself would wait for ever, and the database for the rest of the rows."""
    [provider] = events.providers(1, LANES, 1)
    # What is told of them must not fit into the buffers on the way.
    wordy = [
        without_value(
            events.message("settlement.recorded.v1", id=f"{n}{'医' * 250}", source="保" * 250, provider=provider)
        )
        for n in range(2500)
    ]
    await books.publish(wordy, refused=True)
    staller = Staller(books.database.dsn("worker"), statement=b'COPY "outbox"')
    async with through(staller):
        with books.working(LEDGER_WORKER_DSN=staller.here, BATCH_RECORDS_MAX="5000", COMMAND_TIMEOUT_S="4") as worker:
            await worker.says("lane interrupted", lane=1, limit_s=30)
            assert staller.stalled
            await books.hold()
            staller.gone.set()
