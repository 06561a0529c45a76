"""Each shelf of clearing costs a batch two statements at most for reading, and two for writing, however large it is."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence

import asyncpg
import pytest

from clearing.capabilities import SHELVES
from clearing.service import Clearing
from medfund.events.kinds import KINDS
from medfund.lanes.draft import Draft, Known
from medfund.lanes.lane import Limits
from medfund.lanes.shelf import Batch, Shelf
from tests import events, fund
from tests.conftest import Database
from tests.fund import LANES, Fund
from tests.purchases import Purchases

EMPLOYEES, RESIDENTS = "310100", "390100"
PAID = {"payment_ref": f"B-1/P1/{EMPLOYEES}", "amounts": {EMPLOYEES: "731.76"}, "value_date": "2026-02-10"}
OPENED = {"benefit_year": 2025, "value_date": "2025-12-31", "decided_on": "2025-11-20", "clr_way": None,
          "period_from": None, "period_to": None, "cut_off": None}  # fmt: skip
TYPES = [kind.event for kind in KINDS.values()]
EVENTS = "events of the largest batch"
SILENT = {
    "clearing.audit.store.Audited", "clearing.opening.store.Lines",  # they ask for what others read
    "clearing.claims.store.Settlements",  # one COPY, which the client does not tell of
    "clearing.claims.store.Leads",  # read with those whose money they hold, in this story
}  # fmt: skip
MANY = 100
"""Providers, so that the largest batch is of more than a thousand events."""


class Counted(Shelf):
    def __init__(self, shelf: Shelf, most: Counter[str]) -> None:
        self._shelf, self._most = shelf, most
        self._name = f"{type(shelf).__module__}.{type(shelf).__name__}"

    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        return await self._shelf.load(connection, lane, known)

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        self._most[EVENTS] = max(len(batch.accepted(*TYPES)), self._most[EVENTS])
        await self._counted("reads", connection, self._shelf.read(connection, lane, draft, batch))

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        await self._counted("writes", connection, self._shelf.write(connection, lane, draft))

    async def _counted(self, way: str, connection: asyncpg.Connection, work: Awaitable[None]) -> None:
        said: list[object] = []
        with connection.query_logger(said.append):
            await work
            await asyncio.sleep(0)  # the logger is called by the loop
        self._most[f"{self._name} {way}"] = max(len(said), self._most[f"{self._name} {way}"])


def said(world: Fund, providers: Sequence[str]) -> Iterator[None]:
    """A story that asks every shelf for something; each part of it is a batch."""
    world.policy(audit__unfinished="HOLD_DOUBTFUL")
    for staff in ("anna", "bo"):
        world.mandate(staff)
    for fund_ in (EMPLOYEES, RESIDENTS):
        world.figures(fund_, "9000000.00", "1000000.00")
    for _ in every(world, providers):
        world.register()
        world.assess()
    yield
    world.day("2026-01-06")
    yield
    for _ in every(world, providers):
        world.apply(EMPLOYEES)
        for batch, day in (("B-1", "2026-01-15"), ("B-2", "2026-01-16"), ("B-3", "2026-01-17")):
            world.settle({EMPLOYEES: 81_307, RESIDENTS: 4_409}, day=day)
            world.submit(batch, first=day, last=day, mode="DAY")
    yield
    world.day("2026-02-09")
    yield
    for _ in every(world, providers):
        ref = f"{world.provider}/YF-2026/{EMPLOYEES}"
        world.grant(ref, 7_001)
        for number, settlement in enumerate(world.settled[world.provider], 1):
            world.find(f"B-{number}", f"F-{number}", {EMPLOYEES: 1_103}, settlement)
            world.hold("B-2", {EMPLOYEES: 107}, hold=f"H-{number}")
        world.recover("C-1", {EMPLOYEES: 2_003}, benefit_year=2025)
        world.put("bank.line.unplaced.v1", amounts={EMPLOYEES: "3.29"}, bank_txn=f"T-{world.provider}")
        accounts = [{"account": "1107", "amounts": {EMPLOYEES: "19.07"}}]
        world.put("opening.item.recorded.v1", provider=world.provider, item_ref="O-1", accounts=accounts, **OPENED)
        world.put("bank.payment.rejected.v1", provider=world.provider, payment_ref=f"B-3/P1/{EMPLOYEES}")
        world.put("bank.payment.settled.v1", provider=world.provider, bank_txn=f"P-{world.provider}", **PAID)
    yield
    for _ in every(world, providers):
        world.deduct(["B-1", "B-2", "B-3"], {EMPLOYEES: 3_309})
        first = world.settled[world.provider][0]
        world.settle({EMPLOYEES: 81_307, RESIDENTS: 4_409}, day="2026-01-15", reverses=first)
        world.submit("B-4", first="2026-01-18", last="2026-01-18", mode="DAY")
        world.submit("B-5", first="2026-01-15", last="2026-01-15", mode="DAY", settlements=7)
        world.put("bank.return.reversed.v1", provider=world.provider, bank_txn=f"R-{world.provider}", **PAID)
        world.repay(f"{world.provider}/YF-2026/{EMPLOYEES}", {EMPLOYEES: 1_001}, on="2026-02-11")
        Purchases(world).request("DZ-1", [8_009, 3_001])
    yield
    world.day("2026-02-10")
    yield


def every(world: Fund, providers: Sequence[str]) -> Iterator[None]:
    for world.provider in providers:
        yield


async def test_a_shelf_costs_a_batch_two_statements_each_way_at_most_for_one_provider_and_for_a_thousand_events(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fund, "LIMITS", Limits(batch_records_max=9_000, wait_s=0, pace_s=0))
    found: list[Counter[str]] = []
    async with fund.services(database) as (control, connections):
        for lane, count in ((6, 1), (7, 1), (8, MANY)):  # in the first one the client asks for types
            most = Counter[str]()
            monkeypatch.setattr(Clearing, "shelves", [Counted(shelf, most) for shelf in SHELVES])
            world = Fund(control, connections, lane=lane)
            await world.claim("clearing")
            for _ in said(world, events.providers(lane, LANES, count)):
                await world.drain()
            found.append(most)
    _, one, many = found
    assert one.pop(EVENTS) < 20
    assert many.pop(EVENTS) >= 1_000
    assert one == many
    assert max(many.values()) == 2
    asked = {name.partition(" ")[0] for name, count in many.items() if count}
    assert {name.partition(" ")[0] for name in many} - asked == SILENT
