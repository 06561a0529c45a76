"""Payments between request and settlement while everything that works on them is killed, again and again: the workers,
the process that exchanges files, the bank. The bank counts how often it was asked to pay, and how often it paid.

Run a failing seed alone with `SEED=<seed>`.
"""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from clearing.payments import planning
from clearing.payments.payment import end_to_end_id
from medfund import money
from medfund.lanes import partition
from medfund.local.server import tail
from medfund.postgres import connect
from tests import events
from tests.conftest import LANES
from tests.integration import child
from tests.integration.faults.test_kills import POINTS
from tests.integration.workers import SETTINGS, Books, until
from tests.integration.working_fund import FAMILIES, WorkingFund, send, with_clearing

KILLS = int(os.environ.get("KILLS", "100"))
KILLS_A_ROUND = 10
SEED = int(os.environ.get("SEED", "20260227"))
FUNDS = {"310100": 10_000_000, "390100": 7_000_000}
BANK = "102100000030"
FIRST_DAY = date(2026, 3, 2)
"""A Monday: every day of a round is worked."""
HANDING = [f"hand_over.{step}" for step in ("unsynced", "written", "archived", "archive_synced", "renamed")]
LIMIT_S = 240.0


def number(fund: str) -> str:
    return f"6222{fund}0001"


@dataclass
class Part:
    """A process that is started again whenever it is dead."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    points: Sequence[str]
    folder: Path
    running: BaseProcess | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self, crash_at: str = "") -> None:
        told = {**self.environment, **({"CRASH_AT": crash_at} if crash_at else {})}
        self.running = child.start(self.arguments, environment=told, log=str(self.log))

    @property
    def alive(self) -> bool:
        return self.running is not None and self.running.is_alive()

    def kill(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.join(10)


@dataclass
class Killer:
    """Kills one part after the other, at a moment or at a point of its work, as often as it is allowed."""

    parts: Sequence[Part]
    random: random.Random
    allowed: int = 0
    kills: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.kills.values())

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0.05, 0.5))
            part = self.random.choice(self.parts)
            if part.alive and self.total < self.allowed:
                part.kill()
            for one in self.parts:
                if not one.alive:
                    self._again(one)

    async def has_killed(self) -> bool:
        return self.total >= self.allowed

    def calm(self) -> None:
        """From now on everybody lives."""
        for part in self.parts:
            part.kill()
            part.start()

    def _again(self, part: Part) -> None:
        assert part.running is not None
        assert part.running.exitcode == -signal.SIGKILL, f"{part.name} ended by itself:\n{tail(part.log)}"
        self.kills[part.name] = self.kills.get(part.name, 0) + 1
        by_point = self.total < self.allowed and self.random.random() < 0.5
        part.start(f"{self.random.choice(part.points)}:{self.random.randint(1, 4)}" if by_point else "")


@dataclass
class City:
    """Providers in each lane that call everything alike, one area, the parts that work, and the bank."""

    books: Books
    funds: list[WorkingFund]
    hospitals: Mapping[int, Sequence[str]]
    """By lane."""
    area: WorkingFund
    parts: list[Part]
    bank: Part
    folder: Path
    runs: int = 0

    @property
    def connection(self) -> asyncpg.Connection:
        return self.funds[0].connections["clearing"]

    async def begin(self) -> None:
        self.area.deposit({fund: 100 * fen for fund, fen in FUNDS.items()}, on=f"{FIRST_DAY - timedelta(days=30)}")
        for fund in self.funds:
            for hospital in self.hospitals[fund.lane]:
                fund.put("provider.registered.v1", provider=hospital, bank_account_ref=f"acct-{hospital}")
            fund.policy()
            for staff in ("anna", "bo"):
                fund.mandate(staff)
        await send(self.funds)

    async def round(self, number: int) -> None:
        """A day of claims: submitted, approved by two people, sent in a run of each fund."""
        day = FIRST_DAY + timedelta(days=number)
        served, on = (f"{day - timedelta(days=before)}" for before in (2, 1))
        for fund in self.funds:
            for more, hospital in enumerate(self.hospitals[fund.lane]):
                fund.provider = hospital
                fund.settlements.clear()
                fund.settle({name: fen // 100 + number + 5_000 * more for name, fen in FUNDS.items()}, day=served)
                fund.submit(f"D-{number:02d}", first=served, last=served, on=on, mode="DAY")
        await send(self.funds)
        await self.funds[0].drain()
        for fund in self.funds:
            fund.day(f"{day}")
        await send(self.funds)
        await self.funds[0].drain()
        for fund in self.funds:
            ordered = await self.payments("ORDERED", fund.lane)
            for hospital in self.hospitals[fund.lane]:
                waiting = [one for one in ordered if one["provider"] == hospital]
                told = {"payments": [one["payment_ref"] for one in waiting], "provider": hospital}
                total = money.yuan(sum(fen for one in waiting for fen in one["amounts"].values()))
                for staff in ("anna", "bo"):
                    fund.put("payment.approval.given.v1", **told, total=total, staff_ref=staff)
        await send(self.funds)
        await self.funds[0].drain()
        for name in FUNDS:
            await self.send_run(name, day)

    async def send_run(self, fund: str, day: date) -> None:
        wanted = planning.Wanted(events.AREA, fund, "1002", date(2099, 12, 31), day)
        plan = await planning.plan(self.connection, wanted)
        if plan.payments:
            self.runs += 1
            run = planning.run(plan, run_ref=planning.run_ref(wanted, self.runs), staff_ref="anna")
            for one in self.funds:
                one.put_run(run)
            await send(self.funds)

    async def payments(self, status: str | None = None, lane: int | None = None) -> list[dict[str, Any]]:
        rows = await self.funds[0].control.fetch(
            "select body from clearing.payments"
            " where ($1::text is null or status = $1) and ($2::int is null or lane = $2) order by payment_ref",
            status,
            lane,
        )
        return [msgspec.json.decode(row["body"]) for row in rows]

    async def settled(self) -> bool:
        return {one["status"] for one in await self.payments()} == {"SETTLED"}

    def counted(self) -> dict[str, tuple[int, int, str, int]]:
        """By the bank, of each payment: how often it was asked, how often it paid, to which account, and how much."""
        kept = json.loads((self.folder / "bank.json").read_text(encoding="utf-8"))
        return {
            name: (one["asked"], one["paid"], one["transfer"]["creditor"]["number"], one["transfer"]["amount"])
            for name, one in kept["payments"].items()
        }

    def balance(self, account: str) -> int:
        """What the bank has on it."""
        kept = json.loads((self.folder / "bank.json").read_text(encoding="utf-8"))
        return int(kept["customers"][account]["balance"])


def number_of(hospital: str) -> str:
    return f"62229{hospital[1:]}"


def accounts_of(folder: Path, hospitals: Sequence[str]) -> tuple[Path, Path]:
    """The register of the fund, and the bank's own list of accounts."""
    own = [
        {"area": events.AREA, "fund": fund, "bank_account": "1002", "number": number(fund), "name": fund, "bank": BANK}
        for fund in FUNDS
    ]
    payees = {
        f"acct-{hospital}": {"number": number_of(hospital), "name": f"医院 {hospital}", "bank": BANK}
        for hospital in hospitals
    }
    register = folder / "accounts.json"
    register.write_bytes(msgspec.json.encode({"own": own, "payees": payees}))
    held = [
        {"number": number(fund), "name": fund, "bank": BANK, "balance": money.yuan(100 * fen)}
        for fund, fen in FUNDS.items()
    ]
    known = folder / "bank-accounts.json"
    known.write_bytes(msgspec.json.encode(held))
    return register, known


@pytest.fixture
async def city(request: pytest.FixtureRequest, books: Books, folder: Path) -> AsyncIterator[City]:
    """With one hospital in each lane, or as many as are asked for."""
    hospitals = {lane: events.providers(lane, LANES, getattr(request, "param", 1)) for lane in range(LANES)}
    await with_clearing(books.database)
    books.services["clearing"] = FAMILIES
    register, known = accounts_of(folder, [one for each in hospitals.values() for one in each])
    common = {
        **os.environ, **SETTINGS, "KAFKA_BOOTSTRAP": books.bootstrap, "MEDFUND_LANES": str(LANES),
        "MEDFUND_TOPIC_PREFIX": books.prefix, "LEASE_S": "1.0", "RENEW_S": "0.2",
        "CLEARING_WORKER_DSN": books.database.dsn("worker", "clearing"),
        "LEDGER_WORKER_DSN": books.database.dsn("worker"),
        "CLEARING_BANK_DSN": books.database.dsn("bank", "clearing"),
        "MEDFUND_BANK_FOLDER": str(folder / "shared"), "MEDFUND_BANK_ACCOUNTS": str(register),
    }  # fmt: skip
    at_the_bank = (
        "medfund.bank", "--root", str(folder / "shared"), "--accounts", str(known), "--state",
        str(folder / "bank.json"), "--day", f"{FIRST_DAY}", "--follow",
    )  # fmt: skip
    parts = [
        Part("clearing", ("clearing", "work"), {**common, "WORKER_NAME": "clearing"}, [*POINTS, "before_sent"], folder),
        Part("ledger", ("ledger", "work"), {**common, "WORKER_NAME": "ledger"}, POINTS, folder),
        Part("files", ("clearing", "bank"), common, [*HANDING, "taking", "taken", "done.before", "moved"], folder),
        Part("bank", at_the_bank, common,
             [*HANDING, *(f"bank.{step}" for step in ("taken", "decided", "committed", "posted"))], folder),
    ]  # fmt: skip
    control = await asyncpg.connect(books.database.admin)
    worker = await connect.opened(books.database.dsn("worker", "clearing"), timeout=30)
    funds = [WorkingFund(control, {"clearing": worker}, lane=lane, books=books) for lane in range(LANES)]
    area = funds[partition.lane_of(events.AREA.encode(), LANES)]
    try:
        yield City(books, funds, hospitals, area, parts, parts[-1], folder)
    finally:
        for part in parts:
            part.kill()
            print(tail(part.log))  # noqa: T201 - shown where the test failed
        await control.close()
        await worker.close()


@pytest.mark.timeout(900)
async def test_every_payment_is_sent_and_paid_once_whoever_is_killed_whenever(city: City) -> None:
    print(f"\nrun it alone: SEED={SEED} pytest {__file__}")  # noqa: T201
    killer = await killed(city, KILLS)
    assert min(killer.kills.values()) >= KILLS / 25


@pytest.mark.parametrize("city", [2], indirect=True)
@pytest.mark.timeout(300)
async def test_two_hospitals_of_one_lane_that_call_everything_alike_are_paid_once_each_on_its_own_account(
    city: City,
) -> None:
    await killed(city, 2 * KILLS_A_ROUND)
    named = Counter(one["payment_ref"] for one in await city.payments())
    assert {*named.values()} == {2 * LANES}


async def killed(city: City, kills: int) -> Killer:
    """Rounds of payments, with so many kills; then each is asked for once, and paid once on the right account."""
    for part in city.parts:
        part.start()
    killer = Killer(city.parts, random.Random(SEED))
    await city.begin()
    rounds = kills // KILLS_A_ROUND
    async with asyncio.TaskGroup() as group:
        killing = group.create_task(killer.run())
        for number in range(1, rounds + 1):
            killer.allowed = number * KILLS_A_ROUND
            await city.round(number)
            await until(killer.has_killed, "as many kills as are due")
        killing.cancel()
    killer.calm()
    await until(city.settled, "every payment is settled", limit_s=LIMIT_S)
    payments = await city.payments()
    print(f"{killer.kills} in {rounds} rounds, {len(payments)} payments in {city.runs} runs")  # noqa: T201
    assert killer.total >= kills
    assert len(payments) == rounds * len(FUNDS) * sum(map(len, city.hospitals.values()))
    assert city.counted() == {
        end_to_end_id(one["provider"], one["payment_ref"]): (
            1, 1, number_of(one["provider"]), sum(one["amounts"].values()),
        )
        for one in payments
    }  # fmt: skip
    await hold(city, payments)
    return killer


async def hold(city: City, payments: Sequence[Mapping[str, Any]]) -> None:
    """The bank's day ends, and is the books' day, in both services."""
    city.bank.kill()
    ending = Part("ending", [*city.bank.arguments[:-1], "--once", "--close"], city.bank.environment, [], city.folder)
    ending.start()
    await until(lambda: _ended(ending), "the bank closes its day")

    async def told() -> bool:
        return bool(await city.books.value("select count(*) = 2 from clearing.bank_statements"))

    await until(told, "both statements are taken in")
    await city.books.booked()
    assert await city.books.value("select count(*) from clearing.suspense") == 0
    for fund in FUNDS:
        fen = city.balance(number(fund))
        paid = sum(one["amounts"].get(fund, 0) for one in payments)
        assert fen == 100 * FUNDS[fund] - paid
        for question in (
            "select sum(fen) from clearing.moves where fund = $1 and bank_account = '1002'",
            "select sum(debit - credit) from ledger.buckets where fund = $1 and account = '1002'",
            "select sum(debit - credit) from ledger.buckets where fund = $1 and account = 'EXP_CASH'",
            "select closing from clearing.bank_statements where fund = $1",
        ):
            assert await city.books.value(question, fund) == fen, question
    records = [dict(record.headers)["ce_type"] for record in await city.books.records("bank")]
    assert b"bank.mismatch.found.v1" not in records
    report = await city.books.proof()
    assert report.ok, report.problems


async def _ended(part: Part) -> bool:
    return not part.alive
