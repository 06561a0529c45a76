"""A plan of prepayments over 3,000 providers and three years of their settlements, its publication, and the year's end.

Real throughout: a broker, a database, clearing with a worker for each core. The three years are not claimed one by one:
the decisions about them are made here, evolved by clearing's own rules and written by its own store.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg
import msgspec

from bench.ground import LANES, PREFIX, Ground, shared, until
from bench.owed import POLICY, example
from bench.payments import WORKERS
from bench.writing import Writing, in_lane, producer
from clearing.claims.claim import CLAIMS
from clearing.payments.cash import MOVES
from clearing.payments.payment import PAYMENTS, Payment
from clearing.policy import parse
from clearing.prepayment import planning
from clearing.prepayment.planning import Plan, Wanted
from clearing.prepayment.prepayment import CLR_TYPE, PREPAYMENTS, Prepayment, name
from clearing.service import Clearing
from medfund import calendar, money
from medfund.events.agency import PolicyPublished, policy_hash
from medfund.events.kinds import Event
from medfund.lanes import partition
from tests import events

PROVIDERS, YEARS, FUND, YEAR = 3000, 3, "310100", 2025
FIGURES = {
    "fund": FUND, "as_of": f"{YEAR - 1}-12-31", "surplus": "41230000000.00", "expenditure": "34567000000.00",
    "last_year_result": "1.00", "forecast_result": "1.00",
}  # fmt: skip
"""Of a fund that can bear prepayments."""
PEOPLE = ("anna", "bo")
MANDATE = {"role": "approver", "limit": "9999999999.99", "valid_from": "2020-01-01", "valid_to": None}
LIMIT_S = 120.0
REGISTERED = "select count(*) = $1 from payees"
APPROVED = "select count(*) = $1 from prepayments where status = 'APPROVED'"
OVERDUE = "select count(*) = $1 from prepayments where status = 'OVERDUE'"
ORDERED = "select count(*) from payments where body ->> 'purpose' = 'PREPAYMENT'"
REPEATED = "select count(*) >= $1 from repeats"
TOLD = "select not exists (select from outbox)"


@dataclass
class Took:
    """What each part took, in seconds."""

    providers: int
    seconds: dict[str, float] = field(default_factory=dict)
    hashes: list[str] = field(default_factory=list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began


def codes(count: int) -> list[str]:
    return [f"H152525{number:05d}" for number in range(count)]


async def measure(ground: Ground, *, providers: int) -> Took:
    """Raises where something does not end as it should."""
    at = producer(ground.kafka.address)
    await at.start()
    tables = await ground.connect("clearing")
    took, writing = Took(providers), Writing(at)
    try:
        before = await tables.fetchval("select count(*) from payees")
        repeats = await tables.fetchval("select count(*) from repeats")
        with ground.workers(WORKERS, service="clearing"):
            for provider in codes(providers):
                told = events.registered(provider, id=f"reg-{provider}")
                await writing.put(partition.lane_of(provider.encode(), LANES), told)
            for lane in range(LANES):
                policy = {"valid_from": "2020-01-01", "hash": policy_hash(POLICY), "parameters": POLICY}
                await writing.put(lane, in_lane(lane, "policy.published.v1", id=f"prepaying-{lane}", **policy))
                await writing.put(lane, in_lane(lane, "fund.figures.published.v1", id=f"figures-{lane}", **FIGURES))
                for person in PEOPLE:
                    told = in_lane(
                        lane, "staff.mandated.v1", id=f"prepaying-{person}-{lane}", staff_ref=person, **MANDATE
                    )
                    await writing.put(lane, told)
            await writing.confirmed()
            await until(tables, REGISTERED, before + providers, limit_s=LIMIT_S)
        await write(tables, providers)
        with ground.workers(WORKERS, service="clearing"):
            await awake(writing, tables, date(YEAR, 2, 2))
            plan = await planned(tables, took)
            with took.part("publish"):
                await published(writing, plan)
                await until(tables, APPROVED, providers, limit_s=LIMIT_S)
                await until(tables, TOLD, limit_s=LIMIT_S)
                await until(tables, REPEATED, repeats + providers, limit_s=LIMIT_S)
        if (ordered := await tables.fetchval(ORDERED)) != providers:
            raise AssertionError(f"{ordered} payments are ordered for {providers} grants")
        await disbursed(tables)
        with ground.workers(WORKERS, service="clearing"):
            await awake(writing, tables, date(YEAR, 12, 31))
            with took.part("year end"):
                for lane in range(LANES):
                    await writing.put(lane, _day(lane, date(YEAR + 1, 1, 1)))
                await writing.confirmed()
                await until(tables, OVERDUE, providers, limit_s=LIMIT_S)
                await until(tables, TOLD, limit_s=LIMIT_S)
    finally:
        await tables.close()
        await at.stop()
    return took


def _day(lane: int, day: date) -> events.Message:
    told = {"date": f"{day}", "working_day": True, "calendar_version": calendar.shipped().version}
    return in_lane(lane, "day.opened.v1", id=f"prepaid-{day}-{lane}", **told)


async def awake(writing: Writing, tables: asyncpg.Connection, day: date) -> None:
    """Each worker has its lanes, and they have opened a day and told all that follows from it."""
    await shared(tables, WORKERS, limit_s=LIMIT_S)
    for lane in range(LANES):
        await writing.put(lane, _day(lane, day))
    await writing.confirmed()
    await until(tables, "select count(*) = $2 from days where opened = $1", day, LANES, limit_s=LIMIT_S)
    await until(tables, TOLD, limit_s=LIMIT_S)


async def planned(tables: asyncpg.Connection, took: Took) -> Plan:
    wanted = Wanted(
        plan_ref="YF-bench", area=events.AREA, year=YEAR, base_from=date(YEAR - YEARS, 1, 1),
        base_to=date(YEAR - 1, 12, 1), limits={FUND: 10**15},
    )  # fmt: skip
    told = PolicyPublished(
        area=events.AREA, valid_from=date(2020, 1, 1), hash=policy_hash(POLICY), parameters=POLICY,
        approvers=["anna", "bo"],
    )  # fmt: skip
    policy = parse(told)
    with took.part("plan"):
        plan = await planning.plan(tables, wanted, policy)
    took.hashes = [plan.hash, (await planning.plan(tables, wanted, policy)).hash]
    if len(plan.lines) != took.providers or len(set(took.hashes)) != 1:
        raise AssertionError(f"{len(plan.lines)} grants, hashes {took.hashes}")
    return plan


async def published(writing: Writing, plan: Plan) -> None:
    """Each grant twice, as it comes where somebody has to ask again: it is to be paid once."""
    for _ in range(2):
        for (lane, id), event in zip(planning.ids(plan), planning.events(plan, PEOPLE, date(YEAR, 2, 3)), strict=True):
            told = events.message("prepayment.granted.v1", id=id, **msgspec.to_builtins(event))
            await writing.put(lane, told)
    await writing.confirmed()


# -- decisions, as lanes have them that decided all this


async def write(tables: asyncpg.Connection, providers: int) -> None:
    """Three years of claims, a month each, and an application that was found good."""
    rules = Clearing(prefix=PREFIX)
    for lane in range(LANES):
        draft = await rules.load(tables, lane)
        for provider in codes(providers):
            if partition.lane_of(provider.encode(), LANES) == lane:
                for decision in _decisions(provider, {"topic": "agency", "lane": lane, "offset": 0}):
                    rules.evolve(draft, decision)
        for claim in draft[CLAIMS].values():
            claim.payable = {}  # paid long ago
        await rules.write(tables, lane, draft)
    await tables.execute("analyze claims, prepayments")


def _decisions(provider: str, cause: dict[str, Any]) -> Iterator[Event]:
    about = {"provider": provider, "cause": cause, "policy_ref": policy_hash(POLICY)}
    seed = int(hashlib.sha256(provider.encode()).hexdigest()[:6], 16)
    for month in range(12 * YEARS):
        year, number = YEAR - YEARS + month // 12, month % 12 + 1
        batch, fen = f"{provider}-{year}{number:02d}", 1_000_000 + seed % 9_000_000 + 997 * month
        period = {"period_from": f"{year}-{number:02d}-01", "period_to": f"{year}-{number:02d}-28"}
        amounts = {FUND: money.yuan(fen)}
        yield example("claim.batch.accepted.v1", **about, batch=batch, **period, settlements=1, amounts=amounts)
        yield example(
            "claim.batch.approved.v1", **about, payable_ref=batch, batches=[batch], approved=amounts,
            bond={FUND: "0.00"}, net=amounts,
        )  # fmt: skip
    ref = name(provider, "ANNUAL", str(YEAR), FUND)
    yield example(
        "prepayment.checked.v1", **about, prepayment_ref=ref, fund=FUND, grade="A", clr_type=CLR_TYPE, benefit_year=YEAR
    )  # fmt: skip


async def disbursed(tables: asyncpg.Connection) -> None:
    """What was ordered is paid: the money is out."""
    rules = Clearing(prefix=PREFIX)
    for lane in range(LANES):
        draft = await rules.load(tables, lane)
        for row in await tables.fetch("select body from prepayments where lane = $1", lane):
            item = msgspec.json.decode(row["body"], type=Prepayment)
            draft[PREPAYMENTS][item.name] = item
        for row in await tables.fetch("select body from payments where lane = $1", lane):
            ordered = msgspec.json.decode(row["body"], type=Payment)
            draft[PAYMENTS][ordered.name] = ordered
        for payment in [one for one in draft[PAYMENTS].values() if one.purpose == "PREPAYMENT"]:
            rules.evolve(
                draft,
                example(
                    "payment.settled.v1", provider=payment.provider, payment_ref=payment.payment_ref,
                    payable_ref=payment.payable_ref, purpose="PREPAYMENT", instant_stat=None,
                    amounts={fund: money.yuan(fen) for fund, fen in payment.amounts.items()},
                    value_date=f"{YEAR}-03-02", bank_txn=f"t-{payment.payment_ref[-20:]}",
                ),
            )  # fmt: skip
        draft[MOVES].clear()
        await rules.write(tables, lane, draft)
