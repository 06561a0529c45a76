"""`make claims`: a month of claims, from what was recorded to the last approval in the books.

Every provider has settlements of two kinds, and claims each kind with its count, sums and Merkle root. All of it is on
the log before the workers of clearing and ledger start. What follows then from outside is told as soon as clearing
asks for it: the next working day once a lane's claims are accepted, the bank's answer to an instant payment, and after
it the audit of that claim: one finding for so many settlements, and their sum deducted. The approval takes back what
was paid at once. In the end nothing is left as recorded or as claimed, and the expense is what was approved.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiokafka
import asyncpg
import msgspec
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.__main__ import RESULTS, commit, machine, say
from bench.ground import LANES, PREFIX, Ground, peak_mib, processor_s
from bench.writing import Writing, in_lane
from bench.writing import producer as writing_to
from medfund import calendar, merkle, money
from medfund.city.model import uuid7
from medfund.events.agency import policy_hash
from medfund.lanes import partition
from tests import events

BAR_S = 120.0
FULL = 1_000_000
LIMIT_S = 600.0
SEED = 1
FIRST, DAYS = date(2026, 1, 1), 31
SUBMITTED, PAID_AT_ONCE, BANK = "2026-02-06", "2026-02-09", "2026-02-10"
POLICY = {"instant.ratio": "0.90", "instant.stat": "TEMP", "bond.310100": "0.05", "bond.390100": "0.05"}
OUTPATIENT, INPATIENT = "11", "21"
INPATIENT_SHARE = 8
"""One settlement in so many is of a stay."""
DOUBTED_SHARE = 333
"""One in so many is doubted, for a tenth of its basic fund's part."""
LARGE = 10
"""The larger it is, the less unequal are the providers."""

Funds = dict[str, int]
Written = tuple[int, bytes, bytes, list[tuple[str, bytes]]]
"""Lane, key, value and headers."""


@dataclass
class Claim:
    """What one provider claims of one kind."""

    provider: str
    lane: int
    clr_type: str
    refs: bytearray = field(default_factory=bytearray)
    sums: Counter[str] = field(default_factory=Counter)
    doubted: list[tuple[str, Funds]] = field(default_factory=list)
    """Settlements, and what of them is deducted."""

    @property
    def batch(self) -> str:
        return f"{self.provider}-310-{self.clr_type}-202601"

    @property
    def deducted(self) -> Funds:
        return dict(sum((Counter(part) for _, part in self.doubted), Counter()))

    def add(self, ref: str, funds: Funds, *, doubted: bool) -> None:
        self.refs += bytes.fromhex(ref)
        self.sums.update(funds)
        if doubted:
            self.doubted.append((ref, {"310100": -(-funds["310100"] // 10)}))

    def submission(self) -> events.Message:
        refs = [bytes(self.refs[at : at + 16]) for at in range(0, len(self.refs), 16)]
        return self._told(
            "claim.batch.submitted.v1", self.batch, batch=self.batch, clr_way="3", period_from=str(FIRST),
            period_to=str(FIRST + timedelta(days=DAYS - 1)), settlements=len(refs),
            settlement_root=merkle.root(refs).hex(), amounts=yuans(self.sums), submitted_on=SUBMITTED,
        )  # fmt: skip

    def paid(self, payment_ref: str, amounts: dict[str, str]) -> events.Message:
        return events.message(
            "bank.payment.settled.v1", id=payment_ref, provider=self.provider, payment_ref=payment_ref,
            bank_txn=payment_ref, value_date=BANK, amounts=amounts,
        )  # fmt: skip

    def audit(self) -> Iterator[events.Message]:
        for number, (ref, amounts) in enumerate(self.doubted):
            yield events.message(
                "audit.finding.raised.v1", id=f"{self.batch}/F{number}", provider=self.provider, batch=self.batch,
                finding_ref=f"F{number}", amounts=yuans(amounts), settlement_ref=ref,
            )  # fmt: skip
        yield self._told(
            "audit.deduction.finalised.v1", f"{self.batch}/D", batches=[self.batch], amounts=yuans(self.deducted)
        )

    def _told(self, type: str, id: str, **data: Any) -> events.Message:
        return events.message(
            type, id=id, provider=self.provider, insutype="310", clr_type=self.clr_type, benefit_year=2026,
            advanced=[], **data,
        )  # fmt: skip


def yuans(amounts: Funds) -> dict[str, str]:
    return {fund: money.yuan(fen) for fund, fen in sorted(amounts.items())}


# -- what is recorded


@dataclass
class Month:
    """The settlements of a month, the same for the same seed. Keeps 16 bytes of each."""

    settlements: int
    providers: int

    def __post_init__(self) -> None:
        self._random = random.Random(SEED)
        self._mine: list[dict[str, Claim]] = []
        for number in range(self.providers):
            provider = f"H152502{number:05d}"
            lane = partition.lane_of(provider.encode(), LANES)
            mine = {clr_type: Claim(provider, lane, clr_type) for clr_type in (OUTPATIENT, INPATIENT)}
            self._mine.append(mine)

    @property
    def claims(self) -> dict[str, Claim]:
        """By batch, as soon as everything is recorded. Who has nothing of a kind claims nothing."""
        return {claim.batch: claim for mine in self._mine for claim in mine.values() if claim.refs}

    def registrations(self) -> Iterator[tuple[int, events.Message]]:
        for mine in self._mine:
            claim = mine[OUTPATIENT]
            yield claim.lane, events.registered(claim.provider, id=f"reg-{claim.provider}")
        for lane in range(LANES):
            policy = {"valid_from": "2025-01-01", "hash": policy_hash(POLICY), "parameters": POLICY}
            yield lane, in_lane(lane, "policy.published.v1", id=f"policy-{lane}", **policy)

    def records(self) -> Iterator[Written]:
        """Each settlement, day by day, the providers in a random order."""
        ratio = (LARGE + self.providers) / LARGE
        for number in range(self.settlements):
            day = FIRST + timedelta(days=number * DAYS // self.settlements)
            place = min(int(LARGE * ratio ** self._random.random()) - LARGE, self.providers - 1)
            yield self._record(number, day, self._mine[place])

    def _record(self, number: int, day: date, mine: dict[str, Claim]) -> Written:
        stay = number % INPATIENT_SHARE == 0
        claim = mine[INPATIENT if stay else OUTPATIENT]
        basic = 1000 + self._random.getrandbits(19 if stay else 14)
        funds = {"310100": basic, "310200": basic // 7} if stay else {"310100": basic}
        ref = f"{self._random.getrandbits(128):032x}"
        claim.add(ref, funds, doubted=number % DOUBTED_SHARE == 0)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=number % 86_400)
        value = VALUE % (
            ref, claim.provider, claim.clr_type, claim.clr_type, day, money.yuan(sum(funds.values())),
            ",".join(f'"{fund}":"{money.yuan(fen)}"' for fund, fen in funds.items()),
        )  # fmt: skip
        id = uuid7(int(at.timestamp() * 1000), self._random)
        headers = events.headers("settlement.recorded.v1", id, events.SOURCE, f"{day}T10:15:30+08:00")
        return claim.lane, claim.provider.encode(), value.encode(), list(headers)


VALUE = (
    '{"settlement_ref":"%s","area":"152500","insured_area":"152500","provider":"%s","insutype":"310","med_type":"%s",'
    '"clr_type":"%s","clr_way":"3","service_date":"%s","benefit_year":2026,"total":"%s","funds":{%s},'
    '"personal_account":"0.00","family_account":"0.00","hospital_share":"0.00","other":"0.00","cash":"0.00",'
    '"advanced":[]}'
)


class Recording(Writing):
    """Whole batches of settlements, and what is claimed of them."""

    async def fill(self, month: Month) -> None:
        """All settlements, then their claims."""
        batches: dict[int, BatchBuilder] = {lane: self._producer.create_batch() for lane in range(LANES)}
        for lane, key, value, headers in month.records():
            if batches[lane].append(timestamp=None, key=key, value=value, headers=headers) is None:
                await self._send(lane, batches[lane])
                batches[lane] = self._producer.create_batch()
                batches[lane].append(timestamp=None, key=key, value=value, headers=headers)
        for lane, batch in batches.items():
            await self._send(lane, batch)
        await self.confirmed()
        for claim in month.claims.values():
            await self.put(claim.lane, claim.submission())
        await self.confirmed()

    async def _send(self, lane: int, batch: BatchBuilder) -> None:
        await self.wait_for(await self._producer.send_batch(batch, f"{PREFIX}.claims", partition=lane))


@contextmanager
def _stopwatch(times: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    times[name] = round(time.monotonic() - began, 2)


# -- what follows


class World:
    """The days, the bank and the audit: they hear what clearing decides, and answer it."""

    def __init__(self, month: Month, writing: Writing) -> None:
        self._claims = month.claims
        self._writing = writing
        self._in_lane = Counter(claim.lane for claim in self._claims.values())
        self._unpaid: Counter[str] = Counter()
        """Of each claim: the funds whose P1 the bank has not answered."""
        self.counted: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.last: dict[str, float] = {}
        """When the last decision of a type was heard."""
        self.approved: dict[int, int] = {}
        """The place of each lane's last approval."""

    async def hear(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """Until every claim is approved, or something is wrong."""
        deadline = time.monotonic() + LIMIT_S
        while self.counted["claim.batch.approved"] < len(self._claims) and not self.wrong:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not approved after {LIMIT_S:.0f} s: {dict(self.counted)}")
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    await self._answer(record)

    async def _answer(self, record: Any) -> None:
        type = dict(record.headers)["ce_type"].decode().removesuffix(".v1")
        told = msgspec.json.decode(record.value)
        self.counted[type] += 1
        self.last[type] = time.monotonic()
        match type:
            case "claim.batch.rejected" | "fact.disputed":
                self.wrong.append(f"{type}: {told}")
            case "claim.batch.accepted":
                await self._accepted(record.partition)
            case "payment.ordered" if told["purpose"] == "INSTANT":
                claim = self._claims[told["payable_ref"]]
                self._unpaid[claim.batch] += 1
                await self._writing.put(claim.lane, claim.paid(told["payment_ref"], told["amounts"]))
            case "payment.settled":
                claim = self._claims[told["payable_ref"]]
                self._unpaid[claim.batch] -= 1
                for message in claim.audit() if not self._unpaid[claim.batch] else ():
                    await self._writing.put(claim.lane, message)
            case "claim.batch.approved":
                self.approved[record.partition] = record.offset

    async def _accepted(self, lane: int) -> None:
        self._in_lane[lane] -= 1
        if self._in_lane[lane] == 0:
            version = calendar.shipped().version
            day = {"date": PAID_AT_ONCE, "working_day": True, "calendar_version": version}
            await self._writing.put(lane, in_lane(lane, "day.opened.v1", id=f"day-{lane}", **day))


async def booked(connection: asyncpg.Connection, approved: dict[int, int]) -> None:
    """Wait until the ledger has booked every approval."""
    query = "select lane, next_offset from ledger.positions where topic = 'clearing'"
    reached: dict[int, int] = {}
    while any(last >= reached.get(lane, 0) for lane, last in approved.items()):
        await asyncio.sleep(0.02)
        reached = dict(await connection.fetch(query))


async def compared(connection: asyncpg.Connection, month: Month) -> list[str]:
    """What the books should say and do not."""
    query = "select account, sum(debit - credit)::bigint from ledger.buckets where book = 'OPS' group by account"
    found = dict(await connection.fetch(query))
    claims = month.claims.values()
    expense = sum(claim.sums.total() - sum(claim.deducted.values()) for claim in claims)
    wanted = {"2100": 0, "2101": 0, "5001": expense}
    return [
        f"account {account} is {money.yuan(found.get(account, 0))} instead of {money.yuan(fen)}"
        for account, fen in wanted.items()
        if found.get(account, 0) != fen
    ]


# -- what it takes


async def measure(ground: Ground, month: Month, *, workers: int) -> dict[str, Any]:
    """Seconds from the start of the workers to the last approval in the books, and what went into them."""
    await ground.start()
    times: dict[str, float] = {}
    producer = writing_to(ground.kafka.address)
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=ground.kafka.address, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    connection = await ground.connect()
    try:
        writing = Recording(producer)
        say(f"recording {month.settlements:,} settlements of {month.providers:,} providers")
        with _stopwatch(times, "recording"):
            for lane, message in month.registrations():
                await writing.put(lane, message)
            await writing.fill(month)
        await connection.execute("checkpoint")
        consumer.assign([aiokafka.TopicPartition(f"{PREFIX}.clearing", lane) for lane in range(LANES)])
        world = World(month, writing)
        say(f"{len(month.claims):,} claims: from the log to the last approval in the books")
        return {**times, **await _followed(ground, month, world, consumer, connection, workers=workers)}
    finally:
        await connection.close()
        await consumer.stop()
        await producer.stop()


async def _followed(
    ground: Ground, month: Month, world: World, consumer: aiokafka.AIOKafkaConsumer,
    connection: asyncpg.Connection, *, workers: int,
) -> dict[str, Any]:  # fmt: skip
    names = ["clearing"] * workers + ["ledger"]
    database = ground.database_s()
    began = time.monotonic()
    with ground.processes([("-m", name, "work") for name in names]) as processes:
        await world.hear(consumer)
        if not world.wrong:
            await booked(connection, world.approved)
        seconds = time.monotonic() - began
        used = dict.fromkeys(names, 0.0)
        for name, process in zip(names, processes, strict=True):
            used[name] += processor_s(process.pid)
        used["database"] = ground.database_s() - database
        peak = max(map(peak_mib, processes))
    return {
        "claims": len(month.claims),
        "findings": sum(len(claim.doubted) for claim in month.claims.values()),
        "seconds": round(seconds, 2),
        "heard_last_s": {type: round(at - began, 2) for type, at in sorted(world.last.items())},
        "processor_s": {name: round(spent, 2) for name, spent in used.items()},
        "peak_mib": round(peak, 1),
        "decisions": dict(sorted(world.counted.items())),
        "wrong": world.wrong[:20] or await compared(connection, month),
    }


@contextmanager
def folder(chosen: Path | None) -> Iterator[Path]:
    """The given folder, or a temporary one; emptied at the start, and gone at the end."""
    made = chosen.absolute() if chosen else Path(tempfile.mkdtemp(prefix="medfund-claims-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.claims", description=__doc__)
    parser.add_argument("--settlements", type=int, default=FULL)
    parser.add_argument("--providers", type=int, default=700)
    parser.add_argument("--workers", type=int, default=1, help="workers of clearing; the ledger has one")
    parser.add_argument("--data", type=Path, help="a folder for broker and database; emptied")
    parser.add_argument("--results", type=Path, help="where to write the result; `bench/results` unless told")
    chosen = parser.parse_args(arguments)
    month = Month(chosen.settlements, chosen.providers)
    with folder(chosen.data) as data:
        ground = Ground(data)
        try:
            result = asyncio.run(measure(ground, month, workers=chosen.workers))
        finally:
            ground.stop()
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    bar = BAR_S if chosen.settlements >= FULL else None
    ok = not result["wrong"] and (bar is None or result["seconds"] <= bar)
    told = {
        "date": day, "commit": commit(), "machine": machine(), "settlements": chosen.settlements,
        "providers": chosen.providers, "workers": chosen.workers, "bar_s": bar, **result, "ok": ok,
    }  # fmt: skip
    results = chosen.results or RESULTS / f"claims-{day}.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=2, ensure_ascii=False))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
