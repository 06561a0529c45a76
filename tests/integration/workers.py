"""Real worker processes on books of a test's own, and what must hold once the faults are over.

`Books` remembers what was published. `hold` drains, proves the books, and compares them with that: the identities that
took effect are exactly those that were to be accepted, and each provider is owed by each fund what was published.
"""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from ledger import verify
from ledger.__main__ import MIGRATIONS
from ledger.service import TOPICS, Ledger
from medfund import money
from medfund.events import envelope
from medfund.lanes import partition
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.settings import NOBODY
from medfund.local import prepare
from medfund.local.postgres import Postgres
from medfund.local.server import Process, tail
from medfund.postgres import connect, migrate
from tests import events
from tests.conftest import LANES, PASSWORDS, Database
from tests.events import Message
from tests.integration import child

LIMIT_S = 60.0
"""Nothing in a test waits longer; what holds is seen much earlier."""
POLL_S = 0.03
MiB = 1 << 20
# Short leases, so that a successor need not wait; small batches, so that a hundred events pass every point many times.
SETTINGS = {"LEASE_S": "1.5", "RENEW_S": "0.3", "BATCH_RECORDS_MAX": "20", "LINGER_MS": "0", "STOPPED_LANE_S": "0.5"}
FUNDS = ("310100", "390100", "390200", "610100")
AWAY = (*connect.UNAVAILABLE, KafkaError)


async def until(
    holds: Callable[[], Awaitable[object]], what: str, *, limit_s: float = LIMIT_S, patient: bool = False
) -> None:
    """Poll until something holds. `patient`: a server that is away is not asked in vain, but asked again.

    A poll counts for a second at most: a machine that stood still for a while did not have its time.
    """
    waited_s = 0.0
    while waited_s < limit_s:
        began = time.monotonic()
        last: object
        try:
            if last := await holds():
                return
        except AWAY as error:
            if not patient:
                raise
            last = error
        await asyncio.sleep(POLL_S)
        waited_s += min(time.monotonic() - began, 1.0)
    raise AssertionError(f"not within {limit_s:.0f} s: {what} (last: {last!r})")


@dataclass
class Books:
    """A database and topics of one's own, and what was written to them."""

    database: Database
    bootstrap: str
    prefix: str
    folder: Path
    accepted: dict[bytes, Message] = field(default_factory=dict)
    """What is to take effect, by identity."""
    refusals: int = 0
    services: dict[str, Sequence[str]] = field(default_factory=lambda: {"ledger": TOPICS})
    """Those whose workers run, and the families that each reads."""
    workers: list["WorkerProcess"] = field(default_factory=list)

    # -- publishing

    async def publish(self, messages: Iterable[Message], *, refused: bool = False, lane: int | None = None) -> None:
        """Append to the log as publishers do, and remember what is to become of it. A repeat may be given again."""
        given = list(messages)
        async with self.producing() as producer:
            await self.send(producer, given, lane=lane)
        self.expect(given, refused=refused)

    def expect(self, messages: Iterable[Message], *, refused: bool = False) -> None:
        for message in messages:
            if refused:
                self.refusals += 1
            else:
                self.accepted.setdefault(identity(message), message)

    @asynccontextmanager
    async def producing(self, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
        settings = {"enable_idempotence": True, "acks": "all", **settings}
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=24 * MiB, **settings)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def send(
        self, producer: AIOKafkaProducer, messages: Iterable[Message], *, lane: int | None = None
    ) -> list[RecordMetadata]:
        """Append by a producer of one's own; where each went. Sources go first: a word counts from the moment at which
        its source was registered."""
        given = list(messages)
        if first := [message for message in given if events.is_of_sources(message)]:
            later = [message for message in given if not events.is_of_sources(message)]
            return [*await self._sent(producer, first, lane), *await self._sent(producer, later, lane)]
        return await self._sent(producer, given, lane)

    async def _sent(
        self, producer: AIOKafkaProducer, messages: Sequence[Message], lane: int | None
    ) -> list[RecordMetadata]:
        sent = [
            await producer.send(
                f"{self.prefix}.{message.topic}",
                message.value,
                key=message.key,
                partition=partition.lane_of(message.key or b"", LANES) if lane is None else lane,
                headers=list(message.headers),
            )
            for message in messages
        ]
        return list(await asyncio.gather(*sent))

    # -- workers

    def start(
        self,
        name: str = "worker",
        settings: Mapping[str, str] = {},
        *,
        service: str = "ledger",
        memory_max: int | None = None,
    ) -> "WorkerProcess":
        """A worker process. Settings are its environment: `CRASH_AT`, `LEDGER_WORKER_DSN`, ..."""
        worker = WorkerProcess(self, service, name, settings, memory_max)
        self.workers.append(worker)
        return worker

    @contextmanager
    def working(self, name: str = "worker", *, service: str = "ledger", **settings: str) -> Iterator["WorkerProcess"]:
        worker = self.start(name, settings, service=service)
        try:
            yield worker
        finally:
            worker.end()

    # -- looking

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """As the superuser, who sees every row."""
        async with connect.connection(self.database.admin, name="tests", settings={"search_path": "ledger"}) as look:
            return await look.fetch(query, *values)

    async def value(self, query: str, *values: object) -> Any:
        [row] = await self.rows(query, *values)
        return row[0]

    async def owners(self) -> dict[int, str | None]:
        """Who holds each lane by a lease that runs."""
        query = "select lane, case when leased_until > now() and stopped_reason is null then owner end from lanes"
        return {row[0]: row[1] for row in await self.rows(query)}

    async def stopped(self, service: str = "ledger") -> dict[int, str]:
        query = f"select lane, stopped_reason from {service}.lanes where stopped_reason is not null"  # noqa: S608
        return {row[0]: row[1] for row in await self.rows(query)}

    async def positions(self, service: str = "ledger") -> dict[tuple[str, int], int]:
        query = f"select topic, lane, next_offset from {service}.positions"  # noqa: S608
        return {(row[0], row[1]): row[2] for row in await self.rows(query)}

    async def identities(self) -> set[bytes]:
        """What took effect, but for the service's own events."""
        return {row[0] for row in await self.rows("select identity from identities where topic <> 'ledger'")}

    async def owed(self) -> dict[tuple[str, str], int]:
        """What the books say that providers are owed, by provider and fund."""
        query = """
            select party, fund, sum(credit - debit)::bigint from buckets where account = '2100'
            group by party, fund having sum(credit - debit) <> 0"""
        return {(row[0], row[1]): row[2] for row in await self.rows(query)}

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """The refusals on the service's own topic: id and content."""
        return [
            (dict(record.headers)["ce_id"].decode(), msgspec.json.decode(record.value or b""))
            for record in await self.records("ledger")
        ]

    async def records(self, topic: str) -> list[Any]:
        async with self._consumer() as consumer:
            places = [TopicPartition(f"{self.prefix}.{topic}", lane) for lane in range(LANES)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            found: list[Any] = []
            while [p for p in places if await consumer.position(p) < ends[p]]:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    found += records
        return found

    # -- what must hold

    async def booked(self, *, limit_s: float = LIMIT_S) -> None:
        """Wait until everything on the log is booked, and nothing waits to be written to it."""
        await until(self.is_booked, "everything booked", limit_s=limit_s, patient=True)

    async def is_booked(self) -> bool:
        async with self._consumer() as consumer:
            ends = await self._ends(consumer)
            for service, topics in self.services.items():
                wanted = {place: end for place, end in ends.items() if place[0] in topics}
                waiting = f"select count(*) from {service}.outbox"  # noqa: S608
                if await self.positions(service) != wanted or await self.value(waiting):
                    return False
            return ends == await self._ends(consumer)

    async def _ends(self, consumer: AIOKafkaConsumer) -> dict[tuple[str, int], int]:
        places = {TopicPartition(f"{self.prefix}.{topic}", lane): (topic, lane) for topic in TOPICS
                  for lane in range(LANES)}  # fmt: skip
        consumer.assign(list(places))  # it learns about all topics at once
        return {places[place]: end for place, end in (await consumer.end_offsets(list(places))).items()}

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_wait_ms=20,  # a question behind a fetch waits until the fetch is answered
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()

    async def hold(self, *, limit_s: float = LIMIT_S) -> verify.Report:
        """Drain with the workers that run; then everything accepted counts once, in number and in money."""
        await self.booked(limit_s=limit_s)
        report = await self.proof()
        assert report.ok, report.problems
        assert await self.identities() == set(self.accepted), "ids applied are not the ids accepted"
        assert await self.owed() == owed(self.accepted.values())
        assert report.quarantined == self.refusals
        assert len({id for id, _ in await self.told()}) == self.refusals, "each refusal is told under one id"
        return report

    async def proof(self) -> verify.Report:
        log = KafkaLog(self.bootstrap, prefix=self.prefix, identity=NOBODY)
        service = Ledger(lanes=LANES, prefix=self.prefix)
        async with connect.connection(self.database.dsn("reader"), name="tests") as connection:
            return await verify.verify(connection, log, service, range(LANES))

    def end(self) -> None:
        for worker in self.workers:
            worker.end()


class WorkerProcess:
    """`python -m <service> work` with a log of its own."""

    def __init__(
        self, books: Books, service: str, name: str, settings: Mapping[str, str], memory_max: int | None
    ) -> None:
        self.name = name
        self.log = books.folder / f"{name}-{len(books.workers)}.log"
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP": books.bootstrap,
            f"{service.upper()}_WORKER_DSN": books.database.dsn("worker", service),
            "MEDFUND_LANES": str(LANES),
            "MEDFUND_TOPIC_PREFIX": books.prefix,
            "WORKER_NAME": name,
            **SETTINGS,
            **settings,
        }
        self.log.touch()
        self._child = child.start((service, "work"), environment=environment, log=str(self.log), memory_max=memory_max)

    @property
    def pid(self) -> int:
        assert self._child.pid
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.is_alive()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    async def exit_code(self, *, limit_s: float = LIMIT_S) -> int:
        """Wait until it ended; negative where a signal ended it."""
        await until(self._ended, f"{self.name} ends\n{tail(self.log)}", limit_s=limit_s)
        assert self._child.exitcode is not None
        return self._child.exitcode

    async def _ended(self) -> bool:
        return not self.alive

    async def is_stopped(self) -> None:
        """Wait until SIGSTOP took effect on all of it."""
        await until(self._stands_still, f"{self.name} is stopped")

    async def _stands_still(self) -> bool:
        return all(state == "T" for state in _states(self.pid))

    def lines(self) -> list[dict[str, Any]]:
        """Its log."""
        return [_json(line) for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of one kind."""
        return [line for line in self.lines() if line.get("event") == event]

    async def says(self, event: str, *, times: int = 1, limit_s: float = LIMIT_S, **members: object) -> dict[str, Any]:
        """Wait until it said something; the last of what it said."""
        found: list[dict[str, Any]] = []

        async def heard() -> bool:
            found[:] = [line for line in self.said(event) if members.items() <= line.items()]
            return len(found) >= times

        await until(heard, f"{self.name} says {event!r} {members}", limit_s=limit_s)
        return found[-1]

    def end(self) -> None:
        """At once, whatever it does."""
        self._child.kill()
        self._child.join(LIMIT_S)

    async def drain(self) -> None:
        """As an operator ends it."""
        self.signal(signal.SIGTERM)
        assert await self.exit_code() == 0, tail(self.log)


def _json(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _states(pid: int) -> list[str]:
    """What the threads of a process are doing."""
    stats = (thread / "stat" for thread in Path(f"/proc/{pid}/task").iterdir())
    return [stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] for stat in stats]


async def backends(books: Books, *, lane: int, state: str = "%") -> list[Process]:
    """The database's processes that serve a lane's connection."""
    query = """
        select pid from pg_stat_activity
        where datname = $1 and application_name like 'lane ' || $2 || ' %' and state like $3"""
    rows = await books.rows(query, books.database.name, str(lane), state)
    return [process for row in rows if (process := Process.of(row[0]))]


async def own_database(server: Postgres, name: str) -> Database:
    """The ledger's schema on a server of a test's own."""
    admin = await prepare.database(server.dsn(), name)
    await prepare.roles(admin, "ledger", PASSWORDS)
    database = Database(name, admin)
    async with connect.connection(database.dsn("owner"), name="tests") as connection:
        await migrate.migrate(connection, MIGRATIONS)
    return database


# -- what tests publish


def identity(message: Message) -> bytes:
    headers = dict(message.headers)
    return envelope.identity_of(headers["ce_source"], headers["ce_id"])


def owed(messages: Iterable[Message]) -> dict[tuple[str, str], int]:
    """What settlements and their reversals come to, by provider and fund, counted one by one."""
    sums: Counter[tuple[str, str]] = Counter()
    for message in messages:
        if message.topic == "claims":
            data = msgspec.json.decode(message.value or b"")
            for fund, amount in data["funds"].items():
                sums[data["provider"], fund] += money.fen(amount)
    return {key: amount for key, amount in sums.items() if amount}


def without_value(message: Message) -> Message:
    """The same, of which nothing can be booked."""
    return Message(message.topic, message.key, None, message.headers)


def hospitals(per_lane: int = 1) -> list[str]:
    return [code for lane in range(LANES) for code in events.providers(lane, LANES, per_lane)]


def registrations(providers: Sequence[str]) -> list[Message]:
    """Who may speak, and of whom."""
    return [
        *events.registry(range(LANES), LANES),
        *(events.registered(code, id=f"reg-{code}") for code in providers),
    ]


def settlements(providers: Sequence[str], count: int, *, name: str = "s") -> list[Message]:
    """`count` settlements for each provider; amounts, funds and days differ, and one in ten takes one back."""
    return [_settlement(provider, f"{name}-{provider}-{n}", n) for n in range(count) for provider in providers]


def _settlement(provider: str, id: str, n: int) -> Message:
    funds = {FUNDS[(n + k) % 4]: (n * 7919 + k * 104_729) % 900_000 + 1 for k in range(1 + n % 3)}
    reverses = events.reference("earlier") if n % 10 == 9 else None
    return events.settlement(
        provider, id=id, funds=funds, cash=n, reverses=reverses, service_date=f"2025-03-{n % 3 + 1:02}"
    )
