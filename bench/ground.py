"""The ground that is measured on: an own broker, an own database (fsync on), a backlog, and workers as processes."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from medfund.lanes.settings import NOBODY
from medfund.local import prepare, trial
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.local.services import SERVICES, variable
from medfund.postgres import connect
from medfund.postgres.provision import ROLES

LANES = 12
LOOK_S = 0.05
PREFIX = "medfund"
KEPT = ("schema_migrations", "lanes", "workers")
SHARED = """select count(*) = $1 and max(held) <= $2 and sum(held) = $3
from (select count(*) as held from lanes where leased_until > now() group by instance) as each"""
RELEASED = "delete from workers; update lanes set batches = 0, leased_until = null"


@dataclass
class Ground:
    folder: Path
    passwords: dict[str, str] = field(default_factory=lambda: {role: secrets.token_urlsafe(16) for role in ROLES})
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.kafka = Kafka(self.folder / "kafka")
        self.postgres = Postgres(self.folder / "postgres")

    async def start(self) -> None:
        signal.signal(signal.SIGTERM, _end)  # whoever stops a measurement stops its servers, too
        self.kafka.start()
        self.postgres.start()
        await prepare.topics(self.kafka.address, prefix=PREFIX, lanes=LANES, identity=NOBODY)
        await prepare.opened(self.kafka.address, prefix=PREFIX, lanes=LANES, registry=trial.registry(), identity=NOBODY)
        self.admin = await prepare.database(self.postgres.dsn(), "bench")
        for service in SERVICES:
            await prepare.roles(self.admin, service, self.passwords)
            self.run("-m", service, "migrate")

    def stop(self) -> None:
        self.kafka.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        dsns = {
            variable(service, role): prepare.dsn(self.admin, user=f"{service}_{role}", password=self.passwords[role])
            for service in SERVICES
            for role in ROLES
        }
        addresses = {"KAFKA_BOOTSTRAP": self.kafka.address, "MEDFUND_LANES": str(LANES), "MEDFUND_TOPIC_PREFIX": PREFIX}
        return {**os.environ, **addresses, **dsns, **self.extra}

    def run(self, *arguments: str) -> str:
        """A command of ours, to its end; its standard output."""
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True, timeout=1800
        )
        return done.stdout

    @contextmanager
    def processes(self, commands: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Our programs, running until the block ends."""
        log = (self.folder / "processes.log").open("ab")
        started = [
            subprocess.Popen([sys.executable, *command], env={**self.environment, "WORKER_NAME": f"bench-{number}"},
                             stdout=log, stderr=log)
            for number, command in enumerate(commands)
        ]  # fmt: skip
        try:
            yield started
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(timeout=30)
            log.close()

    def workers(
        self, count: int, *, service: str = "ledger"
    ) -> AbstractContextManager[Sequence[subprocess.Popen[bytes]]]:
        return self.processes([("-m", service, "work")] * count)

    def database_s(self) -> float:
        """Processor time of the database so far."""
        server = self.postgres.pid
        assert server
        children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="utf-8").split()
        return sum(map(_processor_s_if_any, [server, *map(int, children)]))

    async def connect(self, service: str = "ledger") -> asyncpg.Connection:
        """As the administrator, in the tables of a service."""
        connection = await connect.opened(self.admin, timeout=30)
        await connection.execute(f"set search_path = {service}")
        return connection

    async def publish_city(self, *, scale: str) -> int:
        """A backlog of one month of a city; how many settlements there are."""
        events = self.folder / "city.jsonl"
        self.run("-m", "medfund.cli", "city", "--profile", "jincheng", "--scale", scale, "--out", str(events), "--json")
        self.run("-m", "medfund.cli", "publish", str(events), "--json")
        with events.open("rb") as lines:
            count = sum(1 for line in lines if b'"settlement.recorded.v1"' in line)
        events.unlink()
        return count

    async def empty_books(self, service: str = "ledger") -> None:
        """As if a service had read nothing yet."""
        connection = await self.connect(service)
        query = "select tablename from pg_tables where schemaname = $1 and tablename <> all($2)"
        tables = [row[0] for row in await connection.fetch(query, service, KEPT)]
        await connection.execute(f"truncate {', '.join(tables)}; {RELEASED}")
        await connection.execute("checkpoint")
        await connection.close()


async def booked(connection: asyncpg.Connection) -> int:
    """How many records of claims a service has ended."""
    query = "select coalesce(sum(next_offset - start_offset), 0) from positions where topic = 'claims'"
    return int(await connection.fetchval(query))


async def none_refused(connection: asyncpg.Connection) -> None:
    """What is refused costs something else than what is booked, and was not to be measured. Raises `AssertionError`."""
    reasons = await connection.fetch("select reason, count(*) from quarantine group by reason")
    assert not reasons, reasons


@dataclass
class Pace:
    """How fast a count grew between its first movement and its end."""

    per_second: float
    seconds: float


async def pace(count: Callable[[], Awaitable[int]], *, until: int, limit_s: float = 600.0) -> Pace:
    """Watch an async counter; start-up does not count, the last event does."""
    first: tuple[float, int] | None = None
    deadline = time.perf_counter() + limit_s
    while time.perf_counter() < deadline:
        now, done = time.perf_counter(), await count()
        if done and first is None:
            first = (now, done)
        if done >= until:
            assert first
            seconds = now - first[0]
            return Pace((done - first[1]) / seconds, seconds)
        await asyncio.sleep(0.05)
    raise TimeoutError(f"only {await count()} of {until} after {limit_s} s")


def _end(*_: object) -> None:
    raise SystemExit(143)


async def until(tables: asyncpg.Connection, query: str, *values: Any, limit_s: float) -> None:
    """Wait until what was asked is so. Raises `TimeoutError`."""
    deadline = time.monotonic() + limit_s
    while not await tables.fetchval(query, *values):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not after {limit_s:.0f} s: {query}")
        await asyncio.sleep(LOOK_S)


async def shared(tables: asyncpg.Connection, workers: int, *, limit_s: float) -> None:
    """Wait until every worker has its share of the lanes: the first takes all, and gives back one by one."""
    await until(tables, SHARED, workers, -(-LANES // workers), LANES, limit_s=limit_s)


def processor_s(pid: int) -> float:
    """Processor time of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _processor_s_if_any(pid: int) -> float:
    """Nothing of one that ended since it was listed: its parent counts it."""
    try:
        return processor_s(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def peak_mib(process: subprocess.Popen[bytes]) -> float:
    """The most memory that a running process has held."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
