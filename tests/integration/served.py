"""The APIs with real books behind them: a broker, a database, a worker that books, and callers of every role."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI

from ledger.api.app import create
from ledger.service import Ledger
from ledger.settings import ApiSettings
from medfund.events.envelope import Envelope, to_json
from medfund.http import tokens
from medfund.lanes import partition
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.settings import NOBODY
from medfund.lanes.worker import Leases, Worker
from tests.conftest import LANES, Database
from tests.events import Message

BOOKED_S = 30


@dataclass(frozen=True)
class Caller:
    """Somebody with a token."""

    client: httpx.AsyncClient
    token: str

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self.client.get(path, params=given, headers=self.headers)

    async def answer(self, path: str, **parameters: Any) -> dict[str, Any]:
        response = await self.get(path, **parameters)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def post(self, content: bytes, *, type: str = "application/cloudevents+json") -> httpx.Response:
        return await self.client.post("/v1/events", content=content, headers={**self.headers, "content-type": type})

    async def command(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.headers)

    async def publish(self, *messages: Message) -> list[str]:
        """Publish as one batch; the positions."""
        response = await self.post(lines(messages), type="application/x-ndjson")
        assert response.status_code == 202, response.text
        return [event["position"] for event in response.json()["events"]]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Api:
    app: FastAPI
    client: httpx.AsyncClient
    keys: tokens.Keys
    database: Database
    bootstrap: str
    prefix: str
    service: str = "ledger"

    def caller(
        self,
        role: str,
        *,
        areas: Sequence[str] = ("*",),
        organisations: Sequence[str] = ("*",),
        sources: Sequence[str] = ("*",),
        subject: str = "",
    ) -> Caller:
        token = tokens.issue(
            tokens.load_key(self.keys.private),
            role=role,
            areas=areas,
            organisations=organisations,
            sources=sources if role == "publisher" else (),
            subject=subject or f"test-{role}",
            ttl_s=3600,
        )
        return Caller(self.client, token)

    async def booked(self, positions: Iterable[str]) -> None:
        """Wait until the worker has booked these positions."""
        furthest: dict[tuple[str, str], int] = {}
        for position in positions:
            topic, lane, offset = position.split(":")
            furthest[topic, lane] = max(int(offset), furthest.get((topic, lane), -1))
        async with asyncio.timeout(BOOKED_S):
            for (topic, lane), offset in furthest.items():
                while (await self._next_offset(topic, int(lane))) <= offset:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    async def _next_offset(self, topic: str, lane: int) -> int:
        rows = await self.app.state.context.database.rows(
            "select next_offset from positions where lane = $1 and topic = $2", lane, topic
        )
        return rows[0]["next_offset"] if rows else 0

    async def append(self, *messages: Message, lane: int | None = None) -> list[str]:
        """Put records on the log as they are, unchecked; the positions."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            return [await self._append(producer, message, lane) for message in messages]
        finally:
            await producer.stop()

    async def _append(self, producer: AIOKafkaProducer, message: Message, lane: int | None) -> str:
        place = partition.lane_of(message.key or b"", LANES) if lane is None else lane
        done = await producer.send_and_wait(
            f"{self.prefix}.{message.topic}",
            message.value,
            key=message.key,
            partition=place,
            headers=list(message.headers),
        )
        return f"{message.topic}:{place}:{done.offset}"

    async def hears(self, *registrations: Message) -> None:
        """The lanes know these sources, though no worker has told them."""
        for message in registrations:
            lane = partition.lane_of(message.key or b"", LANES)
            row = "insert into sources values ($1, (select count(*) from sources), now(), 'source.registered.v1', $2)"
            await self.superuser(row, lane, (message.value or b"").decode())

    async def superuser(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database.admin)
        try:
            await connection.execute(f"set search_path = {self.service}")
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()


def document(message: Message) -> bytes:
    """A record as one CloudEvent in structured form."""
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in message.headers}
    members = {name: attributes[name] for name in ("id", "source", "type", "time")}
    return to_json(Envelope(**members, data=message.value or b"null"))


def lines(messages: Iterable[Message]) -> bytes:
    return b"\n".join(map(document, messages))


@asynccontextmanager
async def serving(
    database: Database, bootstrap: str, prefix: str, keys_folder: Path, *, lanes: int = LANES
) -> AsyncIterator[Api]:
    """The API in this process, without a worker."""
    keys = tokens.make_keys(keys_folder)
    settings = api_settings(database, bootstrap, prefix, keys, lanes=lanes)
    app = create(settings)
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(transport=transport, base_url="http://ledger", timeout=30)
    async with app.router.lifespan_context(app), client:
        yield Api(app, client, keys, database, bootstrap, prefix)


def api_settings(
    database: Database, bootstrap: str, prefix: str, keys: tokens.Keys, *, lanes: int = LANES
) -> ApiSettings:
    return ApiSettings.model_validate(
        {
            "kafka_bootstrap": bootstrap,
            "MEDFUND_LANES": lanes,
            "MEDFUND_TOPIC_PREFIX": prefix,
            "LEDGER_API_DSN": database.dsn("api"),
            "MEDFUND_TOKEN_PUBLIC_KEY": keys.public,
            "LEDGER_API_POOL": 4,
        }
    )


@asynccontextmanager
async def booking(database: Database, bootstrap: str, prefix: str) -> AsyncIterator[None]:
    """A worker that books, until it is not needed any more."""
    log = KafkaLog(bootstrap, prefix=prefix, identity=NOBODY)
    worker = Worker(
        service=Ledger(lanes=LANES, prefix=prefix),
        log=log,
        lane_dsn=lambda lane: database.dsn("worker"),
        name=f"worker of {database.name}",
        lanes=LANES,
        limits=Limits(pace_s=0.0),
        leases=Leases(renew_s=0.5),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running
        await log.close()
