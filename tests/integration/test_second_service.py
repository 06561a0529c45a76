"""The lanes carry another service than the ledger: one that decides, in a schema of its own.

It holds every settlement above a limit, and answers each with a decision under an id derived from the cause.
"""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from medfund import lanes, money
from medfund.events import bulk
from medfund.events.codec import Accepted, Refused
from medfund.events.refusals import Reason
from medfund.events.reviews import PaymentHoldPlaced
from medfund.lanes import decisions
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.log import Decision, Record
from medfund.lanes.service import Effects
from medfund.lanes.worker import Leases, Worker
from medfund.local import prepare
from medfund.local.kafka import Kafka
from medfund.postgres import connect, migrate
from tests import events
from tests.conftest import LANES, PASSWORDS, Database
from tests.integration.workers import until

LIMIT = 1_000_00
TABLE = """
create table holds (lane smallint, hold_ref text, amount bigint not null, primary key (lane, hold_ref));
grant select, insert on holds to medfund_worker;
"""


class Holds:
    """The state of a lane is the number of its holds, which numbers the next one."""

    name = "holds"
    topics: Sequence[str] = ("claims",)
    references: Sequence[str] = ()
    lacking: Collection[Reason] = ()
    silent: Collection[str] = ()

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def decode(self, records: Sequence[Record], family: str) -> Sequence[Accepted | Refused]:
        return bulk.decode(records, family=family, lanes=LANES)

    async def load(self, connection: asyncpg.Connection, lane: int) -> dict[str, int]:
        return {"holds": await connection.fetchval("select count(*) from holds where lane = $1", lane)}

    def draft(self, state: dict[str, int]) -> dict[str, int]:
        return dict(state)

    def admit(self, draft: dict[str, int], event: Accepted) -> Refused | None:
        return None

    def apply(self, draft: dict[str, int], lane: int, fresh: Sequence[Accepted]) -> Effects:
        decided, rows = [], []
        for accepted in fresh:
            event: Any = accepted.event
            if money.fen(event.total) > LIMIT:
                draft["holds"] += 1
                reference = f"hold-{lane}-{draft['holds']}"
                rows.append((lane, reference, money.fen(event.total)))
                decided.append(self._decision(accepted, reference))
        return Effects(rows, decided)

    def _decision(self, accepted: Accepted, reference: str) -> Decision:
        event: Any = accepted.event
        hold = PaymentHoldPlaced(
            provider=event.provider, area=event.area, insured_area=event.insured_area, insutype=event.insutype,
            clr_type=event.clr_type, benefit_year=event.benefit_year, advanced=[], hold_ref=reference,
            payable_ref=f"{accepted.record.offset}", account="2102", amounts=event.funds, reason="too much",
            held_from=event.service_date,
        )  # fmt: skip
        record = accepted.record
        return decisions.decision(
            hold,
            key=record.key or b"",
            source="/holds",
            id=f"hold/{record.partition}/{record.offset}",
            time=decisions.time_of(record.timestamp),
        )

    def refused(self, lane: int, refusals: Sequence[Refused]) -> Sequence[Decision]:
        return ()

    async def write(self, connection: asyncpg.Connection, lane: int, rows: Any) -> None:
        if rows:
            await connection.copy_records_to_table("holds", records=rows)


@pytest.fixture
async def holds_dsn(database: Database) -> str:
    """The second service's own schema beside the ledger's."""
    await prepare.roles(database.admin, "holds", PASSWORDS)
    owner = prepare.dsn(database.admin, user="holds_owner", password=PASSWORDS["owner"])
    async with connect.connection(owner) as connection:
        await migrate.migrate(connection, [Path(lanes.__file__).parent / "sql" / "migrations"])
        await connection.execute(TABLE)
    return prepare.dsn(database.admin, user="holds_worker", password=PASSWORDS["worker"])


async def test_a_deciding_service_decides_once_and_tells_in_the_order_of_its_lane(
    kafka: Kafka, topic_prefix: str, holds_dsn: str, database: Database
) -> None:
    log = KafkaLog(kafka.address, prefix=topic_prefix)
    lane = 2
    [provider] = events.providers(lane, LANES, 1)
    messages = [events.settlement(provider, id=f"s-{n}", funds={"390100": n * 100_00}) for n in range(20)]
    await log.append(lane, [_decision_of(message) for message in [*messages, *messages[5:15]]])

    stop = asyncio.Event()
    worker = Worker(
        Holds(topic_prefix), log, lambda _: holds_dsn, "holds", LANES,
        Limits(batch_records_max=7, pace_s=0), Leases(lease_s=2, renew_s=0.2),
    )  # fmt: skip
    working = asyncio.create_task(worker.run(stop))
    reader = await log.open_lane(lane, ["reviews"])

    async def done() -> bool:
        async with connect.connection(database.admin, settings={"search_path": "holds"}) as look:
            waiting = await look.fetchval("select count(*) from outbox")
            position = await look.fetchval("select next_offset from positions where lane = $1", lane)
        return position == 30 and waiting == 0

    await until(done, "everything is read and every decision is delivered")
    stop.set()
    await working
    reader.seek({"reviews": 0})
    runs = await reader.read(limit=100, wait_s=5)
    await reader.close()
    await log.close()
    ids = [dict(record.headers)["ce_id"].decode() for run in runs for record in run.records]
    assert ids == [f"hold/{lane}/{offset}" for offset in range(11, 20)]
    async with connect.connection(database.admin, settings={"search_path": "holds"}) as look:
        assert await look.fetchval("select count(*) from holds") == 9
        assert await look.fetchval("select duplicate from positions where lane = $1", lane) == 10


def _decision_of(message: events.Message) -> Decision:
    told = {name: value.decode() for name, value in message.headers}
    return Decision(
        message.topic, message.key or b"", told["ce_source"], told["ce_id"], told["ce_type"], told["ce_time"],
        message.value or b"",
    )  # fmt: skip
