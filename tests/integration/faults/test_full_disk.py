"""A database that has no room (row 38): for data, for its write-ahead log, for temporary files. Writing stops and says
why, whoever asks is told the truth, and when there is room again everything goes on by itself, each payment once.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from medfund.local import postgres, unprivileged
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.local.supervisor import Keeper
from medfund.postgres import connect
from tests.conftest import LANES, Database
from tests.integration import served
from tests.integration.faults import disks, servers
from tests.integration.faults.disks import Disk
from tests.integration.faults.paying import Treasury, treasury
from tests.integration.faults.servers import tell
from tests.integration.served import Api
from tests.integration.workers import WorkerProcess, until

pytestmark = pytest.mark.timeout(300)

LITTLE_WAL = {"wal_keep_size": "0", "min_wal_size": "32MB", "max_wal_size": "32MB", "checkpoint_completion_target": "0"}
LITTLE_MEMORY = {"work_mem": "64kB", "temp_tablespaces": "small", "log_temp_files": "0"}
SWITCHES_MAX = 100


@pytest.fixture
def disk(folder: Path) -> Iterator[Disk]:
    with disks.small(folder / "disk") as made:
        yield made


@asynccontextmanager
async def running(
    server: Postgres, kafka: Kafka, prefix: str, folder: Path
) -> AsyncIterator[tuple[Treasury, Api, list[WorkerProcess]]]:
    """Workers of both services and the ledger's API; payments are approved."""
    database = Database("fund", server.dsn("fund"))
    async with (
        treasury(database, kafka, prefix, folder) as fund,
        served.serving(database, kafka.address, prefix, folder / "keys") as api,
    ):
        with fund.books.working("ledger") as ledger, fund.books.working("clearing", service="clearing") as clearing:
            await fund.took(fund.recorded, fund.claimed, fund.ordered, fund.approved)
            yield fund, api, [ledger, clearing]
            assert all(worker.alive for worker in (ledger, clearing))
            await fund.took(fund.settled, fund.audited, fund.approved_again, fund.sent_again, fund.settled_again)
            await until(lambda: has_fault(api), "health tells that all is well")
            await fund.hold()


@asynccontextmanager
async def started(folder: Path, settings: dict[str, str]) -> AsyncIterator[Postgres]:
    server = Postgres(folder / "postgres", settings={**servers.SETTINGS, **settings})
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(postgres.end_orphans, server.data)


# -- data


async def test_without_room_for_data_books_are_read_and_health_tells_that_nothing_is_booked(
    kafka: Kafka, topic_prefix: str, folder: Path, disk: Disk
) -> None:
    async with started(folder, {}) as server:
        await tell(server, f"create tablespace small location '{disk.path}'", "create database fund tablespace small")
        async with running(server, kafka, topic_prefix, folder) as (fund, api, workers):
            disk.fill()
            await fund.flooded()
            await fund.sent()
            for worker in workers:
                await until(partial(is_full, worker), "the worker says why it stops")
            await until(lambda: has_fault(api, "lane_stopped", "lane_without_worker"), "health tells it")
            assert (await api.client.get("/healthz")).json()["database"], "that is not what is wrong"
            assert (await api.caller("auditor").get("/v1/trial-balance", area="152500")).status_code == 200
            disk.free()
            await fund.books.booked()


async def is_full(worker: WorkerProcess) -> bool:
    return any("No space left on device" in line["reason"] for line in worker.said("lane interrupted"))


async def has_fault(api: Api, *faults: str) -> bool:
    """One of these; none at all where none is named."""
    response = await api.client.get("/healthz")
    found = {*response.json()["faults"]}
    return response.status_code == 503 and bool(found & {*faults}) if faults else response.status_code == 200


# -- the write-ahead log


async def test_without_room_for_its_log_the_database_ends_and_comes_back_with_all_that_was_booked(
    kafka: Kafka, topic_prefix: str, folder: Path, disk: Disk
) -> None:
    """Whoever keeps it running starts it in vain until there is room."""
    async with started(folder, LITTLE_WAL) as server:
        await asyncio.to_thread(server.stop)
        move_wal(server.data, disk)
        await asyncio.to_thread(server.start)
        await tell(server, "create database fund")
        async with running(server, kafka, topic_prefix, folder) as (fund, api, workers):
            keeper = Keeper(server)
            keeper.start()
            try:
                disk.fill()
                await fund.sent()
                await use_up_wal(server)
                for worker in workers:
                    await worker.says("database unavailable")
                await until(lambda: has_fault(api, "database_unavailable"), "health tells it")
                answer = await api.caller("auditor").get("/v1/trial-balance", area="152500")
                assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
                await until(lambda: starts_in_vain(server), "it is started in vain")
                disk.free()
                await fund.books.booked()
            finally:
                keeper.end()
                await asyncio.to_thread(keeper.join)


def move_wal(data: Path, disk: Disk) -> None:
    shutil.copytree(data / "pg_wal", disk.path, dirs_exist_ok=True)
    if run_as := unprivileged.run_as():
        for path in disk.path.rglob("*"):
            os.chown(path, run_as["user"], -1)
    shutil.rmtree(data / "pg_wal")
    (data / "pg_wal").symlink_to(disk.path)


async def use_up_wal(server: Postgres) -> None:
    """Until there is no segment left."""
    for _ in range(SWITCHES_MAX):
        try:
            await tell(server, "select pg_logical_emit_message(false, 'tests', 'x')", "select pg_switch_wal()")
        except connect.UNAVAILABLE:
            return
    raise AssertionError("there was room for all of it")


async def starts_in_vain(server: Postgres) -> bool:
    return server.log.read_text(encoding="utf-8").count("shutting down due to startup process failure") > 1


# -- temporary files


async def test_without_room_for_temporary_files_a_claim_that_needs_them_waits_and_the_books_go_on(
    kafka: Kafka, topic_prefix: str, folder: Path, disk: Disk
) -> None:
    async with started(folder, LITTLE_MEMORY) as server:
        await tell(server, f"create tablespace small location '{disk.path}'", "create database fund",
                   "grant create on tablespace small to public")  # fmt: skip
        async with running(server, kafka, topic_prefix, folder) as (fund, api, workers):
            await fund.took(fund.flooded)
            disk.fill()
            await fund.flood_claimed()
            _, clearing = workers
            await until(lambda: is_full(clearing), "the worker says why it stops")
            await fund.sent()
            assert (await api.caller("auditor").get("/v1/trial-balance", area="152500")).status_code == 200
            await until(lambda: has_fault(api), "the books are well")
            assert await fund.books.value("select count(*) from clearing.claims") == LANES
            disk.free()
            await fund.books.booked()
            assert await fund.books.value("select count(*) from clearing.claims") == 2 * LANES
