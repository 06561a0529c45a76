"""What hospitals buy, from the order to what is requested for it: a million lines of orders, and one large statement.

Real throughout: a broker, a database, one worker of direct payment and one of the ledger, which books beside it. All
that suppliers, hospitals and the platform say is on the log before the workers start. What is measured of each run goes
from there until the ledger has taken every decision: matched, confirmed, agreed to as planned, requested. Memory is
compared with that of a tenth of the lines, which come first; what a line costs, with what a settlement costs clearing
from its record to the approval of its claim, beside the ledger too.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import aiokafka
import asyncpg
import msgspec
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.claims import Month, Recording, reached
from bench.ground import LANES, PREFIX, Ground, peak_mib, processor_s, until
from bench.writing import Writing, producer
from direct_pay.plans import plan as plans
from direct_pay.plans import planning
from direct_pay.plans.plan import Wanted
from medfund.city import papers, profiles
from medfund.city.model import City
from medfund.city.papers import Delivery, Goods, Item, Pair
from medfund.city.purchases import MANY_LINES, Purchases
from medfund.events.envelope import Envelope
from medfund.events.kinds import KINDS
from medfund.lanes import partition
from tests import events

FULL = 1_000_000
TENTH = 10
LARGE = 20_000
"""Lines of one statement."""
SETTLEMENTS_OF = 4
"""One settlement is measured for so many lines."""
YEAR = 2026
AGREED_ON = date(2026, 1, 20)
PEOPLE = ["staff-5d03", "staff-88b6"]
LIMIT_S = 600.0
SESSIONS = "select pid from pg_stat_activity where usename = $1"
TOLD = "select not exists (select from outbox)"
REQUESTED = "select sum(jsonb_array_length(body::jsonb -> 18))::bigint from statements where status = 'MATCHED'"
GRAND = """select sum(jsonb_array_length(paid -> 3)) = jsonb_array_length(body::jsonb -> 12)
from statements, jsonb_array_elements(body::jsonb -> 18) as paid where ref = 'GRAND' group by body"""


@dataclass
class Cost:
    """Of one service: its worker's processor time and that of its sessions in the database."""

    worker_s: float = 0.0
    database_s: float = 0.0

    @property
    def seconds(self) -> float:
        return self.worker_s + self.database_s


@dataclass
class Run:
    seconds: float = 0.0
    """From the log to the last booked line, without the time in which people plan."""
    planned_s: float = 0.0
    cost: Cost = field(default_factory=Cost)
    ledger: Cost = field(default_factory=Cost)
    peak_mib: float = 0.0
    """The most memory that direct payment's worker took."""


@dataclass
class Took:
    lines: int
    statements: int = 0
    tenth: Run = field(default_factory=Run)
    full: Run = field(default_factory=Run)
    large: int = 0
    large_s: float = 0.0
    settlements: int = 0
    settling: Cost = field(default_factory=Cost)

    def per_line(self, seconds: float) -> float:
        """Microseconds."""
        return seconds / self.lines * 1e6

    def per_settlement(self, seconds: float) -> float:
        return seconds / self.settlements * 1e6

    @property
    def ratio(self) -> float:
        return self.per_line(self.full.cost.seconds) / self.per_settlement(self.settling.seconds)


# -- what is said


class Telling(Writing):
    """To the log in whole batches: event after event of each lane."""

    def __init__(self, producer: aiokafka.AIOKafkaProducer) -> None:
        super().__init__(producer)
        self._batches: dict[tuple[str, int], BatchBuilder] = {}

    async def tell(self, told: Iterable[Envelope], key: bytes) -> None:
        lane = partition.lane_of(key, LANES)
        for one in told:
            await self.append(KINDS[one.type].family, lane, key, one)

    async def append(self, family: str, lane: int, key: bytes, one: Envelope) -> None:
        headers = list(events.headers(one.type, one.id, one.source, one.time))
        batch = self._batches.get((family, lane))
        if batch is None or batch.append(timestamp=None, key=key, value=one.data, headers=headers) is None:
            if batch is not None:
                await self._send(family, lane, batch)
            batch = self._batches[family, lane] = self._producer.create_batch()
            batch.append(timestamp=None, key=key, value=one.data, headers=headers)

    async def sent(self) -> None:
        for (family, lane), batch in self._batches.items():
            await self._send(family, lane, batch)
        self._batches.clear()
        await self.confirmed()

    async def _send(self, family: str, lane: int, batch: BatchBuilder) -> None:
        await self.wait_for(await self._producer.send_batch(batch, f"{PREFIX}.{family}", partition=lane))


async def begin(bought: Purchases, writing: Telling) -> None:
    """What is in force before the first order, in every lane or in that of its provider."""
    pair = Pair(bought.area, bought.hospitals[0].code, bought.suppliers[0])
    speakers = {pair.platform: "procurement", pair.hospital: "hospital", f"/agency/{bought.area}": "policy_office"}
    speakers |= {pair._replace(supplier=supplier).seller: "supplier" for supplier in bought.suppliers}
    for lane in range(LANES):
        for source, speaker in speakers.items():
            key = partition.lane_key(lane, LANES)
            await writing.put(lane, events.source_registered(source, speaker, id=f"{source}-{lane}", key=key))
    for told in bought.master():
        kind = KINDS[told.type]
        if kind.key == "provider":
            await writing.tell([told], provider_of(told).encode())
        else:
            for lane in range(LANES):
                await writing.append(kind.family, lane, partition.lane_key(lane, LANES), told)
    await writing.sent()


class Bought:
    """What is said of so many lines, group by group."""

    def __init__(self) -> None:
        self.lines = self.statements = 0

    async def tell(self, groups: Iterable[Sequence[Envelope]], writing: Telling) -> None:
        for told in groups:
            await writing.tell(told, provider_of(told[0]).encode())
            self.lines += MANY_LINES
            self.statements += sum(one.type == "statement.submitted.v1" for one in told)
        await writing.sent()


async def agree(tables: asyncpg.Connection, area: str, plan_ref: str, writing: Telling) -> float:
    """People agree to a plan of all that may be requested; how long it took to make it."""
    began = time.monotonic()
    async with tables.transaction(isolation="repeatable_read"):
        made = await planning.plan(tables, Wanted(plan_ref=plan_ref, area=area), AGREED_ON)  # type: ignore[arg-type]
    took = time.monotonic() - began
    for (lane, id), event in zip(plans.ids(made), plans.events(made, PEOPLE, AGREED_ON), strict=True):
        await writing.put(lane, events.message("statements.agreed.v1", id=id, **msgspec.to_builtins(event)))
    await writing.confirmed()
    return took


def provider_of(told: Envelope) -> str:
    provider: str = msgspec.json.decode(told.data)["provider"]
    return provider


def large(pair: Pair, goods: Sequence[Goods], lines: int) -> list[Envelope]:
    """One order of each hundred lines, each line delivered and invoiced by itself; all of it in one statement."""
    told: list[Envelope] = []
    deliveries: list[Delivery] = []
    on, before = date(YEAR, 1, 9), date(YEAR, 1, 5)
    for number in range(lines // 100):
        order_no = f"GR{number:06d}"
        items = [Item(line, goods[line % len(goods)], 1, 1, 1) for line in range(1, 101)]
        told.append(papers.order(pair, order_no, before, items))
        for item in items:
            name = f"{number:08d}{item.line:03d}"
            deliveries.append(Delivery(f"GS{name}", order_no, "L01", on, f"{on:%y}37{name:9>16}", [item], item.amount))
    for one in deliveries:
        told += (papers.shipment(pair, one, before), papers.acceptance(pair, one), papers.invoice(pair, one, on))
    told.append(papers.statement(pair, "GRAND", on.replace(day=1), date(YEAR, 1, 12), deliveries))
    return told


# -- what it takes


async def measure(ground: Ground, *, lines: int) -> Took:
    """Raises where something does not end as it should."""
    at = producer(ground.kafka.address)
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=ground.kafka.address)
    await at.start()
    await consumer.start()
    tables = await ground.connect("direct_pay")
    try:
        took = Took(lines)
        await settle(ground, at, consumer, took)
        city = City(profiles.PROFILES["weihai"], 1)
        bought, writing = Purchases(city, YEAR), Telling(at)
        await begin(bought, writing)
        tenth, rest = lines // TENTH // MANY_LINES, lines // MANY_LINES
        groups = bought.many((tenth + rest) * MANY_LINES)
        first, full = Bought(), Bought()
        await first.tell(islice(groups, tenth), writing)
        took.tenth = await follow(ground, bought, "JS-1", writing, consumer, tables)
        await full.tell(groups, writing)
        await tables.execute("checkpoint")
        took.full = await follow(ground, bought, "JS-2", writing, consumer, tables)
        requested, stated = await tables.fetchval(REQUESTED), first.statements + full.statements
        if requested != stated:
            raise AssertionError(f"{requested} of {stated} statements are requested")
        took.lines, took.statements = full.lines, full.statements
        took.large = max(100, min(LARGE, lines // 10))
        took.large_s = await follow_large(ground, bought, writing, consumer, tables, took.large)
        for service in ("direct_pay", "ledger"):
            if reasons := await tables.fetch(f"select reason, count(*) from {service}.quarantine group by reason"):  # noqa: S608
                raise AssertionError(f"{service} refused {reasons}")
        return took
    finally:
        await tables.close()
        await consumer.stop()
        await at.stop()


async def follow(
    ground: Ground, bought: Purchases, plan_ref: str, writing: Telling, consumer: aiokafka.AIOKafkaConsumer,
    tables: asyncpg.Connection,
) -> Run:  # fmt: skip
    """Until all of it is requested and booked."""
    with ground.processes([("-m", "direct_pay", "work"), ("-m", "ledger", "work")]) as workers:
        began = await claimed(tables, "direct_pay", "ledger")
        pids = [worker.pid for worker in workers]
        before = [
            await spent(tables, service, pid) for service, pid in zip(("direct_pay", "ledger"), pids, strict=True)
        ]
        await reached(tables, consumer, "direct_pay", "purchases")
        planned = await agree(tables, bought.area, plan_ref, writing)
        await reached(tables, consumer, "direct_pay", "agency")
        await until(tables, TOLD, limit_s=LIMIT_S)
        for service in ("direct_pay", "ledger"):
            await reached(tables, consumer, service, "direct-pay")
        await reached(tables, consumer, "ledger", "purchases")
        seconds = time.monotonic() - began - planned
        after = [await spent(tables, service, pid) for service, pid in zip(("direct_pay", "ledger"), pids, strict=True)]
        own, books = (
            Cost(b.worker_s - a.worker_s, b.database_s - a.database_s) for a, b in zip(before, after, strict=True)
        )
        return Run(seconds, planned, own, books, peak_mib(workers[0]))


async def follow_large(
    ground: Ground, bought: Purchases, writing: Telling, consumer: aiokafka.AIOKafkaConsumer,
    tables: asyncpg.Connection, lines: int,
) -> float:  # fmt: skip
    """From the submission of one large statement until it is requested, by workers that have taken all before it."""
    pair = Pair(bought.area, bought.hospitals[0].code, bought.suppliers[0])
    *before, submission = large(pair, bought.goods[0], lines)
    on = date(YEAR, 1, 14)
    with ground.processes([("-m", "direct_pay", "work"), ("-m", "ledger", "work")]):
        await writing.tell(before, pair.provider.encode())
        await writing.sent()
        for service in ("direct_pay", "ledger"):
            await reached(tables, consumer, service, "purchases")
            await reached(tables, consumer, service, "direct-pay")
        began = time.monotonic()
        await writing.tell([submission, papers.confirmation(pair, "GRAND", on)], pair.provider.encode())
        await writing.sent()
        await reached(tables, consumer, "direct_pay", "purchases")
        planned = await agree(tables, bought.area, "JS-3", writing)
        await reached(tables, consumer, "direct_pay", "agency")
        await until(tables, TOLD, limit_s=LIMIT_S)
        seconds = time.monotonic() - began - planned
    if not await tables.fetchval(GRAND):
        raise AssertionError("the large statement is not requested")
    return seconds


async def settle(
    ground: Ground, at: aiokafka.AIOKafkaProducer, consumer: aiokafka.AIOKafkaConsumer, took: Took
) -> None:
    """A month of settlements, from their record to the approval of their claims."""
    settlements = took.lines // SETTLEMENTS_OF
    month, writing = Month(settlements, max(7, settlements * 700 // FULL)), Recording(at)
    for lane, message in month.registrations():
        await writing.put(lane, message)
    await writing.fill(month)
    tables = await ground.connect("clearing")
    with ground.processes([("-m", "clearing", "work"), ("-m", "ledger", "work")]) as workers:
        await claimed(tables, "clearing", "ledger")
        before = await spent(tables, "clearing", workers[0].pid)
        await reached(tables, consumer, "clearing", "claims")
        await until(tables, TOLD, limit_s=LIMIT_S)
        await reached(tables, consumer, "clearing", "clearing")
        after = await spent(tables, "clearing", workers[0].pid)
        await reached(tables, consumer, "ledger", "claims")
    await tables.close()
    took.settlements = month.settlements
    took.settling = Cost(after.worker_s - before.worker_s, after.database_s - before.database_s)


async def claimed(tables: asyncpg.Connection, *services: str) -> float:
    """When the first worker had a lane: what it takes to start is not measured."""
    for service in services:
        await until(tables, f"select exists (select from {service}.lanes where leased_until > now())", limit_s=LIMIT_S)  # noqa: S608
    return time.monotonic()


async def spent(tables: asyncpg.Connection, service: str, pid: int) -> Cost:
    sessions = [row["pid"] for row in await tables.fetch(SESSIONS, f"{service}_worker")]
    return Cost(processor_s(pid), sum(map(_if_any, sessions)))


def _if_any(pid: int) -> float:
    return processor_s(pid) if Path(f"/proc/{pid}/stat").exists() else 0.0
