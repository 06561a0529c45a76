"""A fund whose log is Kafka and whose services are processes: `tests.fund` as it is in production."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from clearing.__main__ import MIGRATIONS
from clearing.service import Clearing
from medfund.local import postgres, prepare
from medfund.local.unprivileged import run_as
from medfund.postgres import connect, migrate
from tests.conftest import LANES, PASSWORDS, Database
from tests.events import Message
from tests.fund import Fund
from tests.integration.workers import Books

FAMILIES = (Clearing.own, *Clearing.facts)
"""What the clearing service reads."""


@dataclass
class WorkingFund(Fund):
    """The provider of one lane. What is put is sent when somebody waits for what became of it."""

    lanes: int = LANES
    books: Books = field(kw_only=True)
    unsent: list[Message] = field(default_factory=list)

    def put_message(self, message: Message) -> None:
        self.unsent.append(message)

    async def drain(self) -> None:
        """Both services have read everything, and nothing waits to be written to the log."""
        await send([self])
        await self.books.booked()

    async def decided(self, *types: str) -> list[dict[str, Any]]:
        await self.drain()
        found = {id_of(record): record for record in await self.copies()}
        events = [{"type": type_of(record), **msgspec.json.decode(record.value)} for record in found.values()]
        return [event for event in events if not types or event["type"] in types]

    async def copies(self) -> Sequence[Any]:
        """Every decision of this lane as it stands on the log; a repeated delivery counts again."""
        return [record for record in await self.books.records("clearing") if record.partition == self.lane]


async def send(funds: Sequence[WorkingFund]) -> None:
    """What was put to any of them goes to the log."""
    waiting = [fund for fund in funds if fund.unsent]
    if waiting:
        async with waiting[0].books.producing() as producer:
            for fund in waiting:
                messages, fund.unsent = fund.unsent, []
                await fund.books.send(producer, messages, lane=fund.lane)


def id_of(record: Any) -> str:
    return str(dict(record.headers)["ce_id"].decode())


def type_of(record: Any) -> str:
    return str(dict(record.headers)["ce_type"].decode().removesuffix(".v1"))


async def with_clearing(database: Database) -> None:
    """The clearing service's schema and roles beside the ledger's."""
    await prepare.roles(database.admin, "clearing", PASSWORDS)
    async with connect.connection(database.dsn("owner", "clearing"), name="tests") as connection:
        await migrate.migrate(connection, MIGRATIONS)


async def without_clearing(database: Database) -> None:
    """As if the service had never run on this database."""
    async with connect.connection(database.admin, name="tests") as connection:
        await connection.execute("drop schema clearing cascade")


async def kept(database: Database) -> bytes:
    """A backup of the clearing service's schema."""
    return await program("pg_dump", "--schema=clearing", "--format=custom", f"--dbname={database.admin}")


async def restored(database: Database, backup: bytes) -> None:
    """What a backup holds, where nothing is."""
    await program("pg_restore", "--exit-on-error", f"--dbname={database.admin}", given=backup)


async def program(name: str, *arguments: str, given: bytes = b"") -> bytes:
    """A program of Postgres; what it writes."""
    process = await asyncio.create_subprocess_exec(
        postgres.find_programs(run_as()) / name,
        *arguments,
        env=postgres.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(given)
    assert process.returncode == 0, errors.decode()
    return output
