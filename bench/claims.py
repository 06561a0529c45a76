"""`make claims`: a month of claims, from what was recorded to the last payment, and when each was due.

Every provider has settlements of two kinds, and claims each kind with its count, sums and Merkle root, on one of four
days. All of it is on the log before the workers of clearing and ledger start. What is measured is the month's close:
from there to the last instant payment that is ordered, and from the audit, one finding for so many settlements and
their sum deducted, to the last approval in the books. In between and at the end money leaves by `bench.door`. Then
nothing is left as recorded or as claimed, the expense is what was approved, the bank has what the books have, and each
claim's due day is shown beside the day when it was paid in full, as the API has them.
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
import httpx
from aiokafka.producer.message_accumulator import BatchBuilder
from rich.console import Console
from rich.table import Table

from bench.door import Door, registration
from bench.ground import LANES, PREFIX, Ground, peak_mib, processor_s
from bench.saying import RESULTS, commit, machine, say
from bench.writing import Writing, in_lane
from bench.writing import producer as writing_to
from clearing.app import create
from clearing.settings import ApiSettings
from medfund import calendar, merkle, money
from medfund.city.model import uuid7
from medfund.events.agency import policy_hash
from medfund.http import tokens
from medfund.lanes import partition
from tests import events

BAR_S = 120.0
FULL = 1_000_000
LIMIT_S = 600.0
SEED = 1
FIRST, DAYS = date(2026, 1, 1), 31
SUBMITTED = "2026-02-06", "2026-02-10", "2026-02-11", "2026-02-12"
"""The cut-off is the tenth: who is later starts a clock of its own."""
PAID_AT_ONCE, FIRST_PAYMENT = "2026-02-13", date(2026, 2, 14)
AUDITED, LAST_PAYMENT = "2026-03-04", date(2026, 3, 5)
LOOKED_AT = "2026-03-31"
FUNDS = "310100", "310200"
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
    submitted_on: str
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
            settlement_root=merkle.root(refs).hex(), amounts=yuans(self.sums), submitted_on=self.submitted_on,
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
            on = SUBMITTED[number % len(SUBMITTED)]
            mine = {clr_type: Claim(provider, lane, clr_type, on) for clr_type in (OUTPATIENT, INPATIENT)}
            self._mine.append(mine)

    @property
    def claims(self) -> dict[str, Claim]:
        """By batch, as soon as everything is recorded. Who has nothing of a kind claims nothing."""
        return {claim.batch: claim for mine in self._mine for claim in mine.values() if claim.refs}

    @property
    def names(self) -> list[str]:
        """Of the providers."""
        return [claim.provider for mine in self._mine for claim in mine.values() if claim.clr_type == OUTPATIENT]

    def registrations(self) -> Iterator[tuple[int, events.Message]]:
        for mine in self._mine:
            claim = mine[OUTPATIENT]
            yield claim.lane, registration(claim.provider)
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
        funds = dict(zip(FUNDS, (basic, basic // 7) if stay else (basic,), strict=False))
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
    """The days and the audit: they hear what clearing decides."""

    def __init__(self, month: Month, writing: Writing) -> None:
        self._claims = month.claims
        self._writing = writing
        self._in_lane = Counter(claim.lane for claim in self._claims.values())
        self.counted: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def hear(self, consumer: aiokafka.AIOKafkaConsumer, wanted: str) -> None:
        """Until that was decided of every claim, or something is wrong."""
        deadline = time.monotonic() + LIMIT_S
        while self.counted[wanted] < len(self._claims) and not self.wrong:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not {wanted} after {LIMIT_S:.0f} s: {dict(self.counted)}")
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    await self._heard(record)

    async def _heard(self, record: Any) -> None:
        type = dict(record.headers)["ce_type"].decode().removesuffix(".v1")
        self.counted[type] += 1
        match type:
            case "claim.batch.rejected" | "fact.disputed" | "payment.withheld":
                self.wrong.append(f"{type}: {record.value.decode()}")
            case "claim.batch.accepted":
                self._in_lane[record.partition] -= 1
                if self._in_lane[record.partition] == 0:
                    await self.open(PAID_AT_ONCE, record.partition)

    async def open(self, day: str, *lanes: int) -> None:
        told = {"date": day, "working_day": True, "calendar_version": calendar.shipped().version}
        for lane in lanes:
            await self._writing.put(lane, in_lane(lane, "day.opened.v1", id=f"day-{day}-{lane}", **told))

    async def audit(self) -> None:
        for claim in self._claims.values():
            for message in claim.audit():
                await self._writing.put(claim.lane, message)


async def reached(
    connection: asyncpg.Connection, consumer: aiokafka.AIOKafkaConsumer, service: str, family: str
) -> None:
    """Wait until a service has taken all that is on a topic now."""
    ends = await consumer.end_offsets([aiokafka.TopicPartition(f"{PREFIX}.{family}", lane) for lane in range(LANES)])
    query = f"select lane, next_offset from {service}.positions where topic = $1"  # noqa: S608 - ours
    taken: dict[int, int] = {}
    while any(end > taken.get(partition.partition, 0) for partition, end in ends.items()):
        await asyncio.sleep(0.02)
        taken = dict(map(tuple, await connection.fetch(query, family)))


async def compared(connection: asyncpg.Connection, month: Month, at_the_bank: int) -> list[str]:
    """What the books should say and do not."""
    query = "select account, sum(debit - credit)::bigint from ledger.buckets where book = 'OPS' group by account"
    found: dict[str, int] = dict(map(tuple, await connection.fetch(query)))
    claims = month.claims.values()
    expense = sum(claim.sums.total() - sum(claim.deducted.values()) for claim in claims)
    wanted = {"1002": at_the_bank, "2100": 0, "2101": 0, "5001": expense}
    return [
        f"account {account} is {money.yuan(found.get(account, 0))} instead of {money.yuan(fen)}"
        for account, fen in wanted.items()
        if found.get(account, 0) != fen
    ]


async def due_days(ground: Ground) -> list[dict[str, Any]]:
    """For each due day how many claims had it, when they were paid in full, and how many of them were late."""
    keys = tokens.make_keys(ground.folder)
    settings = {
        "kafka_bootstrap": ground.kafka.address,
        "MEDFUND_LANES": LANES,
        "MEDFUND_TOPIC_PREFIX": PREFIX,
        "CLEARING_API_DSN": ground.environment["CLEARING_API_DSN"],
        "MEDFUND_TOKEN_PUBLIC_KEY": keys.public,
    }
    app = create(ApiSettings.model_validate(settings))
    token = tokens.issue(tokens.load_key(keys.private), role="finance", areas=("*",), organisations=("*",), sources=(),
                         subject="bench", ttl_s=3600)  # fmt: skip
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clearing", timeout=60,
                               headers={"Authorization": f"Bearer {token}"})  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    async with app.router.lifespan_context(app), client:
        cursor = None
        while cursor is not None or not found:
            asked: dict[str, Any] = {"as_of": LOOKED_AT, "limit": 200, **({"cursor": cursor} if cursor else {})}
            answer = (await client.get("/v1/claims", params=asked)).raise_for_status().json()
            cursor = answer["next"]
            for one in answer["claims"]:
                day = found.setdefault(
                    one["due"], {"due": one["due"], "claims": 0, "paid": 0, "last_paid": "", "late": 0}
                )
                day["claims"] += 1
                day["paid"] += one["paid"]
                day["last_paid"] = max(day["last_paid"], one["paid_on"] or "")
                day["late"] += (one["paid_on"] or LOOKED_AT) > one["due"]
    return list(found.values())


# -- what it takes


async def measure(ground: Ground, month: Month, *, workers: int) -> dict[str, Any]:
    """What each part took, and what went into the close."""
    await ground.start()
    times: dict[str, float] = {}
    producer = writing_to(ground.kafka.address)
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=ground.kafka.address, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    connection, tables = await ground.connect(), await ground.connect("clearing")
    writing = Recording(producer)
    door = Door(ground, writing, tables, FUNDS)
    try:
        say(f"recording {month.settlements:,} settlements of {month.providers:,} providers")
        with _stopwatch(times, "recording"):
            for lane, message in [*door.begin(month.names), *month.registrations()]:
                await writing.put(lane, message)
            await writing.fill(month)
        await connection.execute("checkpoint")
        consumer.assign([aiokafka.TopicPartition(f"{PREFIX}.clearing", lane) for lane in range(LANES)])
        world = World(month, writing)
        say(f"{len(month.claims):,} claims: from the log to the last payment")
        return await _followed(ground, month, world, door, consumer, connection, times, workers=workers)
    finally:
        door.close()
        await tables.close()
        await connection.close()
        await consumer.stop()
        await producer.stop()


async def _followed(
    ground: Ground, month: Month, world: World, door: Door, consumer: aiokafka.AIOKafkaConsumer,
    connection: asyncpg.Connection, times: dict[str, float], *, workers: int,
) -> dict[str, Any]:  # fmt: skip
    names = ["clearing"] * workers + ["ledger"]
    commands = [("-m", name, "work") for name in names]
    used = dict.fromkeys([*names, "database"], 0.0)
    with ground.processes(commands) as processes:

        @contextmanager
        def closing(name: str) -> Iterator[None]:
            """A part of the close: what it takes of whom."""
            before = _processors(ground, names, processes)
            with _stopwatch(times, name):
                yield
            for whose, spent in _processors(ground, names, processes).items():
                used[whose] += spent - before[whose]

        with closing("paid at once"):
            await world.hear(consumer, "instant.payment.approved")
        with ground.processes([("-m", "clearing", "bank")]), _stopwatch(times, "first payments"):
            payments = await door.pay(FIRST_PAYMENT)
        with closing("audited"):
            await world.open(AUDITED, *range(LANES))
            await world.audit()
            await world.hear(consumer, "claim.batch.approved")
            await reached(connection, consumer, "ledger", "clearing")
        with ground.processes([("-m", "clearing", "bank")]), _stopwatch(times, "last payments"):
            payments += await door.pay(LAST_PAYMENT)
        await world.open(LOOKED_AT, *range(LANES))
        for service, family in (("clearing", "time"), ("ledger", "bank"), ("ledger", "clearing")):
            await reached(connection, consumer, service, family)
        peak = max(map(peak_mib, processes))
    due = await due_days(ground)
    late = [f"{day['late']} claims due on {day['due']} were not paid by then" for day in due if day["late"]]
    return {
        "claims": len(month.claims),
        "findings": sum(len(claim.doubted) for claim in month.claims.values()),
        "payments": payments,
        "seconds": round(times["paid at once"] + times["audited"], 2),
        "parts_s": times,
        "processor_s": {name: round(spent, 2) for name, spent in used.items()},
        "peak_mib": round(peak, 1),
        "decisions": dict(sorted(world.counted.items())),
        "due": due,
        "wrong": world.wrong[:20] + late + await compared(connection, month, door.balance),
    }


def _processors(ground: Ground, names: Sequence[str], processes: Sequence[Any]) -> dict[str, float]:
    found = dict.fromkeys(names, 0.0)
    for name, process in zip(names, processes, strict=True):
        found[name] += processor_s(process.pid)
    return {**found, "database": ground.database_s()}


def shown(due: Sequence[dict[str, Any]]) -> Table:
    table = Table("due", "claims", "paid in full", "last paid on", "late", title="when claims were due, and paid")
    for day in due:
        table.add_row(*map(str, day.values()))
    return table


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
    Console().print(shown(result["due"]))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
