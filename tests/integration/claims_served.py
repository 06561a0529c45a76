"""The clearing service's API over a real database, the log in memory; both services work when they are told to."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import httpx

from clearing.app import create
from clearing.settings import ApiSettings
from medfund.http import tokens
from medfund.http.appending import Message
from medfund.http.log_reading import LogReading
from tests import events
from tests.conftest import Database
from tests.fund import LANES, Fund, services
from tests.integration import served
from tests.integration.served import Api
from tests.integration.small_city import OTHER_AREA
from tests.simulation.memory_log import MemoryLog

LANES_USED = (7, 9, 11)
CLAIMED = {"310100": 210_000_037, "310200": 45_678_912, "390100": 88_000_000, "610100": 1_999_963}
P1 = {"310100": 189_000_033, "310200": 41_111_021, "390100": 79_200_000, "610100": 1_799_967}
P2 = {"310100": 7_723_100, "310200": 4_567_891, "390100": 4_400_000, "610100": 199_996}
BATCH = "B-202601"


@dataclass
class MemoryAppending:
    """Appends to the log in memory; while `away`, the log cannot be reached."""

    log: MemoryLog
    appended: list[Message] = field(default_factory=list)

    async def append(self, messages: Sequence[Message]) -> list[int]:
        self.appended += messages
        return [
            self.log.put(one.family, one.lane, key=one.key, value=one.value, headers=one.headers) for one in messages
        ]

    async def close(self) -> None:
        pass


class Clinic(NamedTuple):
    """Who is who: each has one batch of the same name, a payment, a finding and a recovery."""

    hospital: str
    neighbour: str
    """In the same lane as the hospital."""
    stranger: str
    """In another lane, of the same area."""
    elsewhere: str
    """Of another area."""


@asynccontextmanager
async def serving(database: Database, log: MemoryLog, keys_folder: Path, *, lanes: int = LANES) -> AsyncIterator[Api]:
    keys = tokens.make_keys(keys_folder)
    log.clock_ms = time.time_ns() // 1_000_000  # commands carry the time of the API
    app = create(api_settings(database, "127.0.0.1:1", "medfund", keys, lanes=lanes))
    app.state.context = replace(app.state.context, appending=MemoryAppending(log), reading=LogReading(log))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clearing", timeout=30)
    async with app.router.lifespan_context(app), client:
        yield Api(app, client, keys, database, "", "medfund", "clearing")


@asynccontextmanager
async def books(database: Database, log: MemoryLog, keys_folder: Path) -> AsyncIterator[Api]:
    """The ledger's API over the same log."""
    async with served.serving(database, "127.0.0.1:1", "medfund", keys_folder, lanes=LANES) as api:
        api.app.state.context = replace(api.app.state.context, reading=LogReading(log))
        yield api


def api_settings(database: Database, bootstrap: str, prefix: str, keys: tokens.Keys, *, lanes: int) -> ApiSettings:
    return ApiSettings.model_validate(
        {
            "kafka_bootstrap": bootstrap,
            "MEDFUND_LANES": lanes,
            "MEDFUND_TOPIC_PREFIX": prefix,
            "CLEARING_API_DSN": database.dsn("api", "clearing"),
            "MEDFUND_TOKEN_PUBLIC_KEY": keys.public,
            "CLEARING_API_POOL": 4,
        }
    )


async def month_of_r1_5(fund: Fund) -> None:
    """The example of R1.5: claimed, paid at once, audited with an appeal upheld, and the rest paid."""
    fund.settle({**CLAIMED, "310100": CLAIMED["310100"] - 5_000_000}, day="2026-01-05")
    doubted = fund.settle({"310100": 5_000_000}, day="2026-01-31")
    fund.submit(BATCH)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", P1, on="2026-02-12")
    fund.find(BATCH, "F-1", {"310100": 4_123_055}, doubted)
    await fund.drain()
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    fund.appeal(BATCH, "F-1", {"310100": 1_200_000})
    await fund.drain()
    fund.deduct([BATCH], {"310100": 2_923_055})
    await fund.drain()
    fund.bank(f"{BATCH}/P2", P2, on="2026-03-05")
    await fund.drain()


@asynccontextmanager
async def city(database: Database) -> AsyncIterator[tuple[MemoryLog, Clinic, dict[str, Fund]]]:
    """Four providers in three lanes of one database, each with a bit of everything."""
    async with services(database) as (control, connections):
        log, funds = MemoryLog(), {}
        for lane in LANES_USED:
            fund = Fund(control, connections, lane=lane, log=log)
            for name in connections:
                await fund.claim(name)
            funds[fund.provider] = fund
        first, stranger, elsewhere = funds.values()
        hospital, neighbour = events.providers(first.lane, LANES, 2)
        for fund, provider, area, day in (
            (first, hospital, events.AREA, "2026-02-09"),
            (first, neighbour, events.AREA, "2026-02-10"),
            (stranger, stranger.provider, events.AREA, "2026-02-09"),
            (elsewhere, elsewhere.provider, OTHER_AREA, "2026-02-09"),
        ):
            fund.provider = provider
            await _live(fund, area, day)
        first.provider = hospital
        yield log, Clinic(hospital, neighbour, stranger.provider, elsewhere.provider), funds


async def _live(fund: Fund, area: str, day: str) -> None:
    batch = f"B-{fund.provider}"
    fund.sent += 10_000 * fund.lane
    fund.settlements.clear()
    fund.put("provider.registered.v1", provider=fund.provider, area=area)
    fund.policy(area=area)
    doubted = fund.settle({"310100": 100_000}, area=area, insured_area=area)
    fund.submit(batch, area=area, insured_area=area)
    fund.submit(f"R-{fund.provider}", area=area, insured_area=area)
    await fund.drain()
    fund.day(day)
    fund.find(batch, f"F-{fund.provider}", {"310100": 100}, doubted, area=area)
    fund.recover(f"C-{fund.provider}", {"310100": 500}, area=area, insured_area=area)
    await fund.drain()
