"""What tests share: one broker and one database server per session, started when the first test asks for them.

A test gets a database and topics of its own, so tests neither see nor wait for each other.
"""

import itertools
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from clearing.__main__ import MIGRATIONS as OF_CLEARING
from direct_pay.__main__ import MIGRATIONS as OF_DIRECT_PAY
from ledger.__main__ import MIGRATIONS as OF_LEDGER
from medfund.lanes.settings import NOBODY
from medfund.local import prepare
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.local.server import Process
from medfund.postgres import connect, migrate
from medfund.postgres.provision import ROLES

LANES = 4
PASSWORDS = {role: secrets.token_urlsafe(12) for role in ROLES}
SESSION = "medfund-test-"
TEMPLATE = "services_template"
SERVICES = {"ledger": OF_LEDGER, "clearing": OF_CLEARING, "direct_pay": OF_DIRECT_PAY}
FORGETFUL = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
"""A broker that was killed comes back when its last session has ended: for tests that kill it, soon."""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """A database with the schemas of all services, migrated and empty; a test may add that of another service."""

    name: str
    admin: str
    """The superuser's DSN."""

    def dsn(self, role: str, service: str = "ledger") -> str:
        """For one of `owner`, `worker`, `api`, `bank`, `reader`."""
        return prepare.dsn(self.admin, user=f"{service}_{role}", password=PASSWORDS[role])


def pytest_sessionstart() -> None:
    """A session that is told to end stops its servers, as it does after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def clear_dead_sessions() -> None:
    """Servers and folders of sessions that were killed before they could stop them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SESSION}*-*"):
        if Process.of(int(folder.name.removeprefix(SESSION).partition("-")[0])) is None:
            for pid_file in folder.rglob("*.pid"):
                if process := Process.kept_in(pid_file):
                    process.signal(signal.SIGKILL)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """A folder that Postgres's own user can reach, unlike pytest's."""
    clear_dead_sessions()
    folder = Path(tempfile.mkdtemp(prefix=f"{SESSION}{os.getpid()}-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(session_folder: Path) -> Path:
    """An empty folder for one test's servers."""
    made = session_folder / str(next(_numbers))
    made.mkdir(mode=0o755)
    return made


@pytest.fixture(scope="session")
def kafka(session_folder: Path) -> Iterator[Kafka]:
    """The session's broker. A test that kills it starts it again."""
    server = Kafka(session_folder / "kafka")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres(session_folder: Path) -> Iterator[Postgres]:
    """The session's database server, which does not wait for the disk."""
    server = Postgres(session_folder / "postgres", settings={"fsync": "off", "full_page_writes": "off"})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def template(postgres: Postgres) -> str:
    return await of_services(postgres)


async def of_services(postgres: Postgres) -> str:
    """The name of a database with the schemas of all services, to copy from: a copy is made in a tenth of the time."""
    admin = await prepare.database(postgres.dsn(), TEMPLATE)
    for service, migrations in SERVICES.items():
        await prepare.roles(admin, service, PASSWORDS)
        owner = prepare.dsn(admin, user=f"{service}_owner", password=PASSWORDS["owner"])
        async with connect.connection(owner, name="tests") as connection:
            await migrate.migrate(connection, migrations)
    return TEMPLATE


@pytest.fixture
async def database(postgres: Postgres, template: str) -> AsyncIterator[Database]:
    """A fresh database for one test."""
    async with fresh_database(postgres, template) as made:
        yield made


@asynccontextmanager
async def fresh_database(postgres: Postgres, template: str) -> AsyncIterator[Database]:
    """A database of its own for whoever asks, as long as it is needed."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    async with connect.connection(postgres.dsn(), name="tests") as server:
        await server.execute(f"create database {name} template {template} strategy file_copy")
    admin = postgres.dsn(name)
    # What a role may do in a database, and where it looks for tables, is not copied with the template.
    for service in SERVICES:
        await prepare.roles(admin, service, PASSWORDS)
    yield Database(name, admin)
    async with connect.connection(postgres.dsn(), name="tests") as server:
        await server.execute(f"drop database {name} with (force)")


@pytest.fixture
async def topic_prefix(kafka: Kafka) -> str:
    """The prefix of a test's own topics, one per family with `LANES` partitions."""
    return await fresh_topics(kafka)


async def fresh_topics(kafka: Kafka) -> str:
    """Topics of one's own; their prefix."""
    prefix = f"test-{next(_numbers)}"
    await prepare.topics(kafka.address, prefix=prefix, lanes=LANES, identity=NOBODY)
    return prefix
