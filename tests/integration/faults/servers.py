"""Postgres servers that stand in for one another, and the name under which clients reach whichever is in charge."""

import asyncio
import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from medfund.local import postgres, prepare, unprivileged
from medfund.local.postgres import Postgres
from medfund.local.unprivileged import RunAs
from medfund.postgres import connect
from tests.conftest import PASSWORDS
from tests.integration.proxy import Switch, through
from tests.integration.workers import until

OPERATORS = Path(__file__).parents[3] / "docs" / "operators.md"
PROGRAM_LIMIT_S = 120
# A kill -9 takes nothing from what was written to files, so nothing has to wait for the disk.
SETTINGS = {"fsync": "off", "shared_buffers": "32MB", "wal_log_hints": "on", "wal_keep_size": "256MB"}


class Standby(Postgres):
    """Made as a copy of its primary, which it follows until it is promoted."""

    def __init__(self, folder: Path, primary: Postgres, settings: Mapping[str, str] = SETTINGS) -> None:
        super().__init__(folder, settings=settings)
        self.primary = primary

    @property
    def password(self) -> str:
        return self.primary.password

    @property
    def follows(self) -> str:
        """How the primary is reached, and what it calls this one."""
        return f"{self.primary.dsn()}?application_name={self.name_there}"

    @property
    def name_there(self) -> str:
        return self.folder.name.replace("-", "_")

    def _make_cluster(self, programs: Path, run_as: RunAs) -> None:
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if run_as:
            os.chown(data, run_as["user"], -1)
        as_told("pg_basebackup", STANDBY_DATA=str(data), PRIMARY=self.follows)


def run(program: str, *arguments: str) -> None:
    """A program of Postgres, as the user that the servers run as."""
    run_as = unprivileged.run_as()
    done = subprocess.run(
        [str(postgres.find_programs(run_as) / program), *arguments],
        cwd="/", env=postgres.environment(), **run_as, capture_output=True, text=True, check=False,
        timeout=PROGRAM_LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, f"{program}: {done.stderr}"


def as_told(program: str, **places: str) -> None:
    """What the page for operators tells to type, at these places."""
    [line] = [line for line in _told() if line.startswith(f"{program} ")]
    _, *arguments = shlex.split(Template(line).substitute(places))
    run(program, *arguments)


def _told() -> list[str]:
    return [line.strip() for line in OPERATORS.read_text(encoding="utf-8").splitlines()]


async def ask(server: Postgres, query: str, *values: object, database: str = "postgres") -> Any:
    """One value, from one server, whatever it is now."""
    async with connect.connection(server.dsn(database), name="tests") as connection:
        return await connection.fetchval(query, *values)


async def tell(server: Postgres, *statements: str) -> None:
    """Statements that no transaction may hold."""
    async with connect.connection(server.dsn(), name="tests") as connection:
        for statement in statements:
            await connection.execute(statement)


@dataclass
class Pair:
    """A primary, its standby, and the address that leads to the one in charge. `database` is what clients use."""

    folder: Path
    database: str
    synchronous: bool
    primary: Postgres
    standby: Standby
    switch: Switch
    servers: list[Postgres] = field(default_factory=list)

    @property
    def admin(self) -> str:
        """The superuser's DSN through the switch."""
        return prepare.dsn(self.switch.here, database=self.database)

    async def follow(self) -> None:
        """The standby has all that the primary has, and the primary waits for it from now on where it shall."""
        self.standby = Standby(self.folder / f"server-{len(self.servers)}", self.primary)
        self.servers.append(self.standby)
        await asyncio.to_thread(self.standby.start)
        await until(self._streams, "the standby follows")
        if self.synchronous:
            [wait] = [line for line in _told() if line.startswith("alter system set synchronous_standby_names")]
            names = Template(wait).substitute(STANDBY_NAME=self.standby.name_there)
            await tell(self.primary, names, "select pg_reload_conf()")
            await until(self._waits_for_it, "the primary waits for its standby")

    async def _streams(self) -> bool:
        return bool(await ask(self.primary, "select count(*) from pg_stat_replication where state = 'streaming'"))

    async def _waits_for_it(self) -> bool:
        return bool(await ask(self.primary, "select count(*) from pg_stat_replication where sync_state = 'sync'"))

    async def stop_shipping(self) -> None:
        """The standby hears nothing more of its primary."""
        await tell(self.standby, "alter system set primary_conninfo = ''", "select pg_reload_conf()")
        await until(self._hears_nothing, "the standby hears nothing")

    async def _hears_nothing(self) -> bool:
        return not await ask(self.standby, "select count(*) from pg_stat_wal_receiver")

    async def kill_primary(self) -> Postgres:
        """As a power cut would, with all its processes; what is left of it."""
        dead = self.primary
        await asyncio.to_thread(dead.kill)
        await asyncio.to_thread(postgres.end_orphans, dead.data)
        return dead

    async def promote(self) -> None:
        """The standby is in charge, and clients that connect from now on reach it."""
        await asyncio.to_thread(as_told, "pg_ctl", STANDBY_DATA=str(self.standby.data))
        self.primary = self.standby
        self.switch.dsn = self.primary.dsn()

    async def rejoin(self, old: Postgres) -> None:
        """What was the primary follows the one that is; what it alone had is gone."""
        await asyncio.to_thread(old.stop)
        rewinder = self.primary.dsn(user="rewinder", password="rewinds")
        await asyncio.to_thread(as_told, "pg_rewind", OLD_DATA=str(old.data), PRIMARY=rewinder)
        await asyncio.to_thread(old.start)
        await until(self._streams, "the old primary follows")

    def end(self) -> None:
        for server in self.servers:
            server.kill()
            postgres.end_orphans(server.data)


@asynccontextmanager
async def pair(folder: Path, database: str, *, synchronous: bool) -> AsyncIterator[Pair]:
    """Two servers with an empty database of all services."""
    primary = Postgres(folder / "server-0", settings=SETTINGS)
    await asyncio.to_thread(primary.start)
    async with through(Switch(primary.dsn())) as switch:
        made = Pair(folder, database, synchronous, primary, Standby(folder / "none", primary), switch, [primary])
        try:
            granted = [line for line in _told() if line.startswith("grant execute on function")]
            await tell(primary, "create role rewinder login replication password 'rewinds'", *granted)
            admin = await prepare.database(primary.dsn(), database)
            await prepare.roles(admin, "ledger", PASSWORDS)
            yield made
        finally:
            await asyncio.to_thread(made.end)
