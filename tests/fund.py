"""A whole fund for tests: the log in memory, the clearing service and the ledger on a real database, one lane."""

import asyncio
import datetime
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import asyncpg
import msgspec

from clearing.payments import planning
from clearing.service import Clearing
from direct_pay.service import DirectPay
from ledger.service import Ledger
from medfund import calendar, merkle, money
from medfund.events.agency import policy_hash
from medfund.events.kinds import KINDS
from medfund.events.treasury import PaymentRunOpened
from medfund.lanes import partition
from medfund.lanes.decider import Decider
from medfund.lanes.lane import Lane, Limits
from medfund.lanes.service import Service
from medfund.lanes.store import SQL, Claim
from medfund.local import prepare
from medfund.postgres import connect
from tests import events
from tests.conftest import PASSWORDS, Database
from tests.simulation.memory_log import MemoryLog

LANES = 1024
OF_LANES = (
    "positions", "batches", "identities", "repeats", "quarantine", "answered", "outbox", "turns", "waiting",
    "sources",
)  # fmt: skip
"""What lanes keep for every service."""
NOT_OF_RULES = (*OF_LANES, "lanes", "commands", "errands")
LIMITS = Limits(batch_records_max=50, wait_s=0, pace_s=0)
POLICY = {
    "instant.ratio": "0.90",
    "instant.stat": "TEMP",
    "bond.310100": "0.05",
    "bond.390100": "0.05",
}
LANE = partition.lane_of(events.AREA.encode(), LANES)
"""That of the area, so that what belongs to no provider is in it too."""
[PROVIDER] = events.providers(LANE, LANES, 1)


async def of_rules(connection: asyncpg.Connection, schema: str = "clearing") -> list[str]:
    """A service's tables that follow from the log alone: whoever adds one need not name it here."""
    rows = await connection.fetch(
        "select table_name from information_schema.tables join information_schema.columns"
        " using (table_schema, table_name) where table_schema = $2 and table_type = 'BASE TABLE'"
        " and column_name = 'lane' and table_name <> all($1::text [])"
        " and not (select relispartition from pg_class where oid = ($2 || '.' || table_name)::regclass)"
        " order by table_name",
        NOT_OF_RULES,
        schema,
    )
    return [row["table_name"] for row in rows]


class Crash(Exception):
    """The process died here."""


@dataclass
class Fund:
    """One lane of a fund, with one provider at a time; several may share a database."""

    control: asyncpg.Connection
    connections: Mapping[str, asyncpg.Connection]
    """Of the two services' workers."""
    lane: int = LANE
    lanes: int = LANES
    area: str = events.AREA
    log: MemoryLog = field(default_factory=MemoryLog)
    workers: dict[str, Lane] = field(default_factory=dict)
    working: asyncio.Lock = field(default_factory=asyncio.Lock)
    crash_at: str = ""
    crashes: int = 0
    sent: int = 0
    settled: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By provider: what its settlements are called, in the same way as anybody's."""
    recorded: dict[str, dict[str, list[tuple[str, Mapping[str, int]]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """By provider and day: what it has not claimed."""

    def __post_init__(self) -> None:
        [self.provider] = events.providers(self.lane, self.lanes, 1)
        if not self.log.records("agency", self.lane):
            for message in events.registry([self.lane], self.lanes):
                self.put_message(message)

    @property
    def settlements(self) -> dict[str, list[tuple[str, Mapping[str, int]]]]:
        return self.recorded[self.provider]

    # -- the world acts

    def put(self, type: str, **data: Any) -> None:
        self.put_message(self._message(type, data))

    def _message(self, type: str, data: Mapping[str, Any]) -> events.Message:
        self.sent += 1
        example = KINDS[type].example
        of_area = {name: self.area for name in ("area", "insured_area") if name in example}
        return events.message(type, id=f"e-{self.sent}", **{**of_area, **data})

    def put_message(self, message: events.Message) -> None:
        self.log.put(message.topic, self.lane, key=message.key, value=message.value, headers=message.headers)

    def put_in_lane(self, type: str, **data: Any) -> None:
        """An event that is written into every lane."""
        message = self._message(type, data)
        self.put_message(replace(message, key=partition.lane_key(self.lane, self.lanes)))

    def place(self, item_ref: str, placed_as: str, *, by: Sequence[str] = ("anna", "bo"), **said: Any) -> None:
        """What people say an item in suspense was, one after the other."""
        for staff in by:
            self.put_in_lane("suspense.placing.requested.v1", item_ref=item_ref, placed_as=placed_as, staff_ref=staff,
                             **{"placed_on": "2026-02-09", **said})  # fmt: skip

    def register(self) -> None:
        self.put("provider.registered.v1", provider=self.provider)

    def policy(self, valid_from: str = "2025-01-01", area: str | None = None, **parameters: str) -> None:
        chosen = {**POLICY, **{name.replace("__", "."): text for name, text in parameters.items()}}
        content = {
            "area": area or self.area,
            "valid_from": valid_from,
            "hash": policy_hash(chosen),
            "parameters": chosen,
        }
        self.put_in_lane("policy.published.v1", **content)

    def settle(self, amounts: Mapping[str, int], *, day: str = "2026-01-15", clr_type: str = "21", **data: Any) -> str:
        """One settlement; its reference."""
        self.sent += 1
        insutype = data.pop("insutype", "310")
        data = {"area": self.area, "insured_area": self.area, **data}
        reference = data.get("settlement_ref") or events.reference(f"s-{len(self.settled[self.provider])}")
        self.settled[self.provider].append(reference)
        message = events.settlement(
            self.provider, id=f"s-{self.sent}", funds=dict(amounts), service_date=day, clr_type=clr_type,
            insutype=insutype, benefit_year=int(day[:4]), **{"settlement_ref": reference, **data},
        )  # fmt: skip
        self.put_message(message)
        sign = -1 if "reverses" in data else 1
        self.settlements[day].append((reference, {fund: sign * fen for fund, fen in amounts.items()}))
        return reference

    def submit(
        self, batch: str, *, first: str = "2026-01-01", last: str = "2026-01-31", on: str = "2026-02-06", **changes: Any
    ) -> None:
        """A claim of everything that was settled in a period, unless told otherwise."""
        mine = [entry for day, entries in self.settlements.items() if first <= day <= last for entry in entries]
        amounts: dict[str, int] = defaultdict(int)
        for _, funds in mine:
            for fund, fen in funds.items():
                amounts[fund] += fen
        content = {
            "provider": self.provider,
            "batch": batch,
            "insutype": "310",
            "clr_type": "21",
            "clr_way": "3",
            "benefit_year": int(last[:4]),
            "period_from": first,
            "period_to": last,
            "submitted_on": on,
            "settlements": len(mine),
            "settlement_root": merkle.root([bytes.fromhex(reference) for reference, _ in mine]).hex(),
            "amounts": {fund: money.yuan(fen) for fund, fen in sorted(amounts.items())},
            "advanced": [],
        }
        self.put("claim.batch.submitted.v1", **{**content, **changes})

    def day(self, day: str, *, worked: bool | None = None) -> None:
        """Opened when it begins, as the scheduler says it, or `worked` where its calendar does not cover the year."""
        known, date = calendar.shipped(), datetime.date.fromisoformat(day)
        worked = known.is_working_day(date) if date.year in known.notices else worked
        begins = datetime.datetime.combine(date, datetime.time(), calendar.SHANGHAI)
        self.log.clock_ms = max(self.log.clock_ms, int(begins.timestamp() * 1000))
        self.put_in_lane("day.opened.v1", date=day, working_day=worked, calendar_version=known.version)

    def deduct(self, batches: Sequence[str], amounts: Mapping[str, int], **data: Any) -> None:
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        content = {"provider": self.provider, "insutype": "310", "benefit_year": 2026, "advanced": [], **data}
        self.put("audit.deduction.finalised.v1", batches=list(batches), amounts=told, **content)

    def bank(
        self, payment_ref: str, amounts: Mapping[str, int], *, on: str, back: bool = False, txn: str | None = None
    ) -> None:
        """What the bank says of a payment, or, by their common name, of the payments of several funds."""
        for fund, fen in amounts.items():
            self.sent += 1
            name = payment_ref if payment_ref.endswith(f"/{fund}") else f"{payment_ref}/{fund}"
            common = {
                "provider": self.provider,
                "payment_ref": name,
                "bank_txn": txn or f"txn-{self.sent}",
                "value_date": on,
                "amounts": {fund: money.yuan(fen)},
            }
            self.put(f"bank.payment.{'returned' if back else 'settled'}.v1", **common)

    def find(
        self, batch: str, finding: str, amounts: Mapping[str, int], settlement: str | None = None, **data: Any
    ) -> None:
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        content = {"settlement_ref": settlement, "line_ref": None, "stage": "FIRST", **data}
        self.put("audit.finding.raised.v1", provider=self.provider, batch=batch, finding_ref=finding, amounts=told,
                 **{name: value for name, value in content.items() if value is not None})  # fmt: skip

    def appeal(self, batch: str, finding: str, upheld: Mapping[str, int] | None = None) -> None:
        """Filed, or, with what is upheld, decided."""
        common = {"provider": self.provider, "batch": batch, "finding_ref": finding}
        if upheld is None:
            self.put("audit.appeal.filed.v1", **common)
        else:
            told = {fund: money.yuan(fen) for fund, fen in upheld.items()}
            self.put("audit.appeal.decided.v1", upheld=told, **common)

    def hold(self, payable: str, amounts: Mapping[str, int], *, hold: str = "H-1", release: bool = False) -> None:
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        type = "payment.hold.released.v1" if release else "payment.hold.placed.v1"
        self.put(type, provider=self.provider, payable_ref=payable, hold_ref=hold, amounts=told)

    def recover(self, case: str, amounts: Mapping[str, int], **data: Any) -> None:
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        self.put("recovery.decided.v1", provider=self.provider, case_ref=case, amounts=told, **data)

    def recovered(self, case: str, amounts: Mapping[str, int], *, type: str = "received") -> None:
        """In cash, or, as type `appeal.upheld`, not owed after all."""
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        self.put(f"recovery.{type}.v1", provider=self.provider, case_ref=case, amounts=told)

    # -- the agency pays in advance

    def figures(self, fund: str, surplus: str, expenditure: str, **data: Any) -> None:
        content = {"as_of": "2025-12-31", "last_year_result": "0.00", "forecast_result": "0.00", **data}
        self.put_in_lane("fund.figures.published.v1", fund=fund, surplus=surplus, expenditure=expenditure, **content)

    def assess(self, grade: str = "A", *, year: int = 2025, passed: bool = True) -> None:
        self.put("provider.assessed.v1", provider=self.provider, year=year, grade=grade, passed=passed,
                 assessed_on=f"{year + 1}-01-03")  # fmt: skip

    def apply(self, *funds: str, on: str = "2026-01-06", kind: str = "ANNUAL", **data: Any) -> None:
        """Ask for prepayments, of each insurance type by itself."""
        content = {"year": int(on[:4]), "documents": ["promise-1", "promise-2"], **data}
        if "contract_ref" in data:
            content.setdefault("contracted_on", on)
        for insutype, some in groupby(funds, key=lambda fund: data.get("insutype") or fund[:3]):
            self.put("prepayment.applied.v1", provider=self.provider, prepayment_kind=kind, funds=list(some),
                     applied_on=on, **{**content, "insutype": insutype})  # fmt: skip

    def grant(self, ref: str, amount: int, *, plan: str = "YF-1", on: str = "2026-02-03", **data: Any) -> None:
        """What an approved plan gives."""
        fund = ref.rpartition("/")[2]
        content = {"base": money.yuan(amount), "months": 12, "ratio": "1", "approvers": ["anna", "bo"], **data}
        content = {"prepayment_kind": "ANNUAL", "year": 2026, "plan_hash": "0" * 64, **content}
        self.put("prepayment.granted.v1", provider=self.provider, prepayment_ref=ref, plan_ref=plan, fund=fund,
                 amount=money.yuan(amount), granted_on=on, **content)  # fmt: skip

    def recall(self, ref: str, code: str = "MISUSE", *, on: str = "2026-06-11", staff: str = "anna") -> None:
        self.put("prepayment.recall.ordered.v1", provider=self.provider, prepayment_ref=ref, code=code, reason=code,
                 staff_ref=staff, ordered_on=on)  # fmt: skip

    def repay(self, ref: str, amounts: Mapping[str, int], *, on: str, txn: str = "R-1") -> None:
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        self.put("bank.prepayment.repaid.v1", provider=self.provider, prepayment_ref=ref, bank_account="1002",
                 bank_txn=txn, value_date=on, amounts=told)  # fmt: skip

    async def prepayments(self) -> dict[str, dict[str, Any]]:
        """As they stand, by their names."""
        await self.drain()
        rows = await self.control.fetch("select ref, body from clearing.prepayments where lane = $1", self.lane)
        return {row["ref"]: msgspec.json.decode(row["body"]) for row in rows}

    # -- the agency pays

    def mandate(self, staff: str, role: str = "approver", limit: str = "99999999.99", **data: Any) -> None:
        content = {"valid_from": "2025-01-01", "valid_to": None, **data}
        self.put_in_lane("staff.mandated.v1", staff_ref=staff, role=role, limit=limit, **content)

    def deposit(self, amounts: Mapping[str, int], *, account: str = "1002", on: str = "2025-12-31") -> None:
        """What is in a bank account when the books begin."""
        told = {fund: money.yuan(fen) for fund, fen in amounts.items()}
        self.put("opening.balance.recorded.v1", account=account, amounts=told, value_date=on)

    async def payments(self, **wanted: Any) -> list[dict[str, Any]]:
        """The payments as they stand, in the order of their names."""
        await self.drain()
        rows = await self.control.fetch(
            "select body from clearing.payments where lane = $1 order by payment_ref", self.lane
        )
        found = [msgspec.json.decode(row["body"]) for row in rows]
        return [one for one in found if all(one.get(name) == value for name, value in wanted.items())]

    async def approve(self, *staff: str, refs: Sequence[str] | None = None, total: str | None = None) -> None:
        """Each of some people approves what waits, or what is named."""
        known = {one["payment_ref"]: sum(one["amounts"].values()) for one in await self.payments()}
        if refs is None:
            refs = [one["payment_ref"] for one in await self.payments(status="ORDERED")]
        for person in staff:
            seen = total or money.yuan(sum(known.get(ref, 0) for ref in refs))
            self.put("payment.approval.given.v1", provider=self.provider, payments=list(refs), total=seen,
                     staff_ref=person)  # fmt: skip
            await self.drain()

    async def plan(self, fund: str, *, on: str, due_until: str = "2099-12-31") -> planning.Plan:
        await self.drain()
        days = (datetime.date.fromisoformat(day) for day in (due_until, on))
        async with self.working:
            return await planning.plan(self.connections["clearing"], planning.Wanted(self.area, fund, "1002", *days))

    async def run(self, fund: str, *, on: str, number: int = 1, staff: str = "anna") -> str:
        """What is approved goes to the bank; the run's name."""
        plan = await self.plan(fund, on=on)
        name = planning.run_ref(plan.wanted, number)
        self.put_run(planning.run(plan, run_ref=name, staff_ref=staff))
        return name

    def put_run(self, run: PaymentRunOpened) -> None:
        self.put_in_lane("payment.run.opened.v1", **msgspec.to_builtins(run))

    def retry(self, payment_ref: str, staff: str = "anna") -> None:
        self.put("payment.retry.requested.v1", provider=self.provider, payment_ref=payment_ref, staff_ref=staff)

    # -- and the services answer

    async def step(self, name: str) -> int:
        """One batch of a service; where its worker dies, another one takes the lane."""
        try:
            return await self.workers[name].step()
        except Crash:
            self.crashes += 1
            self.crash_at = ""
            await self.claim(name)
            return 1

    async def drain(self) -> None:
        """Until both services have taken everything; whoever asks meanwhile waits."""
        async with self.working:
            working = True
            while working:
                working = False
                for name in self.workers:
                    while await self.step(name) or self.workers[name]._undelivered:
                        working = True

    async def decided(self, *types: str) -> list[dict[str, Any]]:
        """What the clearing service wrote, in order, with the type as `type`."""
        return await self.written("clearing", *types)

    async def written(self, family: str, *types: str) -> list[dict[str, Any]]:
        await self.drain()
        found = []
        for record in self.log.records(family, self.lane):
            type = dict(record.headers)["ce_type"].decode().removesuffix(".v1")
            if not types or type in types:
                found.append({"type": type, **msgspec.json.decode(record.value or b"{}")})
        return found

    async def ordered(self) -> list[dict[str, Any]]:
        """The payments that were ordered, those of several funds that were ordered together as one."""
        found: dict[str, dict[str, Any]] = {}
        for event in await self.decided("payment.ordered"):
            name, _, _ = event["payment_ref"].rpartition("/")
            one = found.setdefault(name, {**event, "payment_ref": name, "amounts": {}})
            one["amounts"].update(event["amounts"])
        return list(found.values())

    async def balances(self, book: str = "OPS") -> dict[str, dict[str, int]]:
        """Account -> fund -> balance in fen, debit positive; zeros left out."""
        await self.drain()
        rows = await self.control.fetch(
            "select account, fund, sum(debit - credit)::bigint as fen from ledger.buckets where lane = $1 and book = $2"
            " group by account, fund having sum(debit - credit) <> 0",
            self.lane,
            book,
        )
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for row in rows:
            found[row["account"]][row["fund"]] = row["fen"]
        return dict(found)

    async def open_items(self) -> dict[str, dict[str, int]]:
        """What the clearing service holds, as the ledger's accounts would show it."""
        await self.drain()
        rows = await self.control.fetch(
            "select body from clearing.claims where lane = $1 union all"
            " select body from clearing.recoveries where lane = $1",
            self.lane,
        )
        found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for given in (await self.prepayments()).values():
            for fund, fen in given["outstanding"].items():
                found["1102" if given["kind"] == "BULK" else "1101"][fund] += fen
        for row in rows:
            one = msgspec.json.decode(row["body"])
            for account, amounts, sign in (
                ("2101", one.get("in_review", {}), -1),
                ("2102", one["payable"], -1),
                *(("2108", held, -1) for held in one["held"].values()),
                ("2103", one.get("bond", {}), -1),
                ("1104", one["advance"], 1),
                ("1107", one.get("due", {}) if "decided_on" in one else {}, 1),
            ):
                for fund, fen in amounts.items():
                    found[account][fund] += sign * fen
        return {
            account: kept
            for account, funds in found.items()
            if (kept := {fund: fen for fund, fen in funds.items() if fen})
        }

    # -- what is known, and what is made of it anew

    async def tables(self, service: str = "clearing") -> dict[str, list[Any]]:
        """Every row of a deciding service's own tables."""
        await self.drain()
        query = f"select * from {service}.{{0}} where lane = $1 order by {{0}}"  # noqa: S608
        tables = await of_rules(self.control, service)
        return {table: await self.control.fetch(query.format(table), self.lane) for table in tables}

    async def rebuild(self, service: str = "clearing") -> None:
        """Forget everything that a deciding service knows of the lane, and learn it again from the log alone."""
        self.crash_at = ""
        await self.forget(service)
        await self.claim(service, deciding=False)
        while await self.workers[service].step():
            pass
        await self.claim(service)

    async def forget(self, service: str = "clearing") -> None:
        """Everything that a deciding service knows of the lane."""
        for table in (*await of_rules(self.control, service), *OF_LANES):
            await self.control.execute(f"delete from {service}.{table} where lane = $1", self.lane)  # noqa: S608

    async def claim(self, name: str, *, deciding: bool = True) -> None:
        """A new worker takes a service's lane."""
        query = f"update {name}.lanes set epoch = epoch + 1 where lane = $1 returning epoch, batches"  # noqa: S608
        row = await self.control.fetchrow(query, self.lane)
        service = service_of(name, deciding=deciding, lanes=self.lanes)
        source = await self.log.open_lane(self.lane, service.topics)
        lane = Lane(Claim(self.lane, *row), service, self.log, source, self.connections[name], LIMITS)
        lane.point = self._point
        self.workers[name] = lane
        await lane.open()

    def _point(self, name: str) -> None:
        if name == self.crash_at:
            raise Crash(name)


def service_of(name: str, *, deciding: bool = True, lanes: int = LANES) -> Service:
    if name == "ledger":
        return Ledger(lanes=lanes, prefix="medfund")
    rules = {"clearing": Clearing, "direct_pay": DirectPay}[name](prefix="medfund")
    return Decider(rules, lanes=lanes, prefix="medfund", deciding=deciding)


@asynccontextmanager
async def running(database: Database, *, lane: int = LANE, lanes: int = LANES) -> AsyncIterator[Fund]:
    """Both services on one fresh database, each in its own schema, with one lane claimed."""
    async with services(database, lanes) as (control, connections):
        fund = Fund(control, connections, lane=lane, lanes=lanes)
        for name in connections:
            await fund.claim(name)
        yield fund


@asynccontextmanager
async def services(
    database: Database, lanes: int = LANES, names: Sequence[str] = ("clearing", "ledger")
) -> AsyncIterator[tuple[asyncpg.Connection, dict[str, asyncpg.Connection]]]:
    """The schemas of some services in one database: an administrator's connection, and one for each worker."""
    control = await asyncpg.connect(database.admin)
    connections = {}
    for name in names:
        await control.execute(f"set search_path = {name}")
        await control.execute(SQL.create_lanes, lanes)
        dsn = prepare.dsn(database.admin, user=f"{name}_worker", password=PASSWORDS["worker"])
        connections[name] = await connect.opened(dsn, timeout=30)
    try:
        yield control, connections
    finally:
        for connection in (control, *connections.values()):
            await connection.close()
