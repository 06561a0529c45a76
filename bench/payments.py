"""A run of 80,000 payments goes to the bank, and the bank's statement of them comes back.

Real throughout: a broker, a database, clearing with a worker for each core and twelve lanes, and the steps of the bank
process, each in a process of its own (`bench.bankside`). What there is to pay is made ready in `bench.owed`.

The first statement of the day tells of every payment: its lines are matched when what each of them answers is on the
log, and settled when all lanes have decided that. Then they are forgotten, and another statement has them again: what
the books know already, as where notifications told of everything before. A tenth of all that comes first, from another
fund's account, to compare memory with.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from bench.ground import LANES, Ground, peak_mib, processor_s, shared, until
from bench.owed import OPENING, Month, months
from bench.writing import Writing, in_lane, producer
from medfund.bankfiles import iso20022
from medfund.bankfiles.messages import Statement
from medfund.lanes import partition
from tests import events

FULL = 80_000
WORKERS = os.cpu_count() or 2
LIMIT_S = 600.0
PROCESSORS = ("processor_s", "worker_s", "database_s")

REGISTERED = "select count(*) = $2 from payees where provider like $1 || '%'"
OPENED = "select count(*) = $2 from days where opened = $1"
DEPOSITED = "select coalesce(sum(fen), 0) = $2 from moves where fund = $1"
HEARD = "select count(*) = $2 from facts where body ->> 'staff_ref' = $1"
DECIDED = "select count(*) = $2 from facts where type = 'payment.run.opened.v1' and body ->> 'run_ref' = $1"
SETTLED = """select count(*), coalesce(sum(fen), 0)::bigint
from payments where fund = $1 and status = 'SETTLED' and provider like $2 || '%'"""
TOLD = "select not exists (select from outbox)"
FORGET = "delete from bank_lines where fund = $1", "delete from bank_statements where fund = $1"


@dataclass
class Way:
    """One fund's payments, from the plan of a run to the day that its statement closes; and what each step took."""

    ground: Ground
    month: Month
    writing: Writing
    tables: asyncpg.Connection
    steps: dict[str, dict[str, float]] = field(default_factory=dict)
    workers: Any = ()

    @property
    def bank(self) -> Path:
        return self.ground.folder / f"bank-{self.month.fund}"

    def seconds(self, *steps: str) -> float:
        return sum(self.steps[step]["seconds"] for step in steps)

    def matched_s(self, step: str) -> float:
        """Until what every line answers was on the log."""
        return self.steps[step]["seconds"] - self.steps[step]["waited_s"]

    def processor_s(self, *steps: str) -> float:
        """Of the bank process, the worker and the database."""
        return sum(self.steps[step].get(whose, 0.0) for step in steps for whose in PROCESSORS)

    async def go(self) -> None:
        self._register()
        with self._working():
            await self._begin()
        await self.month.write(self.tables)
        with self._working():
            await self._awake()
            await self._pay()
            await self._settle()

    @contextmanager
    def _working(self) -> Iterator[None]:
        """A worker for what is measured begins anew: what it held before is not in its peak."""
        with self.ground.workers(WORKERS, service="clearing") as self.workers:
            yield

    def _register(self) -> None:
        accounts = self.ground.folder / f"accounts-{self.month.fund}.json"
        accounts.write_bytes(msgspec.json.encode(self.month.accounts()))
        self.ground.extra |= {"MEDFUND_BANK_FOLDER": str(self.bank), "MEDFUND_BANK_ACCOUNTS": str(accounts)}

    async def _begin(self) -> None:
        for lane in range(LANES):
            for message in self.month.facts_in(lane):
                await self.writing.put(lane, message)
        for message in self.month.facts():
            await self.writing.put(partition.lane_of(message.key or b"", LANES), message)
        await self.writing.confirmed()
        await self._until(REGISTERED, self.month.prefix, len(self.month.providers))
        await self._until(OPENED, self.month.day - timedelta(days=1), LANES)
        await self._until(DEPOSITED, self.month.fund, OPENING)

    async def _awake(self) -> None:
        """Each worker has its lanes, and they work: they heard of somebody new in each of them."""
        await shared(self.tables, WORKERS, limit_s=LIMIT_S)
        name = f"cleo-{self.month.fund}"
        for lane in range(LANES):
            await self.writing.put(lane, in_lane(lane, "staff.mandated.v1", id=f"{name}-{lane}", staff_ref=name))
        await self.writing.confirmed()
        await self._until(HEARD, name, LANES)

    async def _until(self, query: str, *values: Any) -> None:
        await until(self.tables, query, *values, limit_s=LIMIT_S)

    # -- the run, and the bank's answer

    async def _pay(self) -> None:
        run = await self._step("plan", "plan", events.AREA, self.month.fund, str(self.month.day))
        with self._watched("decide"):
            for lane in range(LANES):
                told = in_lane(lane, "payment.run.opened.v1", id=f"{run['run_ref']}-{lane}", **run)
                await self.writing.put(lane, told)
            await self.writing.confirmed()
            await self._until(DECIDED, run["run_ref"], LANES)
            await self._until(TOLD)
        await self._step("send", "send")

    async def _settle(self) -> None:
        [file] = (self.bank / "out").iterdir()
        sent = iso20022.read_transfers(file)
        for number, name in enumerate(("first", "again"), 1):
            path = self.bank / "in" / f"{number}.xml"
            _put(self.month.statement(sent, number), path)
            if name == "first":
                await self._step("read", "read", str(path))
            await self._step(name, "take")
            for query in FORGET:
                await self.tables.execute(query, self.month.fund)

    async def _step(self, name: str, *command: str) -> Any:
        """A step of the bank process; what it found."""
        with self._watched(name):
            told = json.loads(await asyncio.to_thread(self.ground.run, "-m", "bench.bankside", *command))
        found = told.pop("found")
        self.steps[name] |= told
        return found

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """What a step takes, in all and of whom; the worker's memory is its peak so far."""
        began, workers, database = time.monotonic(), self._workers_s(), self.ground.database_s()
        yield
        self.steps[name] = {
            "seconds": time.monotonic() - began,
            "worker_s": self._workers_s() - workers,
            "database_s": self.ground.database_s() - database,
            "worker_mib": max(map(peak_mib, self.workers)),
        }

    def _workers_s(self) -> float:
        return sum(processor_s(worker.pid) for worker in self.workers)

    async def wrong(self) -> list[str]:
        """What is not as it should be in the end."""
        [(count, fen)] = await self.tables.fetch(SETTLED, self.month.fund, self.month.prefix)
        books = await self.tables.fetchval("select sum(fen)::bigint from moves where fund = $1", self.month.fund)
        suspense = await self.tables.fetchval("select count(*) from suspense")
        found = {"settled": (count, self.month.count), "books": (books, OPENING - fen), "suspense": (suspense, 0)}
        return [f"{name}: {is_}, not {wanted}" for name, (is_, wanted) in found.items() if is_ != wanted]


def _put(statement: Statement, file: Path) -> None:
    with file.open("wb") as into:
        iso20022.write(statement, into)


async def measure(ground: Ground, *, count: int) -> tuple[Way, Way]:
    """The way of a tenth, and that of all. Raises where one does not end as it should."""
    at = producer(ground.kafka.address)
    await at.start()
    tables = await ground.connect("clearing")
    try:
        tenth, full = (Way(ground, month, Writing(at), tables) for month in months(count))
        for way in (tenth, full):
            await way.go()
            if wrong := await way.wrong():
                raise AssertionError(f"{way.month.fund}: {'; '.join(wrong)}")
    finally:
        await tables.close()
        await at.stop()
    return tenth, full
