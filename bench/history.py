"""What a hundred times the history costs: a batch of findings, an opened day, a page of claims at risk, and the cash.

Two funds on one server that differ in their past alone, each asked in turn, so that what the machine does meanwhile is
done to both. The lanes are the real ones over a log in memory, the pages are the real applications, asked without a
network between. A figure is the median of a fund's own.
"""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from clearing.app import create as clearing_app
from ledger.api.app import create as ledger_app
from medfund.http import tokens
from medfund.lanes import partition
from medfund.lanes.worker import WORKER_SETTINGS
from medfund.local.postgres import Postgres
from tests import events, fund, history
from tests.conftest import Database, fresh_database, of_services
from tests.history import LONG, PRESENT, SHORT, TODAY, Past
from tests.integration import claims_served, served
from tests.simulation.memory_log import MemoryLog

LANES = 4
LANE = partition.lane_of(events.AREA.encode(), LANES)
TURNS = 40
FIRST_TURNS = 3
"""Not counted: statements are planned and pages read for the first time."""
MONTHS = 10
"""Of each hospital, at one time the history."""
FINDINGS = 20
"""Of each batch, for ten hospitals."""
SOON = "2026-04-28"


@dataclass
class Took:
    """Seconds by what was asked, at one time the history and at `LONG` times it."""

    short: dict[str, float]
    long: dict[str, float]
    times: int = LONG

    def ratio(self, what: str) -> float:
        return self.long[what] / self.short[what]


@dataclass
class Place:
    """A fund with a past, and who asks it."""

    past: Past
    clearing: httpx.AsyncClient
    ledger: httpx.AsyncClient
    day: date = date.fromisoformat(TODAY)
    told: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)

    async def turn(self) -> None:
        """Each of the four once."""
        one = self.past.fund
        for number in range(FINDINGS):
            self.told += 1
            one.provider = self.past.providers[number % len(self.past.providers)]
            one.find(PRESENT, f"N-{self.told}", {history.FUND: 1}, self.past.doubted[one.provider])
        await self.timed("a batch of findings", self.decided)
        await one.drain()
        self.day += timedelta(days=1)
        one.day(str(self.day), worked=self.day.weekday() < 5)
        await self.timed("an opened day", self.decided)
        await one.drain()
        await self.timed("a page of claims at risk", self.at_risk)
        await self.timed("GET /v1/cash", self.cash)

    async def timed(self, what: str, do: Callable[[], Awaitable[None]]) -> None:
        began = time.perf_counter()
        await do()
        self.seconds.setdefault(what, []).append(time.perf_counter() - began)

    async def decided(self) -> None:
        assert await self.past.fund.step("clearing")

    async def at_risk(self) -> None:
        answer = await self.clearing.get("/v1/claims", params={"at_risk": 10, "as_of": SOON})
        assert len(answer.json()["claims"]) == len(self.past.providers), answer.text

    async def cash(self) -> None:
        answer = await self.ledger.get("/v1/cash")
        assert answer.json()["funds"][0]["accounts"][0]["statement"], answer.text

    def medians(self) -> dict[str, float]:
        return {what: statistics.median(took[FIRST_TURNS:]) for what, took in self.seconds.items()}


async def measure(folder: Path, *, turns: int) -> Took:
    """On a server of its own: no broker is asked for anything."""
    server = Postgres(folder / "postgres")
    async with AsyncExitStack() as opened:
        opened.callback(server.stop)
        server.start()
        template = await of_services(server)
        places = [place(server, template, folder, times) for times in (SHORT, LONG)]
        short, long = [await opened.enter_async_context(each) for each in places]
        for _ in range(turns + FIRST_TURNS):
            await short.turn()
            await long.turn()
        return Took(short.medians(), long.medians())


@asynccontextmanager
async def place(server: Postgres, template: str, folder: Path, times: int) -> AsyncIterator[Place]:
    """A database of its own, with so much of a past."""
    async with fresh_database(server, template) as database, fund.running(database, lane=LANE, lanes=LANES) as one:
        for worker in one.connections.values():
            for setting, value in WORKER_SETTINGS.items():
                await worker.execute(f"set {setting} = {value}")
        past = Past(one, months_of_one=MONTHS)
        await past.live()
        await past.lengthen(times)
        async with asking(database, folder / database.name, one.log) as (clearing, ledger):
            yield Place(past, clearing, ledger)


@asynccontextmanager
async def asking(
    database: Database, folder: Path, log: MemoryLog
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Finance, of both services."""
    keys = tokens.make_keys(folder)
    token = tokens.issue(
        tokens.load_key(keys.private), role="finance", areas=[events.AREA], organisations=["*"], subject="bench",
        ttl_s=3600,
    )  # fmt: skip
    apps: tuple[FastAPI, FastAPI] = (
        clearing_app(claims_served.api_settings(database, "127.0.0.1:1", "medfund", keys, lanes=LANES)),
        ledger_app(served.api_settings(database, "127.0.0.1:1", "medfund", keys, lanes=LANES)),
    )
    apps[0].state.context = replace(apps[0].state.context, appending=claims_served.MemoryAppending(log))
    async with AsyncExitStack() as opened:
        clients = []
        for app in apps:
            await opened.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://bench",
                headers={"Authorization": f"Bearer {token}"},
            )
            clients.append(await opened.enter_async_context(client))
        yield clients[0], clients[1]
