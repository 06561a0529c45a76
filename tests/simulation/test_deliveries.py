"""However often an event is delivered, and whenever, it counts once; other content under its id never (45, 46)."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger import verify
from ledger.service import Ledger
from medfund.lanes.lane import Lane, Limits
from medfund.lanes.store import SQL, Claim
from medfund.local.postgres import Postgres
from tests import events
from tests.conftest import fresh_database
from tests.events import Message
from tests.simulation.memory_log import MemoryLog

LANES = 1024
DAY_MS = 86_400_000
FUND = "390100"
FEN = 1_234
LIMITS = Limits(batch_records_max=400, wait_s=0, pace_s=0)
_lanes = itertools.count()


class Delivery(NamedTuple):
    """Copies of one of three events, in one of three versions; days pass first, and what came before may be booked."""

    event: int
    version: int = 0
    copies: int = 1
    days: int = 0
    booked: bool = False


deliveries = st.lists(
    st.builds(
        Delivery,
        event=st.integers(0, 2),
        version=st.sampled_from([0, 0, 0, 1, 2]),
        copies=st.sampled_from([1, 1, 2, 3, 1000]),
        days=st.sampled_from([0, 0, 1, 40, 400]),
        booked=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class Model:
    """What must come of deliveries, told without batches or time."""

    first: dict[int, int] = field(default_factory=dict)
    """Which version of an event came first."""
    repeats: int = 0
    conflicts: int = 0

    def deliver(self, delivery: Delivery) -> None:
        copies = delivery.copies
        if delivery.event not in self.first:
            self.first[delivery.event] = delivery.version
            copies -= 1
        if self.first[delivery.event] == delivery.version:
            self.repeats += copies
        else:
            self.conflicts += copies

    @property
    def owed(self) -> int:
        return sum(_fen(event, version) for event, version in self.first.items())


def _fen(event: int, version: int) -> int:
    return FEN * (event + 1) + version


@pytest.fixture(scope="module")
async def connection(postgres: Postgres, template: str) -> AsyncIterator[asyncpg.Connection]:
    async with fresh_database(postgres, template) as database:
        connected = await asyncpg.connect(database.admin)
        await connected.execute("set search_path = ledger")
        await connected.execute(SQL.create_lanes, LANES)
        yield connected
        await connected.close()


@given(delivered=deliveries)
@example(delivered=[Delivery(0, copies=1000), Delivery(0, copies=1000, days=400, booked=True)])
@example(delivered=[Delivery(0), Delivery(0, version=1), Delivery(0), Delivery(0, version=1, days=1, booked=True)])
@settings(max_examples=40, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_event_counts_once_and_as_it_came_first(
    connection: asyncpg.Connection, delivered: list[Delivery]
) -> None:
    log, model, service, number = MemoryLog(), Model(), Ledger(lanes=LANES, prefix="medfund"), next(_lanes)
    [provider] = events.providers(number, LANES, 1)
    for message in events.registry([number], LANES):
        put(log, number, message)
    put(log, number, events.registered(provider, id=f"reg-{number}"))
    lane = await opened(connection, log, service, number)
    for delivery in delivered:
        if delivery.booked:
            await drain(lane)
        log.clock_ms += delivery.days * DAY_MS
        for _ in range(delivery.copies):
            put(log, number, settlement(provider, delivery))
        model.deliver(delivery)
    await drain(lane)
    report = await verify.verify(connection, log, service, [number])
    assert report.ok, report.problems
    assert (report.repeats, report.quarantined) == (model.repeats, model.conflicts)
    assert await owed(connection, provider) == model.owed
    reasons = await connection.fetch("select distinct reason from quarantine where lane = $1", number)
    assert [row["reason"] for row in reasons] == (["conflict"] if model.conflicts else [])


def settlement(provider: str, delivery: Delivery) -> Message:
    id = f"{provider}-{delivery.event}"
    return events.settlement(provider, id=id, funds={FUND: _fen(delivery.event, delivery.version)})


def put(log: MemoryLog, lane: int, message: Message) -> None:
    log.put(message.topic, lane, key=message.key, value=message.value, headers=message.headers)


async def opened(connection: asyncpg.Connection, log: MemoryLog, service: Ledger, number: int) -> Lane:
    epoch = await connection.fetchval("update lanes set epoch = epoch + 1 where lane = $1 returning epoch", number)
    source = await log.open_lane(number, service.topics)
    lane = Lane(Claim(number, epoch, 0), service, log, source, connection, LIMITS)
    await lane.open()
    return lane


async def drain(lane: Lane) -> None:
    while await lane.step():
        pass


async def owed(connection: asyncpg.Connection, provider: str) -> int:
    query = "select sum(credit - debit)::bigint from buckets where account = '2100' and party = $1"
    return int(await connection.fetchval(query, provider))
