"""A story (`tests/stories`) told on a real log, read by the services' own processes, and compared with their books.

Each step becomes the facts that it implies: what the world says, what people decide, what the bank answers. A line is
compared in the step to which it belongs: what the waterfall takes is booked when a claim is approved, and belongs to
the step that settles it; what audit takes off is booked with the approval. Nothing is opened, ordered or paid before
its step.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from clearing.payments import planning
from clearing.prepayment.prepayment import name as prepayment_name
from medfund import calendar, merkle, money
from medfund.events.agency import policy_hash
from medfund.events.suppliers import A_SUPPLIER
from medfund.lanes import partition
from medfund.postgres import connect
from tests import events
from tests.conftest import LANES
from tests.integration.workers import Books, until
from tests.integration.working_fund import WorkingFund
from tests.story_claims import (
    DAY,
    FIRST_HOSPITAL,
    Batch,
    Claims,
    Fens,
    StoryError,
    Told,
    batches_of,
    day_of,
    least,
    minus,
    plus,
    purse_of,
    read_ahead,
)

Book: TypeAlias = Literal["OPS", "STAT"]
Key: TypeAlias = tuple[Book, str, str, str]
"""A book, two accounts, a fund."""

AREA_LANE = partition.lane_of(events.AREA.encode(), LANES)
VISITORS_AREA = "370100"
PEOPLE = ("anna", "bo")
APPROVAL_DAYS = 30
LIMIT = money.yuan(money.FEN_MAX)
LONG_AGO, NEVER = "2000-01-01", "2099-12-31"
PARTS: Mapping[str, Book] = {"journal": "OPS", "stat": "STAT"}
OF_PROVIDERS = frozenset(
    {"1101", "1102", "1103", "1104", "1107", "1108", "2100", "2101", "2102", "2103", "2104", "2108"}
)
OF_SUPPLIERS = frozenset({"1109", "2105"})
OF_ORDERS = frozenset({"order.committed.v1", "order.released.v1"})
"""What they book is a memo of which stories say nothing."""
PRODUCT = "XA10BBA012A001010100483"
PRICE_MAX = 999_999_999_999
"""Fen."""
OFFSETS = {"2102": "payable.settled", "2104": "clearing.settled", "1104": "instant.paid"}
"""By what an offset is taken from: the step to which it belongs."""
LATER = (
    "cross_region.", "clearing.", "reimbursement.", "insurer.", "budget.", "bond.", "clearing_debt.",
    "payable.debit_moved",
)  # fmt: skip
"""Steps that need rules which the product does not have yet."""


@dataclass
class Hospital:
    name: str
    fund: WorkingFund
    provider: str
    holds: list[tuple[str, str, Fens]] = field(default_factory=list)
    """What holds hold: hold, payable, amounts; the oldest first."""


@dataclass
class Prepayment:
    ref: str
    fund: str
    year: int
    given: int
    schedule: Sequence[str]
    planned: int = 0
    """How many months of its schedule plans have told."""


@dataclass
class Statement:
    supplier: str
    name: str
    left: dict[str, int]
    """By line: what its red letters have left of it."""

    @property
    def payable_ref(self) -> str:
        return f"{self.supplier}/{self.name}/1"

    def invoice(self, line: str) -> str:
        return invoice(f"{self.supplier} {self.name} {line}")


@dataclass
class Teller:
    """What is told, to whom, and what it made of the books."""

    story: Mapping[str, Any]
    books: Books
    control: asyncpg.Connection
    planner: asyncpg.Connection
    """Of the clearing service's own worker: runs are planned with it."""
    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    claims: Claims
    area: WorkingFund = field(init=False)
    """Where the area's own events are told."""
    hospitals: dict[str, Hospital] = field(default_factory=dict)
    opened: dict[int, date] = field(default_factory=dict)
    """By lane: the day that was opened last."""
    policies: dict[str, tuple[date, Mapping[str, str]]] = field(default_factory=dict)
    prepayments: dict[str, list[Prepayment]] = field(default_factory=lambda: defaultdict(list))
    """By hospital and fund."""
    waiting: dict[str, Any] = field(default_factory=dict)
    seen: set[tuple[Any, ...]] = field(default_factory=set)
    """Where on the log the events stand whose lines are compared."""
    ahead: dict[tuple[str, str], list["Line"]] = field(default_factory=lambda: defaultdict(list))
    """By step type and hospital: lines that are booked and belong to a step that is still to come."""
    behind: dict[tuple[str, str], list["Line"]] = field(default_factory=lambda: defaultdict(list))
    """By hospital and batch: lines that a step expects and that its approval books."""
    statements: dict[tuple[str, str], Statement] = field(default_factory=dict)
    keys: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """By hospital: by which its purchases are split."""
    runs: int = 0
    txns: int = 0

    # -- people and places

    def settle_in(self) -> None:
        """Each hospital is in a lane of its own, as far as there are lanes."""
        names = sorted({one.get("hospital", FIRST_HOSPITAL) for one in self.story["events"]})
        for number, name in enumerate(names):
            lane = number % LANES
            fund = WorkingFund(self.control, {}, lane=lane, books=self.books)
            fund.sent = 100_000 * (number + 1)  # ids are the publisher's own, and there is one publisher
            fund.provider = events.providers(lane, LANES, number // LANES + 1)[-1]
            self.hospitals[name] = Hospital(name, fund, fund.provider)
        self.area = WorkingFund(self.control, {}, lane=AREA_LANE, books=self.books)

    @property
    def policy(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self.story["policy"]
        return told

    @property
    def funds(self) -> list[WorkingFund]:
        """One in each lane; the area's is the last one."""
        found = {one.fund.lane: one.fund for one in self.hospitals.values()}
        return [*(fund for lane, fund in found.items() if lane != AREA_LANE), self.area]

    def of(self, told: Told) -> Hospital:
        return self.hospitals[told.get("hospital", FIRST_HOSPITAL)]

    def about(self, told: Told) -> dict[str, Any]:
        """Whose settlements, recoveries and fines are: of visitors or the area's own, and who bears which fund."""
        advanced = [fund for fund in self.policy.get("advanced", ()) if plus(told.get("amounts", {})).get(fund)]
        return {"insured_area": self.insured_area(told.get("insured_area", "")), "advanced": advanced}

    def insured_area(self, told: str) -> str:
        return (told if told.isdigit() else VISITORS_AREA) if told else events.AREA

    def txn(self) -> str:
        self.txns += 1
        return f"txn-{self.txns}"

    # -- telling

    async def tell(self) -> None:
        await self.begin()
        for told in self.story["events"]:
            await self.step(told)
        if left := [one for (type, _), lines in self.ahead.items() for one in lines if type not in MAY_NOT_COME]:
            raise AssertionError(f"booked, and of no step: {left}\n{await self.refusals()}")

    async def begin(self) -> None:
        """Who is there before anything happens."""
        if day_of(self.story["events"][-1]) > calendar.shanghai_day(datetime.now(UTC)):
            await self.open_to_all()
        for hospital in self.hospitals.values():
            self.registered(hospital)
        for fund in self.funds:
            for staff in PEOPLE:
                fund.mandate(staff, limit=LIMIT, valid_from=LONG_AGO)
            self.supplied(fund)
        self.publish_policy(date.fromisoformat(LONG_AGO), self.parameters())
        await self.still()

    def supplied(self, fund: WorkingFund) -> None:
        """One product, listed at the highest price that there is, of every supplier of the story."""
        suppliers = sorted({one["supplier"] for one in self.story["events"] if "supplier" in one})
        for supplier in suppliers:
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, valid_from=LONG_AGO)
            fund.put_in_lane("contract.signed.v1", contract_ref=f"JC-{supplier}", supplier=supplier, products=[PRODUCT],
                             valid_from=LONG_AGO, valid_to=NEVER)  # fmt: skip
        if suppliers:
            fund.put_in_lane("product.priced.v1", product=PRODUCT, product_class="NEGOTIATED", valid_from=LONG_AGO,
                             valid_to=None, price=money.yuan(PRICE_MAX))  # fmt: skip

    async def open_to_all(self) -> None:
        """Days that have not come yet are opened only where no lane asks who says so."""
        for fund in self.funds:
            key = partition.lane_key(fund.lane, LANES)
            opened = events.message("sources.opened.v1", id=f"opened-{fund.lane}", asked_from=NEVER)
            await self.books.send(self.producer, [replace(opened, key=key)], lane=fund.lane)

    def registered(self, hospital: Hospital) -> None:
        hospital.fund.put("provider.registered.v1", provider=hospital.provider, valid_from=LONG_AGO)
        hospital.fund.put(
            "direct.mandate.changed.v1", provider=hospital.provider, ownership="PUBLIC", valid_from=LONG_AGO
        )
        cap = self.policy.get("cap_1103")
        if isinstance(cap, Mapping):
            cap = cap.get(hospital.name)
        if cap is not None:
            self.set_cap(hospital, int(cap), LONG_AGO)

    async def step(self, told: Told) -> None:
        of_type = step_of(told)
        await self.plan_schedules(told)
        await of_type(self, told)
        await self.still()
        await self.compare(told)

    async def still(self, *services: str) -> None:
        """What was put is on the log, and the services, or some of them, have read everything and wait for nothing."""
        for fund in self.funds_with_mail():
            messages, fund.unsent = fund.unsent, []
            await self.books.send(self.producer, messages, lane=fund.lane)
        await until(lambda: self._stands(services or tuple(self.books.services)), "the services stand still")

    def funds_with_mail(self) -> list[WorkingFund]:
        every = [*(hospital.fund for hospital in self.hospitals.values()), self.area]
        return [fund for fund in {id(one): one for one in every}.values() if fund.unsent]

    async def _stands(self, services: Sequence[str]) -> bool:
        ends = await self._ends()
        for service in services:
            wanted = {place: end for place, end in ends.items() if place[0] in self.books.services[service]}
            rows = await self.control.fetch(f"select topic, lane, next_offset from {service}.positions")  # noqa: S608
            if {(row[0], row[1]): row[2] for row in rows} != wanted:
                return False
            if await self.control.fetchval(f"select count(*) from {service}.outbox"):  # noqa: S608
                return False
        return ends == await self._ends()

    async def _ends(self) -> dict[tuple[str, int], int]:
        return await self.books._ends(self.consumer)

    async def refusals(self) -> str:
        """What a service would not take, for whoever reads why a story failed."""
        found = []
        for service in self.books.services:
            query = f"select topic, lane, type, reason, detail from {service}.quarantine"  # noqa: S608
            found += [f"{service} put aside {dict(row)}" for row in await self.control.fetch(query)]
        for topic in ("clearing", "direct-pay"):
            for record in await self.books.records(topic):
                type = dict(record.headers)["ce_type"].decode()
                if type.startswith(REFUSALS):
                    found.append(f"{type} {(record.value or b'').decode()}")
        return "\n".join(found)

    # -- days and policies

    async def open(self, fund: WorkingFund, day: date) -> None:
        lane = fund.lane
        if lane not in self.opened or self.opened[lane] < day:
            known = calendar.shipped()
            fund.day(day.isoformat(), worked=None if day.year in known.notices else day.weekday() < 5)
            self.opened[lane] = day
            await self.still("clearing")

    def quiet_day(self, fund: WorkingFund, day: date) -> date:
        """The last day up to this one on which nothing is paid at once that a later step pays, if one can be opened."""
        lane = fund.lane
        others = [one for one in self.waiting.values() if self.hospitals[one.purse.hospital].fund.lane == lane]
        quiet = min([day, *(one.paid_on - DAY for one in others if one.paid_on)])
        return quiet if lane not in self.opened or quiet > self.opened[lane] else day

    async def near(self, fund: WorkingFund, day: date) -> None:
        """A day is open on which people can approve what is sent on this one."""
        last = self.opened.get(fund.lane)
        if last is None or last < day - timedelta(days=APPROVAL_DAYS - 2):
            await self.open(fund, self.quiet_day(fund, day))

    def parameters(self, batch: Batch | None = None) -> dict[str, str]:
        """Of a policy that holds when a claim is submitted."""
        found = {
            "instant.stat": self.policy.get("instant_stat", "TEMP"),
            "instant.offset": str(self.policy.get("offset_at_instant", True)).lower(),
            "payment.approval_days": str(APPROVAL_DAYS),
            "prepayment.apply_until": "31",
            "prepayment.documents": "0",
            "prepayment.schedule": "BULLET_DEC",
        }
        ratio = batch.ratio if batch else "0"
        if isinstance(ratio, Mapping):
            found |= {"instant.ratio": "0", **{f"instant.ratio.{fund}": one for fund, one in ratio.items()}}
        else:
            found["instant.ratio"] = ratio
        bonds = batch.bond_ratio if batch else {}
        return found | {f"bond.{fund}": one for fund, one in bonds.items()}

    def publish_policy(self, day: date, parameters: Mapping[str, str]) -> bool:
        """Where another one holds on that day, all lanes are told; whether they were."""
        holds = [one for one in self.policies.values() if one[0] <= day]
        if holds and max(holds, key=lambda one: one[0])[1] == parameters:
            return False
        self.policies[day.isoformat()] = (day, parameters)
        for fund in self.funds:
            fund.put_in_lane("policy.published.v1", area=events.AREA, valid_from=day.isoformat(),
                             hash=policy_hash(parameters), parameters=dict(parameters))  # fmt: skip
        return True

    # -- money

    async def payments(self, hospital: Hospital, purpose: str, *, of: str | None = None) -> list[dict[str, Any]]:
        """A hospital's payments of a purpose, or those of one payable, in the order of their names."""
        query = "select body from clearing.payments where lane = $1 order by payment_ref"
        found = [msgspec.json.decode(row["body"]) for row in await self.control.fetch(query, hospital.fund.lane)]
        mine = [one for one in found if one["provider"] == hospital.provider and one["purpose"] == purpose]
        return [one for one in mine if of is None or one["payable_ref"] == of]

    async def pay(self, hospital: Hospital, payments: Sequence[Mapping[str, Any]], day: date) -> None:
        """Two people approve (whoever asked for it is one of them), a run of each fund sends, the bank pays."""
        if not (unsent := [one for one in payments if one["status"] in ("ORDERED", "APPROVED")]):
            return
        await self.near(hospital.fund, day)
        for staff in PEOPLE:
            theirs = [one for one in unsent if staff == PEOPLE[0] or not one.get("requested_by")]
            if theirs:
                total = money.yuan(sum(sum(one["amounts"].values()) for one in theirs))
                hospital.fund.put("payment.approval.given.v1", provider=hospital.provider, total=total, staff_ref=staff,
                                  payments=[one["payment_ref"] for one in theirs])  # fmt: skip
        await self.still("clearing")
        for name in sorted({name for one in unsent for name in one["amounts"]}):
            await self.send(name, day)
        await self.still("clearing")
        await self._answer(hospital, [one["payment_ref"] for one in unsent], day)

    async def send(self, name: str, day: date) -> None:
        """What is approved of a fund goes to the bank."""
        wanted = planning.Wanted(events.AREA, name, "1002", date(2099, 12, 31), day)
        plan = await planning.plan(self.planner, wanted)
        if plan.fen < plan.approved_fen:
            raise StoryError(f"fund {name}: {money.yuan(plan.approved_fen)} is to be paid of {money.yuan(plan.cash)}")
        self.runs += 1
        run = planning.run(plan, run_ref=planning.run_ref(wanted, self.runs), staff_ref=PEOPLE[0])
        for fund in self.funds:
            fund.put_run(run)

    async def _answer(self, hospital: Hospital, refs: Sequence[str], day: date) -> None:
        query = "select body from clearing.payments where lane = $1 and payment_ref = any($2::text [])"
        for row in await self.control.fetch(query, hospital.fund.lane, refs):
            one = msgspec.json.decode(row["body"])
            if one["status"] != "SENT":
                raise StoryError(f"{one['payment_ref']} was not sent: {one}\n{await self.refusals()}")
            self.bank(hospital, one["payment_ref"], one["amounts"], day)

    def bank(self, hospital: Hospital, ref: str, amounts: Fens, day: date, *, back: bool = False, **more: Any) -> None:
        kind = "returned" if back else "settled"
        told = {"bank_txn": self.txn(), "value_date": day.isoformat(), "amounts": yuans(amounts), **more}
        hospital.fund.put(f"bank.payment.{kind}.v1", provider=hospital.provider, payment_ref=ref, **told)

    async def back(
        self, hospital: Hospital, payments: Sequence[Mapping[str, Any]], amounts: Fens, day: date, **more: Any
    ) -> None:
        """So much comes back: of the last payments of one thing that make the sum, else of the last ones."""
        left, kept = (
            plus(amounts),
            {one["payment_ref"]: minus(one["settled"], one.get("returned", {})) for one in payments},
        )
        whole = [
            ref
            for ref in dict.fromkeys(one["payable_ref"] for one in reversed(payments))
            if plus(*(kept[one["payment_ref"]] for one in payments if one["payable_ref"] == ref)) == left
        ]
        for one in reversed(payments):
            if not whole or one["payable_ref"] == whole[0]:
                part = least(left, kept[one["payment_ref"]])
                if part:
                    self.bank(hospital, one["payment_ref"], part, day, back=True, **more)
                left = minus(left, part)
        if left:
            raise StoryError(f"{left} comes back, and was not paid")

    async def retry(self, hospital: Hospital, payments: Sequence[Mapping[str, Any]], day: date) -> None:
        """Somebody asks for what came back."""
        await self.near(hospital.fund, day)
        for one in payments:
            if any(one.get("to_retry", {}).values()):
                hospital.fund.put("payment.retry.requested.v1", provider=hospital.provider,
                                  payment_ref=one["payment_ref"], staff_ref=PEOPLE[1])  # fmt: skip
        await self.still("clearing")

    # -- steps: the fund's own accounts

    async def opening(self, told: Told) -> None:
        account = "1003" if told["type"] == "opening.fiscal" else "1002"
        self.area.deposit(plus(told["amounts"]), account=account, on=told["date"])

    async def treasury(self, told: Told) -> None:
        self.area.put("treasury.funds.received.v1", plan_ref=f"plan-{told['seq']}", bank_txn=self.txn(),
                      value_date=told["date"], amounts=yuans(told["amounts"]), request_ref=None)  # fmt: skip

    async def repaid_by_other(self, told: Told) -> None:
        """The bank names nothing, and two people say what it was."""
        await self.unplaced("IN", told)
        await self.place(told, "OTHER_PAYER")

    async def unplaced(self, direction: str, told: Told) -> None:
        """Lines of the bank that answer nothing: one for each fund's account."""
        account = told.get("bank", "1002")
        for fund, fen in plus(told["amounts"]).items():
            self.area.put("bank.line.unplaced.v1", direction=direction, bank_account=account, bank_txn=self.txn(),
                          value_date=told["date"], amounts=yuans({fund: fen}))  # fmt: skip
        await self.still("clearing")

    async def place(self, told: Told, placed_as: str, **what: str) -> None:
        """Two people say what lines of these amounts were, of those that wait the oldest first."""
        await self.near(self.area, day_of(told))
        for fund, fen in plus(told["amounts"]).items():
            item = await self._waiting(fund, fen, told)
            self.area.place(item["item_ref"], placed_as, by=PEOPLE, placed_on=told["date"], **what)

    async def _waiting(self, fund: str, fen: int, told: Told) -> dict[str, Any]:
        """A line of the bank that nobody has placed."""
        query = "select body from clearing.suspense where lane = $1 and is_open order by item_ref"
        for row in await self.control.fetch(query, AREA_LANE):
            item: dict[str, Any] = msgspec.json.decode(row["body"])
            if item["amounts"] == {fund: fen} and item["bank_account"] == told.get("bank", "1002"):
                return item
        raise StoryError(f"step {told['seq']} places {fen} fen of fund {fund}, and no such line waits")

    async def came(self, told: Told) -> None:
        await self.unplaced("IN", told)

    async def left(self, told: Told) -> None:
        await self.unplaced("OUT", told)

    async def placed(self, told: Told) -> None:
        """What nobody could place turns out to be another step's money; the bank process passes on what is a
        hospital's."""
        inner: Told = {**told, **told["as"], "seq": told["seq"], "date": told["date"]}
        if (own := OF_THE_ACCOUNT.get(inner["type"])) is not None:
            await self.place(told, own)
            return
        kind = PLACED.get(inner["type"])
        if kind is None:
            raise StoryError(f"step {told['seq']}: nobody can say that a line of the bank is {inner['type']}")
        hospital = self.of(inner)
        for item, target in await self._targets(hospital, inner, told, kind):
            self.area.place(item["item_ref"], kind.placed_as, by=PEOPLE, placed_on=told["date"], target=target,
                            provider=hospital.provider)  # fmt: skip
            await self.still("clearing")
            line = {"bank_account": kind.account, "found_in": item["item_ref"], "found_on": item["bank_account"],
                    "bank_txn": item["bank_txn"], "value_date": item["value_date"]}  # fmt: skip
            whose = self.about(inner) if kind.fact == "recovery.received.v1" else {}
            hospital.fund.put(kind.fact, provider=hospital.provider, amounts=yuans(item["amounts"]),
                              **{kind.names: target}, **line, **whose)  # fmt: skip

    async def _targets(
        self, hospital: Hospital, inner: Told, told: Told, kind: "Placed"
    ) -> list[tuple[dict[str, Any], str]]:
        """Each item that waits, and what it is of."""
        await self.near(self.area, day_of(told))
        found = []
        for fund, fen in plus(told["amounts"]).items():
            found.append((await self._waiting(fund, fen, told), await self._target(hospital, inner, kind, fund)))
        return found

    async def _target(self, hospital: Hospital, inner: Told, kind: "Placed", fund: str) -> str:
        if "case" in inner:
            return str(inner["case"])
        if kind.placed_as == "PREPAYMENT":
            return self.prepayments[f"{hospital.name} {fund}"][0].ref
        if kind.placed_as == "REFUND":
            return str(inner["supplier"])
        if kind.placed_as == "SHORTFALL":
            return (await self._shortfalls(hospital, fund))[0][0]
        purpose = PURPOSES[inner["type"].partition(".")[0]]
        mine = [one for one in await self.payments(hospital, purpose) if fund in one["amounts"]]
        if "batch" in inner:
            mine = [one for one in mine if one["payable_ref"] == inner["batch"]]
        wanted = ("SETTLED",) if kind.placed_as == "RETURN" else ("ORDERED", "APPROVED", "SENT")
        mine = [one for one in mine if one["status"] in wanted]
        if not mine:
            raise StoryError(f"step {inner['seq']}: no payment of fund {fund} can be meant")
        return str(mine[-1]["payment_ref"])

    async def opening_balance(self, told: Told) -> None:
        account, amounts = told["account"], plus(told["amounts"])
        if account in OF_AREA:
            self.area.deposit(amounts, account=account, on=told["date"])
        elif account in ("1190", "2190"):
            for fund, fen in amounts.items():
                self.area.put("opening.balance.recorded.v1", account=account, amounts=yuans({fund: fen}),
                              value_date=told["date"], bank_account="1002", bank_txn=self.txn())  # fmt: skip
        else:
            for fund in amounts:
                self._opening_item(self.of(told), told, account, {fund: amounts[fund]})

    def _opening_item(self, hospital: Hospital, told: Told, account: str, amounts: Fens) -> None:
        [(fund, fen)] = amounts.items()
        day = day_of(told)
        data: dict[str, Any] = dict.fromkeys(("clr_way", "period_from", "period_to", "cut_off"))
        ref, year = f"O-{told['seq']}-{fund}", day.year
        if account in ("1101", "1102"):
            one = self._prepayment(hospital, fund, fen, told)
            ref, year = one.ref, one.year
            hospital.fund.figures(fund, LIMIT, "1.00")
            data |= {"prepayment_kind": "ANNUAL", "given": money.yuan(fen), "insutype": fund[:3]}
        elif account == "1107":
            ref, year = told["case"], year - (told.get("year") == "PRIOR")
            data |= {"decided_on": told["date"]}
        elif account in ("1104", "2102", "2103", "2108"):
            first = day.replace(day=1)
            data |= {"clr_way": "3", "period_from": first.isoformat(), "period_to": told["date"],
                     "cut_off": told["date"]}  # fmt: skip
            if account == "2108":
                data["hold_ref"] = f"H-{told['seq']}-{fund}"
                hospital.holds.append((data["hold_ref"], ref, amounts))
        elif "supplier" in told:
            data["supplier"] = told["supplier"]
        hospital.fund.put("opening.item.recorded.v1", provider=hospital.provider, item_ref=ref, benefit_year=year,
                          accounts=[{"account": account, "amounts": yuans(amounts)}], value_date=told["date"],
                          **data, **self.about(told))  # fmt: skip

    async def month_end(self, told: Told) -> None:
        """Nothing happens."""

    # -- steps: claims and audit

    async def settlements(self, told: Told) -> None:
        hospital = self.of(told)
        for one in self.claims.settlements[told["seq"]]:
            day = self.claims.day(one)
            about = {**self.about({**told, "amounts": one.amounts}), "area": events.AREA, "benefit_year": day.year}
            hospital.fund.put_message(
                events.settlement(
                    hospital.provider, id=f"s-{one.ref}", funds=one.amounts, settlement_ref=one.ref, clr_type="21",
                    insutype="310", service_date=day.isoformat(), **about,
                    reverses=one.reverses.ref if one.reverses else None,
                )
            )  # fmt: skip

    async def claimed(self, told: Told) -> None:
        hospital, batch = self.of(told), self.claims.claimed_at(told["seq"])
        if self.publish_policy(batch.submitted_on, self.parameters(batch)):
            await self.still("clearing")
        mine = self.claims.of(batch)
        amounts = plus(told["amounts"])
        advanced = [fund for fund in self.policy.get("advanced", ()) if amounts.get(fund)]
        day = batch.service_day.isoformat()
        hospital.fund.put(
            "claim.batch.submitted.v1", provider=hospital.provider, batch=batch.name, insutype="310", clr_type="21",
            clr_way="3", benefit_year=batch.service_day.year, mode="MONTH" if batch.by_month else "DAY",
            period_from=day, period_to=day, submitted_on=batch.submitted_on.isoformat(), settlements=len(mine),
            settlement_root=merkle.root([bytes.fromhex(one.ref) for one in mine]).hex(), amounts=yuans(amounts),
            advanced=advanced, insured_area=self.insured_area(batch.purse.insured_area),
        )  # fmt: skip
        if batch.paid_on is not None:
            self.waiting[f"{hospital.name} {batch.name}"] = batch

    async def withdrawn(self, told: Told) -> None:
        hospital = self.of(told)
        hospital.fund.put("claim.batch.withdrawal.requested.v1", provider=hospital.provider, batch=told["batch"])
        self.waiting.pop(f"{hospital.name} {told['batch']}", None)

    async def paid_at_once(self, told: Told) -> None:
        hospital, day = self.of(told), day_of(told)
        batch = self.claims.batch(hospital.name, told["batch"])
        if self.waiting.pop(f"{hospital.name} {batch.name}", None) and batch.paid_on is not None:
            last = self.opened.get(hospital.fund.lane)
            await self.open(hospital.fund, batch.paid_on if last is None or last < batch.paid_on else last + DAY)
        await self.pay(hospital, await self.payments(hospital, "INSTANT", of=batch.name), day)

    async def instant_returned(self, told: Told) -> None:
        hospital = self.of(told)
        paid = await self.payments(hospital, "INSTANT", of=told["batch"])
        await self.back(hospital, paid, plus(told["amounts"]), day_of(told))

    async def instant_retried(self, told: Told) -> None:
        hospital, day = self.of(told), day_of(told)
        await self.retry(hospital, await self.payments(hospital, "INSTANT", of=told["batch"]), day)
        again = await self.payments(hospital, "INSTANT", of=told["batch"])
        await self.pay(hospital, again or await self.payments(hospital, "PAYABLE"), day)

    async def deducted(self, told: Told) -> None:
        """The findings that it rests on, where it names settlements; the deduction itself is told with the approval."""
        hospital = self.of(told)
        for one in self.claims.findings[told["seq"]]:
            hospital.fund.find(told["batch"], one.ref, one.amounts, one.settlement.ref, stage="FINAL")

    async def undone(self, told: Told) -> None:
        """Comes with the claim of the reversal."""

    async def approved(self, told: Told) -> None:
        hospital, names = self.of(told), batches_of(told)
        amounts = plus(*(one["amounts"] for one in self._finals(told, names)))
        batch = self.claims.batch(hospital.name, names[0])
        about = self.about({"amounts": amounts, "insured_area": batch.purse.insured_area})
        hospital.fund.deduct(names, amounts, benefit_year=batch.service_day.year, **about)

    def _finals(self, told: Told, names: Sequence[str]) -> list[Told]:
        return [
            one
            for one in self.story["events"]
            if one["type"] == "deduction.final" and one["seq"] < told["seq"]
            and purse_of(one).hospital == purse_of(told).hospital and one["batch"] in names
        ]  # fmt: skip

    # -- steps: what is owed, and paid

    async def settled(self, told: Told) -> None:
        """All that is owed after audit and is not on hold; with it goes what came back and no later step retries."""
        hospital, day = self.of(told), day_of(told)
        if not self._comes(told, "payment.retried"):
            await self.retry(hospital, await self._owed_again(hospital), day)
        await self.pay(hospital, await self.payments(hospital, "PAYABLE"), day)

    async def _owed_again(self, hospital: Hospital) -> list[dict[str, Any]]:
        """Payments of which something came back that is owed: after its claim was approved, also a P1."""
        query = "select ref from clearing.claims where lane = $1 and provider = $2 and body ->> 'status' = 'APPROVED'"
        approved = {row["ref"] for row in await self.control.fetch(query, hospital.fund.lane, hospital.provider)}
        at_once = await self.payments(hospital, "INSTANT")
        of_approved = [one for one in at_once if one["payable_ref"] in approved]
        return [*of_approved, *await self.payments(hospital, "PAYABLE")]

    def _comes(self, told: Told, type: str) -> bool:
        """Whether such a step of the same hospital comes later."""
        mine = purse_of(told).hospital
        return any(
            one["type"] == type and one["seq"] > told["seq"] and purse_of(one).hospital == mine
            for one in self.story["events"]
        )

    async def returned(self, told: Told) -> None:
        hospital = self.of(told)
        paid = await self.payments(hospital, "PAYABLE")
        paid.sort(key=lambda one: one.get("value_date") or "")
        await self.back(hospital, paid, plus(told["amounts"]), day_of(told))

    async def retried(self, told: Told) -> None:
        hospital, day, funds = self.of(told), day_of(told), plus(told["amounts"])
        came_back = await self._owed_again(hospital)
        await self.retry(hospital, [one for one in came_back if funds.keys() & one["amounts"].keys()], day)
        again = await self.payments(hospital, "PAYABLE")
        await self.pay(hospital, [one for one in again if funds.keys() & one["amounts"].keys()], day)

    async def held(self, told: Told) -> None:
        hospital = self.of(told)
        for fund, fen in plus(told["amounts"]).items():
            left = fen
            for number, (payable, free) in enumerate(await self._free(hospital, fund), 1):
                if (part := min(left, free)) > 0:
                    hold = f"H-{told['seq']}-{fund}-{number}"
                    hospital.fund.hold(payable, {fund: part}, hold=hold)
                    hospital.holds.append((hold, payable, {fund: part}))
                    left -= part
            if left:
                raise StoryError(f"step {told['seq']} holds {left} fen of fund {fund} more than is owed")

    async def _free(self, hospital: Hospital, fund: str) -> list[tuple[str, int]]:
        """Of each payable, what is owed in a fund: the largest first."""
        rows = await self.control.fetch(
            "select body from clearing.claims where lane = $1 and provider = $2 union all"
            " select body from clearing.recoveries where lane = $1 and provider = $2 union all"
            " select body from clearing.direct where lane = $1 and provider = $2 and kind = 'GIVEN_BACK'",
            hospital.fund.lane, hospital.provider,
        )  # fmt: skip
        found = [msgspec.json.decode(row["body"]) for row in rows]
        owed = [(one["ref"], one.get("payable", {}).get(fund, 0)) for one in found]
        return sorted(((ref, fen) for ref, fen in owed if fen > 0), key=lambda one: -one[1])

    async def released(self, told: Told) -> None:
        hospital, kept = self.of(told), []
        left = plus(told["amounts"])
        for hold, payable, amounts in hospital.holds:
            [(fund, fen)] = amounts.items()
            if (part := min(left.get(fund, 0), fen)) > 0:
                hospital.fund.hold(payable, {fund: part}, hold=hold, release=True)
                left = minus(left, {fund: part})
            if fen > part:
                kept.append((hold, payable, {fund: fen - part}))
        hospital.holds = kept
        if left:
            raise StoryError(f"step {told['seq']} releases {left} that nothing holds")

    # -- steps: supervision

    async def recovery(self, told: Told) -> None:
        year = day_of(told).year - (told["year"] == "PRIOR")
        self.of(told).fund.recover(told["case"], plus(told["amounts"]), decided_on=told["date"], benefit_year=year,
                                   **self.about(told))  # fmt: skip

    async def recovered(self, told: Told) -> None:
        fund = self.of(told).fund
        fund.put("recovery.received.v1", provider=fund.provider, case_ref=told["case"], bank_txn=self.txn(),
                 amounts=yuans(told["amounts"]), value_date=told["date"], **self.about(told))  # fmt: skip

    async def recovery_reversed(self, told: Told) -> None:
        fund = self.of(told).fund
        fund.put("recovery.appeal.upheld.v1", provider=fund.provider, case_ref=told["case"],
                 amounts=yuans(told["amounts"]), **self.about(told))  # fmt: skip

    async def fined(self, told: Told) -> None:
        fund = self.of(told).fund
        fund.put("fine.noted.v1", provider=fund.provider, case_ref=told["case"], amounts=yuans(told["amounts"]),
                 **self.about(told))  # fmt: skip

    # -- steps: prepayments

    async def prepaid(self, told: Told) -> None:
        """Of the year of its schedule, or, as a year gives one of a fund, of the next one that has none."""
        hospital, day, amounts = self.of(told), day_of(told), plus(told["amounts"])
        new = [self._prepayment(hospital, fund, fen, told) for fund, fen in amounts.items()]
        for year in {one.year for one in new}:
            hospital.fund.assess(year=year - 1)
        for fund in amounts:
            hospital.fund.figures(fund, LIMIT, "1.00")
        await self.still("clearing")
        for one in new:
            hospital.fund.apply(one.fund, on=f"{one.year}-01-06")
        await self.still("clearing")
        await self.near(hospital.fund, day)
        for one in new:
            hospital.fund.grant(one.ref, one.given, on=told["date"], year=one.year)
        await self.still("clearing")
        await self.pay(hospital, await self.payments(hospital, "PREPAYMENT"), day)

    def _prepayment(self, hospital: Hospital, fund: str, fen: int, told: Told) -> Prepayment:
        known = self.prepayments[f"{hospital.name} {fund}"]
        schedule = sorted(told.get("schedule") or [f"{told['date'][:4]}-12"])
        year = max([int(schedule[0][:4]), *(one.year + 1 for one in known)])
        known.append(
            Prepayment(prepayment_name(hospital.provider, "ANNUAL", str(year), fund), fund, year, fen, schedule)
        )
        return known[-1]

    async def plan_schedules(self, told: Told) -> None:
        """A month of a schedule has begun: a plan lowers the prepayment by its part, which is due from now on (R10)."""
        changed = False
        for place, those in self.prepayments.items():
            hospital = self.hospitals[place.partition(" ")[0]]
            for one in those:
                begun = sum(month <= told["date"][:7] for month in one.schedule)
                if begun > one.planned:
                    one.planned = begun
                    left = one.given - money.round2(Fraction(one.given * begun, len(one.schedule)))
                    hospital.fund.grant(one.ref, left, plan=f"YF-{begun + 1}", on=told["date"], year=one.year,
                                        base=money.yuan(one.given))  # fmt: skip
                    changed = True
        if changed:
            await self.still()

    async def prepayment_returned(self, told: Told) -> None:
        """Of the oldest first."""
        hospital = self.of(told)
        for fund, fen in plus(told["amounts"]).items():
            left = fen
            for one in self.prepayments[f"{hospital.name} {fund}"]:
                if (part := min(left, await self._outstanding(hospital, one))) > 0:
                    hospital.fund.repay(one.ref, {fund: part}, on=told["date"], txn=self.txn())
                    left -= part
            if left:
                raise StoryError(f"step {told['seq']} returns {left} fen of fund {fund} more than is outstanding")

    async def _outstanding(self, hospital: Hospital, one: Prepayment) -> int:
        query = "select body from clearing.prepayments where lane = $1 and ref = $2"
        body = msgspec.json.decode(await self.control.fetchval(query, hospital.fund.lane, one.ref))
        return int(body["outstanding"].get(one.fund, 0))

    # -- steps: suppliers

    async def stated(self, told: Told) -> None:
        """Each line is an invoice: ordered, delivered, accepted, invoiced, stated, confirmed and agreed to."""
        hospital, day = self.of(told), day_of(told)
        statement = Statement(told["supplier"], told["statement"], dict(told["lines"]))
        self.statements[hospital.name, told["statement"]] = statement
        self.publish_key(hospital, told)
        for line, fen in statement.left.items():
            self.delivered(hospital, statement, line, fen, day)
        lines = [
            {"invoice": statement.invoice(line), "amount": money.yuan(fen)} for line, fen in statement.left.items()
        ]
        total = money.yuan(sum(statement.left.values()))
        about = {"provider": hospital.provider, "supplier": statement.supplier, "statement_ref": statement.name}
        fund = hospital.fund
        fund.put("statement.submitted.v1", **about, period=day.replace(day=1).isoformat(), submitted_on=told["date"],
                 total=total, lines=lines, submitted_by="sue")  # fmt: skip
        fund.put("statement.confirmed.v1", **about, confirmed_on=told["date"], confirmed_by="hal")
        await self.still("direct_pay")
        agreed = [{"supplier": statement.supplier, "statement_ref": statement.name, "amount": total}]
        fund.put("statements.agreed.v1", provider=hospital.provider, plan_ref=f"JS-{told['seq']}", statements=agreed,
                 agreed_on=told["date"])  # fmt: skip

    def publish_key(self, hospital: Hospital, told: Told) -> None:
        weights = whole_weights(told["key"])
        if self.keys.get(hospital.name) != weights:
            self.keys[hospital.name] = weights
            hospital.fund.put("split.key.published.v1", provider=hospital.provider, version=f"key-{told['seq']}",
                              valid_from=told["date"], weights=weights)  # fmt: skip

    def delivered(self, hospital: Hospital, statement: Statement, line: str, fen: int, day: date) -> None:
        """What an invoice is of: so many orders of one piece each as a price has room for."""
        number, put = statement.invoice(line), hospital.fund.put
        about = {"provider": hospital.provider, "supplier": statement.supplier}
        order = {**about, "order_no": f"CG-{number}"}
        prices = [min(fen - done, PRICE_MAX) for done in range(0, fen, PRICE_MAX)]
        goods = [{"line": n, "product": PRODUCT, "quantity": 1} for n, _ in enumerate(prices, 1)]
        costs = [{"price": money.yuan(price)} for price in prices]
        ordered, accepted = (day - 3 * DAY).isoformat(), (day - DAY).isoformat()
        shipment = {**order, "shipment_no": f"PS-{number}"}
        put("order.placed.v1", **order, placed_on=ordered,
            lines=[{**one, **cost} for one, cost in zip(goods, costs, strict=True)])  # fmt: skip
        put("shipment.dispatched.v1", **shipment, dispatched_on=(day - 2 * DAY).isoformat(),
            lines=[{**one, "lot": "L1", "expires_on": None} for one in goods])  # fmt: skip
        put("delivery.accepted.v1", **shipment, accepted_on=accepted,
            lines=[{"line": one["line"], "lot": "L1", "accepted": 1} for one in goods])  # fmt: skip
        put("invoice.registered.v1", **about, invoice=number, issued_on=accepted, amount=money.yuan(fen), tax="0.00",
            upstream=None, lines=[{"order_no": order["order_no"], **one, **cost, "amount": cost["price"]}
                                  for one, cost in zip(goods, costs, strict=True)])  # fmt: skip

    async def red(self, told: Told) -> None:
        hospital = self.of(told)
        statement = self.statements[hospital.name, told["statement"]]
        statement.left[told["line"]] -= told["amount"]
        hospital.fund.put(
            "invoice.red_issued.v1", provider=hospital.provider, supplier=statement.supplier, issued_on=told["date"],
            invoice=invoice(f"red {hospital.name} {told['seq']}"), blue=statement.invoice(told["line"]),
            amount=money.yuan(told["amount"]), tax="0.00",
        )  # fmt: skip

    async def supplier_paid(self, told: Told) -> None:
        """What was requested is ordered when the next day opens; what came back, when somebody asks for it."""
        hospital, day = self.of(told), day_of(told)
        statement = self.statements[hospital.name, told["statement"]]
        await self.retry(hospital, await self.payments(hospital, "SUPPLIER", of=statement.payable_ref), day)
        await self.open_next(hospital, day)
        await self.pay(hospital, await self.payments(hospital, "SUPPLIER", of=statement.payable_ref), day)

    async def open_next(self, hospital: Hospital, day: date) -> None:
        """A day, so that what waits for one is ordered; where this one is open already, the next one."""
        fund, last = hospital.fund, self.opened.get(hospital.fund.lane)
        await self.open(fund, self.quiet_day(fund, day) if last is None or last < day else last + DAY)

    async def supplier_returned(self, told: Told) -> None:
        hospital = self.of(told)
        paid = [one for one in await self.payments(hospital, "SUPPLIER")
                if one["payable_ref"].startswith(f"{told['supplier']}/")]  # fmt: skip
        paid.sort(key=lambda one: one.get("value_date") or "")
        await self.back(hospital, paid, plus(told["amounts"]), day_of(told))

    async def refunded(self, told: Told) -> None:
        hospital = self.of(told)
        hospital.fund.put("bank.supplier.refunded.v1", provider=hospital.provider, payable_ref=told["supplier"],
                          bank_txn=self.txn(), value_date=told["date"], amounts=yuans(told["amounts"]))  # fmt: skip

    async def collected(self, told: Told) -> None:
        """In cash, of the oldest statement first."""
        hospital = self.of(told)
        for fund, fen in plus(told["amounts"]).items():
            left = fen
            for ref, due in await self._shortfalls(hospital, fund):
                if (part := min(left, due)) > 0:
                    hospital.fund.put(
                        "bank.shortfall.repaid.v1", provider=hospital.provider, payable_ref=ref, bank_txn=self.txn(),
                        value_date=told["date"], amounts=yuans({fund: part}),
                    )  # fmt: skip
                    left -= part
            if left:
                raise StoryError(f"step {told['seq']} collects {left} fen of fund {fund} more than is due")

    async def _shortfalls(self, hospital: Hospital, fund: str) -> list[tuple[str, int]]:
        """What is due in a fund of each statement whose supplier is paid."""
        query = "select body from clearing.direct where lane = $1 and provider = $2 and kind = 'STATEMENT'"
        found = []
        for row in await self.control.fetch(query, hospital.fund.lane, hospital.provider):
            one = msgspec.json.decode(row["body"])
            of = {name: one.get(name, {}).get(fund, 0) for name in ("supplied", "payable", "credited", "recovered")}
            due = of["supplied"] - of["payable"] - of["credited"] - of["recovered"]
            found.append((one["opened"], one["ref"], due))
        return [(ref, due) for _, ref, due in sorted(found) if due > 0]

    async def trued_up(self, told: Told) -> None:
        hospital = self.of(told)
        hospital.fund.put(
            "inter_fund.true_up.agreed.v1", provider=hospital.provider, from_fund=told["from"], to_fund=told["to"],
            amount=money.yuan(told["amount"]), agreed_on=told["date"], approvers=list(PEOPLE),
        )  # fmt: skip

    async def moved_between_funds(self, told: Told) -> None:
        """What the taking fund pays, and what comes to the one that gave: two lines of the bank."""
        for fund, direction in ((told["to"], "OUT"), (told["from"], "IN")):
            line: Told = {**told, "amounts": {fund: told["amount"]}}
            await self.unplaced(direction, line)
            await self.place(line, "INTER_FUND")

    async def arrears(self, told: Told) -> None:
        hospital = self.of(told)
        hospital.fund.put(
            "arrears.registered.v1", provider=hospital.provider, supplier=told.get("supplier", A_SUPPLIER),
            arrears_ref=f"QK-{told['seq']}", since="2020-06-30", amounts=yuans(told["amounts"]),
        )  # fmt: skip

    async def capped(self, told: Told) -> None:
        self.set_cap(self.of(told), told["amount"], told["date"])

    def set_cap(self, hospital: Hospital, fen: int | None, day: str) -> None:
        hospital.fund.put("direct.cap.set.v1", provider=hospital.provider, set_on=day,
                          amount=None if fen is None else money.yuan(fen))  # fmt: skip

    # -- what came of it

    async def compare(self, told: Told) -> None:
        """The lines of this step, and at a month's end the balances."""
        hospital = told.get("hospital", FIRST_HOSPITAL)
        expected = list(self._expected(told))
        if told["type"] == "deduction.final":
            self.behind[hospital, told["batch"]] += expected
            expected = []
        elif told["type"] == "claim.approved":
            expected += [one for name in batches_of(told) for one in self.behind.pop((hospital, name), ())]
        found = await self._found(told["type"], hospital, sums(expected))
        if sums(found) != sums(expected):
            raise AssertionError(difference(told, sums(found), sums(expected)) + await self.refusals())
        if told["type"] == "month.end":
            await self._balances(told)

    def _expected(self, told: Told) -> Iterable["Line"]:
        hospital = told.get("hospital", FIRST_HOSPITAL)
        whose = VISITOR if told.get("insured_area") else ""
        for part, book in PARTS.items():
            for one in told["expect"].get(part, ()):
                yield Line(book, one["debit"], one["credit"], one["fund"], one["amount"], hospital, whose, whose)

    async def _found(self, type: str, hospital: str, expected: "Sums") -> list["Line"]:
        """What is booked since the last step and belongs to this one, with what belongs to it and was booked before."""
        found = []
        for belongs, lines in through_suspense(await self._new_lines()):
            if belongs is None or (belongs == type and lines[0].hospital == hospital and type in WHOLE):
                found += lines
            elif lines:
                self.ahead[belongs, lines[0].hospital] += lines
        waiting = self.ahead.pop((type, hospital), [])
        mine = waiting if type in WHOLE else chosen(waiting, expected)
        if left := [one for one in waiting if not any(one is other for other in mine)]:
            self.ahead[type, hospital] = left
        return [*found, *mine]

    async def _new_lines(self) -> "list[Belonging]":
        """By the event that books them, in the order of the log: to which step they belong, if not to the one that is
        told."""
        query = "select * from ledger.journal order by lane, topic, first_offset, ordinal"
        groups: dict[tuple[Any, ...], list[asyncpg.Record]] = defaultdict(list)
        for row in await self.control.fetch(query):
            place = row["lane"], row["topic"], row["first_offset"]
            if place not in self.seen:
                groups[place].append(row)
        self.seen.update(groups)
        told = [rows for rows in groups.values() if rows[0]["type"] not in OF_ORDERS]
        return [(belonging(rows), [self._line(row) for row in rows]) for rows in told]

    def _line(self, row: asyncpg.Record) -> "Line":
        names = {one.provider: one.name for one in self.hospitals.values()}
        other = row["credit_counterpart"]
        debit = self._whose(row["counterpart"])
        credit = debit if other is None else self._whose(other)
        party = names.get(row["party"], row["party"])
        return Line(row["book"], row["debit"], row["credit"], row["fund"], row["amount"], party, debit, credit)

    @staticmethod
    def _whose(counterpart: str) -> str:
        return VISITOR if counterpart.isdigit() and len(counterpart) == len(events.AREA) else counterpart

    async def _balances(self, told: Told) -> None:
        expect = told["expect"]
        found: dict[str, Balances] = {"OPS": Balances(), "STAT": Balances(), "parties": Balances()}
        query = """
            select book, party, counterpart, account, fund, sum(debit - credit)::numeric as fen from ledger.buckets
            group by book, party, counterpart, account, fund"""
        names = {one.provider: one.name for one in self.hospitals.values()}
        for row in await self.control.fetch(query):
            whose = self._whose(row["counterpart"])
            found[row["book"]].add(row["fund"], row["account"], int(row["fen"]))
            found["parties"].of(names.get(row["party"]), whose, row["fund"], row["account"], int(row["fen"]))
        ahead = [one for lines in self.ahead.values() for one in lines]
        behind = [one for lines in self.behind.values() for one in lines]
        for lines, sign in ((ahead, -1), (behind, 1)):
            for one in lines:
                for account, whose, side in ((one.debit, one.of, sign), (one.credit, one.credit_of, -sign)):
                    found[one.book].add(one.fund, account, side * one.amount)
                    found["parties"].of(one.hospital, whose, one.fund, account, side * one.amount)
        for part, name in (("ops", "OPS"), ("stat_balances", "STAT"), ("parties", "parties")):
            if part in expect and (told_ := flat(expect[part])) != (is_ := found[name].kept()):
                raise AssertionError(balance_difference(told, part, is_, told_) + await self.refusals())


class Line(NamedTuple):
    """A line of the books, or of a story; `of` is what else its sides are of: a visitor's, a supplier's."""

    book: Book
    debit: str
    credit: str
    fund: str
    amount: int
    hospital: str
    of: str
    credit_of: str


Sums: TypeAlias = Counter[Key]
Belonging: TypeAlias = tuple[str | None, list[Line]]
"""What one event booked, and to which step it belongs, if not to the one that is told."""


class Balances:
    """Who, fund and account -> debit less credit."""

    def __init__(self) -> None:
        self._fens: Counter[tuple[str, ...]] = Counter()

    def add(self, *place: Any) -> None:
        *where, fen = place
        if not where[-1].startswith("9"):
            self._fens[tuple(where)] += fen

    def of(self, hospital: str | None, whose: str, fund: str, account: str, fen: int) -> None:
        if hospital is not None and account in OF_PROVIDERS:
            self.add(f"{hospital}/{VISITOR}" if whose == VISITOR else hospital, fund, account, fen)
        elif hospital is not None and account in OF_SUPPLIERS:
            self.add(f"{hospital}|{whose}", fund, account, fen)

    def kept(self) -> dict[tuple[str, ...], int]:
        return {place: fen for place, fen in sorted(self._fens.items()) if fen}


def flat(told: Mapping[str, Any], *where: str) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for name, one in told.items():
        found |= flat(one, *where, name) if isinstance(one, Mapping) else {(*where, name): one}
    return dict(sorted((place, fen) for place, fen in found.items() if fen))


def sums(lines: Iterable[Line]) -> Sums:
    found: Sums = Counter()
    for one in lines:
        found[one.book, one.debit, one.credit, one.fund] += one.amount
    return found


def chosen(lines: Iterable[Line], expected: Sums) -> list[Line]:
    """Those that a step expects, as far as it does."""
    left, found = Counter(expected), []
    for one in lines:
        key = one.book, one.debit, one.credit, one.fund
        if one.amount <= left[key]:
            left[key] -= one.amount
            found.append(one)
    return found


def belonging(rows: Sequence[asyncpg.Record]) -> str | None:
    """The step to which what one event booked belongs, where it is not the one in which it was booked."""
    type = rows[0]["type"].removesuffix(".v1")
    if type == "offset.applied":
        return next((OFFSETS[row["debit"]] for row in rows if row["debit"] in OFFSETS), None)
    return BELONGS.get(type)


def through_suspense(booked: Iterable[Belonging]) -> Iterator[Belonging]:
    """A line of the bank that is placed in the step in which it came is one from the bank to what it was placed as."""
    waiting: list[Line] = []
    for belongs, lines in booked:
        waiting += (came := [one for one in lines if one.credit in SUSPENSE_IN or one.debit in SUSPENSE_OUT])
        yield belongs, [_direct(waiting, one) for one in lines if one not in came]
    yield None, waiting


def _direct(waiting: list[Line], placed: Line) -> Line:
    for first in waiting:
        if (first.book, first.fund, first.amount) == (placed.book, placed.fund, placed.amount):
            if placed.debit in SUSPENSE_IN and first.credit == placed.debit:
                waiting.remove(first)
                return placed._replace(debit=first.debit)
            if placed.credit in SUSPENSE_OUT and first.debit == placed.credit:
                waiting.remove(first)
                return placed._replace(credit=first.credit)
    return placed


def difference(told: Told, found: Sums, expected: Sums) -> str:
    rows = [f"step {told['seq']}, {told['date']} {told['type']}:"]
    for key in sorted({*found, *expected}):
        if found[key] != expected[key]:
            book, debit, credit, fund = key
            rows.append(f"  {book} {debit}/{credit} {fund}: booked {found[key]}, expected {expected[key]}")
    return "\n".join(rows) + "\n"


def balance_difference(told: Told, part: str, found: Mapping[Any, int], expected: Mapping[Any, int]) -> str:
    rows = [f"step {told['seq']}, {told['date']} {told['type']}, {part}:"]
    for place in sorted({*found, *expected}):
        if found.get(place, 0) != expected.get(place, 0):
            rows.append(f"  {' '.join(place)}: is {found.get(place, 0)}, expected {expected.get(place, 0)}")
    return "\n".join(rows) + "\n"


def whole_weights(key: Mapping[str, str]) -> dict[str, int]:
    """The same shares as whole numbers."""
    decimals = max(-min(0, int(Decimal(weight).as_tuple().exponent)) for weight in key.values())
    return {fund: int(Decimal(weight).scaleb(decimals)) for fund, weight in key.items()}


def invoice(name: str) -> str:
    """A fully digital one, of 20 digits."""
    return f"{int(events.reference(name), 16) % 10**20:020d}"


def yuans(amounts: Mapping[str, int]) -> dict[str, str]:
    return {fund: money.yuan(fen) for fund, fen in amounts.items() if fen}


VISITOR = "VISITOR"
SUSPENSE_IN, SUSPENSE_OUT = ("2190", "RECV_SUSPENSE"), ("1190", "TEMP_SUSPENSE")
WHOLE = {"payable.settled", "clearing.settled", "instant.paid"}
"""Steps that take all that was booked ahead of them; the others what they expect of it."""
MAY_NOT_COME = {*WHOLE, "supplier.paid"}
"""Steps that a story may end without, whatever was booked ahead of them."""
BELONGS = {"audit.deduction.undone": "deduction.undone", "supplier.debt.netted": "supplier.paid"}


class Placed(NamedTuple):
    """As what a line of the bank is placed, by which fact that is told then, and how it names what it is of."""

    placed_as: str
    fact: str
    names: str
    account: str


OF_AREA = ("1002", "1003", "1105", "1106", "1110", "1120", "2106", "2107", "2109", "2120")
OF_THE_ACCOUNT = {"treasury.received": "FISCAL", "other_payer.repaid": "OTHER_PAYER"}
_RETURNED = Placed("RETURN", "bank.payment.returned.v1", "payment_ref", "2190")
_PAID = Placed("PAYMENT", "bank.payment.settled.v1", "payment_ref", "1190")
PLACED = {
    "recovery.cash": Placed("RECOVERY", "recovery.received.v1", "case_ref", "2190"),
    "prepayment.returned": Placed("PREPAYMENT", "bank.prepayment.repaid.v1", "prepayment_ref", "2190"),
    "supplier.refunded": Placed("REFUND", "bank.supplier.refunded.v1", "payable_ref", "2190"),
    "shortfall.collected": Placed("SHORTFALL", "bank.shortfall.repaid.v1", "payable_ref", "2190"),
    "bank.returned": _RETURNED,
    "instant.returned": _RETURNED,
    "supplier.returned": _RETURNED,
    "payable.settled": _PAID,
    "payment.retried": _PAID,
    "instant.paid": _PAID,
    "instant.retried": _PAID,
    "supplier.paid": _PAID,
}
PURPOSES = {"bank": "PAYABLE", "payable": "PAYABLE", "payment": "PAYABLE", "instant": "INSTANT", "supplier": "SUPPLIER"}
REFUSALS = (
    "fact.disputed", "fact.parked", "claim.batch.rejected", "payment.approval.refused", "payment.withheld",
    "prepayment.refused", "suspense.placing.refused", "statement.refused", "statement.withheld",
    "invoice.red.unmatched",
)  # fmt: skip

Step: TypeAlias = Callable[[Teller, Told], Awaitable[None]]
STEPS: Mapping[str, Step] = {
    "opening.fiscal": Teller.opening,
    "opening.expenditure": Teller.opening,
    "treasury.received": Teller.treasury,
    "opening.balance": Teller.opening_balance,
    "other_payer.repaid": Teller.repaid_by_other,
    "bank.unplaced_in": Teller.came,
    "bank.unplaced_out": Teller.left,
    "suspense.placed": Teller.placed,
    "settlement.recorded": Teller.settlements,
    "settlement.reversed": Teller.settlements,
    "claim.accepted": Teller.claimed,
    "claim.withdrawn": Teller.withdrawn,
    "instant.paid": Teller.paid_at_once,
    "instant.returned": Teller.instant_returned,
    "instant.retried": Teller.instant_retried,
    "deduction.final": Teller.deducted,
    "deduction.undone": Teller.undone,
    "claim.approved": Teller.approved,
    "payable.settled": Teller.settled,
    "bank.returned": Teller.returned,
    "payment.retried": Teller.retried,
    "hold.placed": Teller.held,
    "hold.released": Teller.released,
    "recovery.decided": Teller.recovery,
    "recovery.cash": Teller.recovered,
    "recovery.reversed": Teller.recovery_reversed,
    "fine.noted": Teller.fined,
    "prepayment.disbursed": Teller.prepaid,
    "prepayment.returned": Teller.prepayment_returned,
    "statement.approved": Teller.stated,
    "red_letter": Teller.red,
    "supplier.paid": Teller.supplier_paid,
    "supplier.returned": Teller.supplier_returned,
    "supplier.refunded": Teller.refunded,
    "shortfall.collected": Teller.collected,
    "inter_fund.trued_up": Teller.trued_up,
    "inter_fund.cash": Teller.moved_between_funds,
    "arrears.registered": Teller.arrears,
    "cap.set": Teller.capped,
    "month.end": Teller.month_end,
}


def step_of(told: Told) -> Step:
    if (found := STEPS.get(told["type"])) is not None:
        return found
    later = told["type"].startswith(LATER)
    why = "the product does not have its rule yet" if later else "nobody knows such a step"
    raise StoryError(f"step {told['seq']}, {told['type']}: {why}")


@asynccontextmanager
async def telling(story: Mapping[str, Any], books: Books) -> AsyncIterator[Teller]:
    """A teller of a story to services that run."""
    async with AsyncExitStack() as held:
        control = await asyncpg.connect(books.database.admin)
        held.push_async_callback(control.close)
        planner = await held.enter_async_context(
            connect.connection(books.database.dsn("worker", "clearing"), name="tests")
        )
        producer = await held.enter_async_context(books.producing())
        consumer = await held.enter_async_context(books._consumer())
        teller = Teller(story, books, control, planner, producer, consumer, read_ahead(story["events"]))
        teller.settle_in()
        yield teller
