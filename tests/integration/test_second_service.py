"""The lanes carry another service than the ledger: one that decides, in a schema of its own.

Its decisions go out through the outbox, under ids derived from their causes, and come back to it as echoes.
"""

import asyncio
from pathlib import Path

import pytest

from medfund import lanes
from medfund.lanes.decider import Decider
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.log import Decision
from medfund.lanes.worker import Leases, Worker
from medfund.local import prepare
from medfund.local.kafka import Kafka
from medfund.postgres import connect, migrate
from tests import events, halves
from tests.conftest import LANES, PASSWORDS, Database
from tests.integration.workers import until


@pytest.fixture
async def halves_dsn(database: Database) -> str:
    """The second service's own schema beside the ledger's."""
    await prepare.roles(database.admin, "halves", PASSWORDS)
    owner = prepare.dsn(database.admin, user="halves_owner", password=PASSWORDS["owner"])
    async with connect.connection(owner) as connection:
        await migrate.migrate(connection, [Path(lanes.__file__).parent / "sql" / "migrations"])
        await connection.execute(halves.TABLES)
    return prepare.dsn(database.admin, user="halves_worker", password=PASSWORDS["worker"])


async def test_a_deciding_service_decides_once_tells_in_the_order_of_its_lane_and_knows_its_echoes(
    kafka: Kafka, topic_prefix: str, halves_dsn: str, database: Database
) -> None:
    log = KafkaLog(kafka.address, prefix=topic_prefix)
    lane = 2
    [provider] = events.providers(lane, LANES, 1)
    messages = [events.settlement(provider, id=f"s-{n}", funds={"390100": n * 100_00}) for n in range(20)]
    await log.append(lane, [_decision_of(message) for message in [*messages, *messages[5:15]]])

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
        return dict(map(tuple, rows)) == {"claims": 30, "bank": 0, "clearing": 18} and waiting == 0

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


def _decision_of(message: events.Message) -> Decision:
    told = {name: value.decode() for name, value in message.headers}
    return Decision(
        message.topic, message.key or b"", told["ce_source"], told["ce_id"], told["ce_type"], told["ce_time"],
        message.value or b"",
    )  # fmt: skip
