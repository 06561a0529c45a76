"""The lanes carry another service than the ledger: one that decides, in a schema of its own.

Its decisions go out through the outbox, under ids derived from their causes, and come back to it as echoes.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from clearing.settings import ApiSettings
from medfund.http import app, context, tokens
from medfund.http.api import Api
from medfund.http.database import MIGRATIONS
from medfund.http.tokens import Role
from medfund.lanes import partition, process
from medfund.lanes.decider import Decider
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.log import Decision
from medfund.lanes.settings import NOBODY
from medfund.lanes.worker import Leases, Worker
from medfund.local import prepare
from medfund.local.kafka import Kafka
from medfund.postgres import connect, migrate
from tests import events, halves, halving
from tests.conftest import LANES, PASSWORDS, Database
from tests.integration.workers import until


@pytest.fixture
async def halves_dsn(database: Database) -> str:
    """The second service's own schema beside the ledger's."""
    await prepare.roles(database.admin, "halves", PASSWORDS)
    owner = prepare.dsn(database.admin, user="halves_owner", password=PASSWORDS["owner"])
    async with connect.connection(owner) as connection:
        await migrate.migrate(connection, process.migrations_of(halves.__file__, MIGRATIONS))
        await connection.execute(halves.TABLES)
    return prepare.dsn(database.admin, user="halves_worker", password=PASSWORDS["worker"])


async def test_a_deciding_service_decides_once_tells_in_the_order_of_its_lane_and_knows_its_echoes(
    kafka: Kafka, topic_prefix: str, halves_dsn: str, database: Database
) -> None:
    log = KafkaLog(kafka.address, prefix=topic_prefix, identity=NOBODY)
    lane = 2
    [provider] = events.providers(lane, LANES, 1)
    messages = [events.settlement(provider, id=f"s-{n}", funds={"390100": n * 100_00}) for n in range(20)]
    registry = events.registry([lane], LANES)
    for some in (registry, [*messages, *messages[5:15]]):  # a source says nothing before it is registered
        await log.append(lane, [_decision_of(message) for message in some])

    stop = asyncio.Event()
    worker = Worker(
        Decider(halves.Halves(prefix=topic_prefix), lanes=LANES, prefix=topic_prefix),
        log, lambda _: halves_dsn, "halves", LANES,
        Limits(batch_records_max=7, pace_s=0), Leases(lease_s=2, renew_s=0.2),
    )  # fmt: skip
    working = asyncio.create_task(worker.run(stop))
    reader = await log.open_lane(lane, ["clearing"])

    async def done() -> bool:
        async with connect.connection(database.admin, settings={"search_path": "halves"}) as look:
            waiting = await look.fetchval("select count(*) from outbox")
            rows = await look.fetch("select topic, next_offset from positions where lane = $1", lane)
        return (
            dict(map(tuple, rows)) == {"agency": len(registry), "claims": 30, "bank": 0, "clearing": 18}
            and waiting == 0
        )

    await until(done, "everything is read, every decision is delivered and heard")
    stop.set()
    await working
    reader.seek({"clearing": 0})
    runs = await reader.read(limit=100, wait_s=5)
    await reader.close()
    await log.close()
    ids = [dict(record.headers)["ce_id"].decode() for run in runs for record in run.records]
    assert ids == [f"claims/{lane}/{offset}/{number}-2" for offset in range(11, 20) for number in (1, 2)]
    async with connect.connection(database.admin, settings={"search_path": "halves"}) as look:
        assert await look.fetchval("select count(*) from paid") == 18
        assert await look.fetchval("select count(*) from seen") == 20
        query = "select duplicate from positions where lane = $1 and topic = 'claims'"
        assert await look.fetchval(query, lane) == 10


async def test_what_a_second_service_is_asked_is_kept_said_and_followed(
    kafka: Kafka, topic_prefix: str, halves_dsn: str, database: Database, tmp_path: Path
) -> None:
    log = KafkaLog(kafka.address, prefix=topic_prefix, identity=NOBODY)
    lane = 0
    mine, other = events.providers(lane, LANES, 2)
    await log.append(lane, [_decision_of(message) for message in events.registry([lane], LANES)])
    service = Decider(halves.Halves(prefix=topic_prefix), lanes=LANES, prefix=topic_prefix)
    stop = asyncio.Event()
    worker = Worker(
        service, log, lambda _: halves_dsn, "halves", LANES, Limits(pace_s=0), Leases(lease_s=2, renew_s=0.2)
    )
    working = asyncio.create_task(worker.run(stop))
    dsn = prepare.dsn(database.admin, user="halves_api", password=PASSWORDS["api"])
    async with _asked(service, kafka.address, topic_prefix, dsn, tmp_path) as ask:
        asked = {"provider": mine, "number": "n-1", "amount": "4321.10"}
        given, again = [await ask(mine, "POST", "/v1/halvings", asked) for _ in range(2)]
        assert (given["kind"], given["source"]) == ("halve", "/halves/commands")
        assert again == given
        assert (await ask(mine, "POST", "/v1/halvings", {**asked, "amount": "4321.11"}))["code"] == "command_conflict"
        assert (await ask(other, "GET", given["look"]))["code"] == "not_found"

        async def became(state: str) -> bool:
            return (await ask(mine, "GET", given["look"]))["state"] == state  # type: ignore[no-any-return]

        await until(lambda: became("REFUSED"), "nobody has registered it as a source")
        assert (await ask(mine, "GET", given["look"]))["reason"] == "not_yours_to_say"
        key = partition.lane_key(lane, LANES)
        heard = events.source_registered("/halves/commands", "hospital", id="halves", key=key)
        await log.append(lane, [_decision_of(heard)])
        given = await ask(mine, "POST", "/v1/halvings", {**asked, "number": "n-2"})
        await until(lambda: became("DONE"), "the command is decided")
        told = await ask(mine, "GET", given["look"])
        assert [one["data"]["amounts"] for one in told["decisions"]] == [{"390100": "2160.55"}] * 2
        schemas = (await ask(mine, "GET", "/openapi.json"))["components"]["schemas"]
        assert schemas["Given"]["properties"]["kind"]["enum"] == ["halve"]
    async with connect.connection(database.admin, settings={"search_path": "halves"}) as look:
        rows = await look.fetch("select outcome from audit where operation = 'halve' order by id")
        assert [row["outcome"] for row in rows] == ["asked", "asked", "asked", "command_conflict", "asked"]
    stop.set()
    await working
    await log.close()


PROVIDERS = frozenset({Role.provider})
API = app.composed(Api(endpoints=(halving,), roles={"halve": PROVIDERS}, commands=(halving.KIND,)), outcomes=PROVIDERS)
Ask = Callable[..., Awaitable[dict[str, Any]]]


@asynccontextmanager
async def _asked(service: Decider[Any], bootstrap: str, prefix: str, dsn: str, folder: Path) -> AsyncIterator[Ask]:
    """Its API, asked by providers."""
    keys = tokens.make_keys(folder)
    settings = ApiSettings.model_validate({
        "kafka_bootstrap": bootstrap, "MEDFUND_LANES": LANES, "MEDFUND_TOPIC_PREFIX": prefix,
        "MEDFUND_TOKEN_PUBLIC_KEY": keys.public, "CLEARING_API_DSN": dsn,
    })  # fmt: skip
    here = context.made_of(settings, service=service, roles=API.roles, moves=lambda event: 0)
    made = app.create(title="halves", version="1", description="Halves", api=API, context=here)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://halves")

    async def ask(provider: str, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        token = tokens.issue(
            tokens.load_key(keys.private), role="provider", areas=[events.AREA], organisations=[provider], sources=(),
            subject="staff-1", ttl_s=600,
        )  # fmt: skip
        answer = await client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        told: dict[str, Any] = answer.json()
        return told

    async with made.router.lifespan_context(made), client:
        yield ask


async def test_an_operator_finds_what_waits_and_retries_it(
    kafka: Kafka, topic_prefix: str, halves_dsn: str, database: Database
) -> None:
    log = KafkaLog(kafka.address, prefix=topic_prefix, identity=NOBODY)
    lane = 1
    unlucky, other = events.providers(lane, LANES, 2)
    told = [events.settlement(unlucky, id=f"u-{n}", funds={"390100": 2000_00}) for n in range(3)]
    told += [events.settlement(other, id=f"o-{n}", funds={"390100": 2000_00}) for n in range(3)]
    for some in (events.registry([lane], LANES), told):
        await log.append(lane, [_decision_of(message) for message in some])
    broken = {events.reference("u-0")}
    stop = asyncio.Event()
    worker = Worker(
        Decider(halves.Halves(prefix=topic_prefix, broken=broken), lanes=LANES, prefix=topic_prefix),
        log, lambda _: halves_dsn, "halves", LANES, Limits(pace_s=0), Leases(lease_s=2, renew_s=0.2),
    )  # fmt: skip
    working = asyncio.create_task(worker.run(stop))

    async def paid(count: int) -> bool:
        async with connect.connection(database.admin, settings={"search_path": "halves"}) as look:
            return await look.fetchval("select count(*) from paid") == count  # type: ignore[no-any-return]

    await until(lambda: paid(6), "the other key is decided")
    environment = {"KAFKA_BOOTSTRAP": kafka.address, "MEDFUND_LANES": f"{LANES}", "MEDFUND_TOPIC_PREFIX": topic_prefix,
                   "CLEARING_WORKER_DSN": halves_dsn}  # fmt: skip
    [waiting] = await _told_by(environment, "parked")
    assert (waiting["key"], waiting["waiting"]) == (unlucky, 3)
    assert waiting["first"] == {"topic": "claims", "lane": lane, "offset": 0}
    broken.clear()
    assert await _told_by(environment, "retry", unlucky) == [{"key": unlucky, "appended": 3}]
    await until(lambda: paid(12), "what waited is decided")
    assert await _told_by(environment, "parked") == []
    assert await _told_by(environment, "retry", unlucky, code=1) == [{"key": unlucky, "appended": 0}]
    stop.set()
    await working
    await log.close()


async def test_what_waits_is_told_on_the_topic_of_the_service_whose_it_is(
    kafka: Kafka, topic_prefix: str, halves_dsn: str, database: Database
) -> None:
    log = KafkaLog(kafka.address, prefix=topic_prefix, identity=NOBODY)
    lane = 3
    unlucky, other = events.providers(lane, LANES, 2)
    told = [
        events.settlement(who, id=f"{who}-{n}", funds={"390100": 70_00}) for n in range(2) for who in (unlucky, other)
    ]
    for some in (events.registry([lane], LANES), told):
        await log.append(lane, [_decision_of(message) for message in some])
    rules = halves.Halves(prefix=topic_prefix, broken={events.reference(f"{unlucky}-0")}, own="direct-pay")
    stop = asyncio.Event()
    worker = Worker(
        Decider(rules, lanes=LANES, prefix=topic_prefix),
        log, lambda _: halves_dsn, "halves", LANES, Limits(pace_s=0), Leases(lease_s=2, renew_s=0.2),
    )  # fmt: skip
    working = asyncio.create_task(worker.run(stop))

    async def heard() -> bool:
        async with connect.connection(database.admin, settings={"search_path": "halves"}) as look:
            reached = await look.fetch("select topic, next_offset from positions where lane = $1", lane)
            seen = await look.fetchval("select count(*) from seen")
        return dict(map(tuple, reached)).get("direct-pay") == 1 and seen == 2

    await until(heard, "what was told of the key that waits came back")
    stop.set()
    await working
    reader = await log.open_lane(lane, ["clearing", "direct-pay"])
    reader.seek({"clearing": 0, "direct-pay": 0})
    [run] = await reader.read(limit=100, wait_s=5)
    await reader.close()
    await log.close()
    [record] = run.records
    said = {name: value.decode() for name, value in record.headers}
    assert (run.topic, said["ce_type"], said["ce_source"]) == ("direct-pay", "fact.parked.v1", "/halves")
    assert json.loads(record.value or b"")["key"] == unlucky


async def _told_by(environment: dict[str, str], *command: str, code: int = 0) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clearing", *command, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == code
    return [json.loads(line) for line in told.splitlines() if b'"level"' not in line]


def _decision_of(message: events.Message) -> Decision:
    told = {name: value.decode() for name, value in message.headers}
    return Decision(
        message.topic, message.key or b"", told["ce_source"], told["ce_id"], told["ce_type"], told["ce_time"],
        message.value or b"",
    )  # fmt: skip
