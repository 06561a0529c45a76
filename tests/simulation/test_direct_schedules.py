"""Seeded months of two hospitals that buy of two suppliers and call everything alike: orders, goods, papers, disputes,
red letters, plans, payments, claims and cash, in any order; direct payment, clearing and the ledger on one log.

Workers die, read their topics in any order, and go on from an older state of their database. At every cut 1103, 1109
and 2105 are the clearing service's open items and what the log says of each statement, both deciders know the same of
what was requested and paid, and every paper was taken or answered. What either decider learns again from the log is
what it knew. Run a failing seed alone with `SEED=<seed>`.
"""

import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Self

import asyncpg
import msgspec
import pytest

from clearing.direct.statement import Debt
from clearing.direct.statement import Statement as OwedStatement
from clearing.funds import added
from clearing.payments import planning as runs
from direct_pay.invoices.invoice import Invoice
from direct_pay.plans import plan as plans
from direct_pay.plans import planning
from direct_pay.plans.plan import Wanted
from direct_pay.statements.statement import Statement
from ledger import control as controls
from ledger.verify import Report
from medfund import money
from medfund.lanes import order
from medfund.lanes.log import Run
from tests import events
from tests.conftest import Database
from tests.fund import LANES, OF_LANES, of_rules, services
from tests.purchasing import INSULIN, METFORMIN, NAMES, OTHER_SUPPLIER, SUPPLIER, Purchasing
from tests.simulation.memory_log import MemoryLane, MemoryLog
from tests.simulation.test_claims_schedules import STAFF, Month, whose
from tests.simulation.test_decisions import POINTS

SCHEDULES = int(os.environ.get("SCHEDULES", "1500")) * 2 // 3
FIRST_SEED = int(os.environ.get("SEED", "1"))
SUPPLIERS = SUPPLIER, OTHER_SUPPLIER
PRICES = {METFORMIN: "1.37", INSULIN: "4.81"}
DECIDERS = "direct_pay", "clearing"
FUNDS = "310100", "390100"
PARTS = "unpaid", "paid", "recovered", "came_back"
"""Where red letters hit."""
MUST_HAPPEN = (
    *PARTS, "statement.refused", "statement.ended", "statement.disputes.noted", "statement.requested",
    "statement.withheld", "statement.line.reduced", "invoice.red.unmatched", "supplier.payment.blocked",
    "supplier.payment.unblocked", "supplier.payee.noted", "supplier.debt.netted", "supplier.payment.settled",
    "supplier.overpaid", "supplier.refunded", "inter_fund.trued_up", "red_letter.followed", "arrears.lowered",
    "hospital.shortfall.carried", "hospital.shortfall.collected", "payment.returned", "offset.applied",
)  # fmt: skip

_invoice = msgspec.json.Decoder(Invoice).decode
_statement = msgspec.json.Decoder(Statement).decode


# -- the world in which it happens


class AnyOrder(MemoryLane):
    """Topics come in another order with each read."""

    dice: random.Random

    async def read(self, *, limit: int, wait_s: float, topics: Sequence[str] | None = None) -> list[Run]:
        wanted = [*(topics or self.positions)]
        self.dice.shuffle(wanted)
        return await super().read(limit=limit, wait_s=wait_s, topics=wanted)


@dataclass
class AnyOrderLog(MemoryLog):
    dice: random.Random = field(default_factory=random.Random)

    async def open_lane(self, lane: int, topics: Sequence[str]) -> AnyOrder:
        opened = AnyOrder(self, lane)
        opened.dice = self.dice
        return opened


@dataclass
class Trading(Purchasing):
    """What is said while `held` is a list is not on the log yet."""

    held: list[events.Message] | None = None

    def put_message(self, message: events.Message) -> None:
        if self.held is None:
            super().put_message(message)
        else:
            self.held.append(message)

    @contextmanager
    def holding(self) -> Iterator[list[events.Message]]:
        self.held = said = []
        yield said
        self.held = None


Rows = dict[str, str]
"""Every row of a lane, by table, as JSON."""


@dataclass
class Tables:
    """A service's rows of one lane, in one statement each way."""

    control: asyncpg.Connection
    schema: str
    rules: Sequence[str]
    """Those that follow from the log alone."""
    columns: Mapping[str, str]
    """Of each table those that are not made of others."""

    @classmethod
    async def of(cls, control: asyncpg.Connection, schema: str) -> Self:
        query = (
            "select table_name, string_agg(quote_ident(column_name), ', ') from information_schema.columns"
            " where table_schema = $1 and is_generated = 'NEVER' group by table_name"
        )
        columns = dict(map(tuple, await control.fetch(query, schema)))
        return cls(control, schema, await of_rules(control, schema), columns)

    async def rows(self, lane: int, *, rules: bool = False) -> Rows:
        parts = [
            f"select '{table}', coalesce(jsonb_agg(to_jsonb(one) order by one), '[]')::text"  # noqa: S608
            f" from {self.schema}.{table} as one where lane = $1"
            for table in (self.rules if rules else (*self.rules, *OF_LANES))
        ]
        return dict(map(tuple, await self.control.fetch(" union all ".join(parts), lane)))

    async def forget(self, lane: int) -> None:
        names = [f"{self.schema}.{table}" for table in (*self.rules, *OF_LANES)]
        await self.control.execute(";".join(f"delete from {name} where lane = {lane}" for name in names))  # noqa: S608

    async def restore(self, lane: int, kept: Rows) -> None:
        """The database is what it was then; the log has gone on."""
        await self.forget(lane)
        for table, rows in kept.items():
            if rows != "[]":
                name, columns = f"{self.schema}.{table}", self.columns[table]
                given = f"jsonb_populate_recordset(null::{name}, $1::text::jsonb)"
                await self.control.execute(f"insert into {name} ({columns}) select {columns} from {given}", rows)  # noqa: S608
        query = f"select first_batch, topics, first_offsets, cuts from {self.schema}.batches where lane = $1"  # noqa: S608
        cuts = await self.control.fetch(query, lane)
        batches = max((row["first_batch"] + len(order.batches(*tuple(row)[1:])) for row in cuts), default=1) - 1
        await self.control.execute(f"update {self.schema}.lanes set batches = $2 where lane = $1", lane, batches)  # noqa: S608


@dataclass(frozen=True)
class World:
    """What all schedules share."""

    control: asyncpg.Connection
    connections: dict[str, asyncpg.Connection]
    audit: Sequence[asyncpg.Connection]
    """Of the ledger's tables, of clearing's, and of direct payment's."""
    tables: dict[str, Tables]


@asynccontextmanager
async def world(database: Database) -> AsyncIterator[World]:
    async with services(database, LANES, NAMES) as (control, connections):
        audit = [
            await asyncpg.connect(database.admin, server_settings={"search_path": name})
            for name in ("ledger", "clearing", "direct_pay")
        ]
        tables = {name: await Tables.of(control, name) for name in DECIDERS}
        yield World(control, connections, audit, tables)
        for connection in audit:
            await connection.close()


# -- what happens


@dataclass
class Paper:
    """An invoice as its supplier knows it."""

    provider: str
    supplier: str
    invoice: str
    fen: int
    reds: dict[str, int] = field(default_factory=dict)
    stated: str = ""
    """In which statement its supplier put it last."""


def _fens(event: Mapping[str, Any]) -> list[int]:
    return [money.fen(amount) for amount in event.get("amounts", {}).values()]


def _by_fund(events: Iterable[Mapping[str, Any]]) -> Mapping[tuple[str, ...], int]:
    """What requests of payables, and red letters on them, come to."""
    found: Counter[tuple[str, ...]] = Counter()
    for event in events:
        for fund, amount in event["amounts"].items():
            found[event["provider"], event["payable_ref"], event.get("red", ""), fund] += money.fen(amount)
    return found


class Trade(Month):
    fund: Trading
    funds = FUNDS
    payables = ("claims", "recoveries", "direct")

    def __init__(self, fund: Trading, world: World, seed: int) -> None:
        super().__init__(fund, seed)
        self.theme, self.world, self.today = ("PAPERS", "MONEY", "MONEY")[seed % 3], world, date(2026, 9, 1)
        self.papers: list[Paper] = []
        self.stated: dict[tuple[str, str, str], int] = {}
        """What of each statement somebody thinks is to be paid."""
        self.late: list[events.Message] = []
        self.kept: dict[str, Rows] = {}
        self.numbers: Counter[str] = Counter(invoice=1_000 * seed)  # an invoice is one in the whole country
        self.restores = 0

    async def begin(self) -> None:
        fund, choice = self.fund, self.random.choice
        fund.policy(
            instant__ratio=choice(["0", "0.9"]), direct__due_by=choice(["EARLIEST", "LINE"]),
            direct__silent=choice(["CONFIRM", "ESCALATE"]), direct__wait_days=choice(["1", "30"]),
        )  # fmt: skip
        fund.deposit({name: choice([20_000, 9_000_000]) for name in FUNDS})
        for staff in STAFF[:3]:
            fund.mandate(staff)
        for product, price in PRICES.items():
            fund.product(product, price, "BULK" if product == METFORMIN else "NEGOTIATED")
        for number, supplier in enumerate(SUPPLIERS):
            fund.contract(*PRICES, supplier=supplier, ref=f"JC-{number}")
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, bank_account_ref=f"acct-{number}")
        for hospital in self.hospitals:
            self.visit(hospital)
            fund.register()
            fund.mandate_direct()
            fund.key({"310100": 6837, "390100": 3163} if self.random.random() < 0.7 else {"390100": 1})
        fund.day(f"{self.today}")
        for number in (0, 0, 0, 0, 1, 1):
            self.visit(self.hospitals[number])
            await self.buy()
        for hospital in self.hospitals:
            self.visit(hospital)
            await self.state()
            await self.state()
        for act in (self.plan, self.open_day, self.pay):
            await act()
        for hospital in reversed(self.hospitals):
            self.visit(hospital)
            for act in (
                self.answer,
                self.answer,
                *self.random.choice([(), (self.earn, self.come_back), (self.earn, self.take_back)]),
            ):
                await act()

    async def act(self) -> None:
        self.visit(self.random.choices(self.hospitals, [3, 1])[0])
        if self.random.random() < 0.15:
            self.fund.crash_at = self.random.choice(POINTS)
        papers: dict[Any, int] = {
            self.buy: 16, self.state: 14, self.plan: 14, self.take_back: 14, self.argue: 10, self.catch_up: 6,
            self.open_day: 12, self.pay: 10, self.answer: 8, self.earn: 4, self.hold: 2, self.step: 4,
            self.repeat: 3, self.keep: 5, self.restore: 12, self.owe_from_before: 12,
        }  # fmt: skip
        paying: dict[Any, int] = {
            self.buy_more: 16, self.plan: 5, self.take_back: 24, self.argue: 3, self.open_day: 10, self.pay: 20,
            self.answer: 20, self.come_back: 12, self.retry: 10, self.change_its_mind: 8, self.earn: 22, self.audit: 2,
            self.cap: 12, self.assign: 4, self.give_back: 10, self.true_up: 7, self.hold: 3, self.step: 3,
            self.repeat: 3, self.keep: 5, self.restore: 12,
        }  # fmt: skip
        acts = papers if self.theme == "PAPERS" else paying
        [chosen] = self.random.choices(list(acts), list(acts.values()))
        await chosen()

    async def known(self, table: str) -> list[dict[str, Any]]:
        if self.random.random() < 0.4:
            await self.fund.drain()
        return [one for one in await self.all_of(table) if whose(one) == self.fund.provider]

    def oddly(self, chance: float) -> bool:
        """Whether something is as it should not be: seldom, where it is about money."""
        return self.random.random() < (chance if self.theme == "PAPERS" else chance / 6)

    def on(self, back: int = 0) -> str:
        return f"{self.today - timedelta(days=back)}"

    def number(self, of: str) -> int:
        self.numbers[of] += 1
        return self.numbers[of]

    def say(self, said: list[events.Message]) -> None:
        """Mostly as it happened, at times in another order, and now and then something much later."""
        if self.oddly(0.4):
            self.random.shuffle(said)
        for message in said:
            if self.oddly(0.04):
                self.late.append(message)
            else:
                self.fund.put_message(message)

    # -- goods and papers

    async def buy(self) -> None:
        """An order with all that comes of it: in part, refused, cancelled, sent back; invoiced, at times wrongly."""
        fund, dice, supplier = self.fund, self.random, self.random.choice(SUPPLIERS)
        no, product = f"CG-{self.number(fund.provider + supplier)}", dice.choice([*PRICES])
        ordered = dice.randint(1, 90)
        sent = dice.randint(1, ordered) if self.oddly(0.3) else ordered
        refused = dice.randint(0, sent) if self.oddly(0.3) else 0
        taken = sent - refused
        about: dict[str, Any] = {"supplier": supplier}
        with fund.holding() as said:
            fund.order(no, (product, ordered, PRICES[product]), on=self.on(9), **about)
            if sent < ordered and dice.random() < 0.5:
                fund.say("order.cancelled", order_no=no, cancelled_on=self.on(8), **about,
                         lines=[{"line": 1, "quantity": ordered - sent}])  # fmt: skip
            fund.ship(no, (product, sent), on=self.on(7), **about)
            line = {"line": 1, "lot": "L1", "accepted": taken, "refused": refused}
            line |= {"reason": "DAMAGED"} if refused else {}
            fund.accept(no, lines=[line], on=self.on(dice.randint(0, 6)), **about)
            if taken and self.oddly(0.2):
                fund.say("goods.returned", order_no=no, shipment_no=f"PS-{no}-L1", returned_on=self.on(), **about,
                         lines=[{"line": 1, "quantity": dice.randint(1, taken), "lot": "L1"}])  # fmt: skip
            invoiced = taken + 1 if self.oddly(0.2) or not taken else taken
            price = "1.38" if self.oddly(0.1) else PRICES[product]
            ref = fund.invoice(self.number("invoice"), no, (product, invoiced, price), on=self.on(), **about)
            paper = Paper(fund.provider, supplier, ref, money.cost(invoiced, money.micros(price)))
            self.papers.append(paper)
            if self.oddly(0.15):
                self.red(paper)
        self.say(said)

    async def buy_more(self) -> None:
        """An order, up to the day on which it is to be paid."""
        for act in (self.buy, self.state, self.plan, self.open_day):
            await act()

    def red(self, paper: Paper) -> None:
        left = paper.fen - sum(paper.reds.values())
        fen = self.random.choice([left, left // 2, *(self.random.randint(1, max(1, left)) for _ in range(4)), left + 1])
        if fen > 0:
            ref = self.fund.red(self.number("invoice"), paper.invoice, money.yuan(fen), on=self.on(),
                                supplier=paper.supplier)  # fmt: skip
            if fen <= left:
                paper.reds[ref] = fen

    async def take_back(self) -> None:
        """Mostly of what is stated already: requested, paid, recovered."""
        if mine := [one for one in self.papers if one.provider == self.fund.provider]:
            stated = [one for one in mine if one.stated]
            self.red(self.random.choice(stated if stated and self.random.random() < 0.8 else mine))

    async def state(self) -> None:
        """A supplier's invoices that are in no statement yet; at times it is wrong about one."""
        fund, dice, supplier = self.fund, self.random, self.random.choice(SUPPLIERS)
        mine = [one for one in self.papers if (one.provider, one.supplier) == (fund.provider, supplier)]
        new = [one for one in mine if not one.stated]
        if self.oddly(0.1) and mine:
            new.append(dice.choice(self.papers))
        if not new:
            return
        lines = {one.invoice: money.yuan(one.fen) for one in new}
        reds = {red: money.yuan(-fen) for one in new for red, fen in one.reds.items() if dice.random() < 0.6}
        if self.oddly(0.05):
            lines[new[0].invoice] = "0.07"
        ref = f"DZ-{self.number(fund.provider + supplier + 'DZ')}" if not self.oddly(0.05) else "DZ-1"
        with fund.holding() as said:
            fund.submit_statement(ref, {**lines, **reds}, on=self.on(), supplier=supplier)
            if not self.oddly(0.2):
                fund.confirm(ref, on=self.on(), by="sue" if self.oddly(0.1) else "hal", supplier=supplier)
        self.say(said)
        for one in new:
            one.stated = ref
        self.stated[fund.provider, supplier, ref] = sum(one.fen - sum(one.reds.values()) for one in new)

    def mine(self) -> list[tuple[str, str, str]]:
        return [name for name in self.stated if name[0] == self.fund.provider]

    async def argue(self) -> None:
        """About a line of a statement, or its end; it is confirmed, or withdrawn."""
        papers = [one for one in self.papers if one.provider == self.fund.provider and one.stated]
        if not papers or not self.mine():
            return
        _, supplier, ref = self.random.choice(self.mine())
        paper = self.random.choice([one for one in papers if one.supplier == supplier] or papers)
        about: dict[str, Any] = {"on": self.on(self.random.randint(0, 2)), "supplier": supplier}
        match self.random.randint(1, 8):
            case 1 | 2:
                self.fund.dispute(ref, paper.invoice, **about)
            case 3 | 4 | 5:
                self.fund.resolve(ref, paper.invoice, self.random.choice(["PAY", "PAY", "PAY", "DROP"]), **about)
            case 6 | 7:
                self.fund.confirm(ref, **about)
            case _:
                self.fund.say("statement.withdrawn", statement_ref=ref, withdrawn_on=self.on(), supplier=supplier)

    async def catch_up(self) -> None:
        """Half of what was not said in time is said now."""
        late, self.late = self.late, []
        for message in late:
            if self.random.random() < 0.5:
                self.fund.put_message(message)
            else:
                self.late.append(message)

    async def plan(self) -> None:
        """People agree to a plan, and what it shows is requested; or to what they remember, which may be withheld."""
        await self.fund.drain()
        name = f"JS-{self.number('plan')}"
        if self.oddly(0.5):
            return self.remember(name)
        wanted, connection = Wanted(plan_ref=name, area=self.fund.area), self.world.audit[2]
        async with connection.transaction(isolation="repeatable_read"):
            made = await planning.plan(connection, wanted, self.today)  # type: ignore[arg-type]
        for event in plans.events(made, ["anna", "bo"], self.today):
            self.fund.put("statements.agreed.v1", **msgspec.to_builtins(event))
        await self.fund.drain()
        asked: Counter[tuple[str, str, str]] = Counter()
        for event in self.told("direct-pay", "statement.requested", "statement.withheld"):
            if event["plan_ref"] == name:
                asked[event["provider"], event["supplier"], event["statement_ref"]] += sum(_fens(event))
        assert asked == {tuple(line.name): line.amount for line in made.published}

    def remember(self, name: str) -> None:
        self.hear()
        for supplier in SUPPLIERS:
            worth = {of[2]: self.stated[of] for of in self.mine() if of[1] == supplier}
            seen = {ref: fen or self.random.choice([0, 0, 1]) for ref, fen in worth.items()}
            if agreed := {ref: money.yuan(fen) for ref, fen in seen.items() if fen > 0}:
                self.fund.agree(agreed, on=self.on(), plan=name, supplier=supplier)

    def hear(self) -> None:
        """What of each statement is to be paid now, as far as somebody was told."""
        for event in self.told("direct-pay", "statement.withheld", "statement.requested"):
            _, known, detail = event.get("detail", "").partition(" was agreed to, ")
            name = event["provider"], event["supplier"], event["statement_ref"]
            self.stated[name] = money.fen(detail.split()[0]) if known else 0

    # -- money

    async def pay(self) -> None:
        """Everything that waits is approved, and goes to the bank as far as there is money."""
        await self.fund.drain()
        waiting = [one for one in await self.all_of("payments") if one["status"] == "ORDERED"]
        for provider in sorted({str(whose(one)) for one in waiting}):
            mine = [one for one in waiting if whose(one) == provider]
            total = money.yuan(sum(fen for one in mine for fen in one["amounts"].values()))
            for staff in self.random.sample(STAFF[:3], 2):
                self.fund.put("payment.approval.given.v1", provider=provider, staff_ref=staff, total=total,
                              payments=[one["payment_ref"] for one in mine])  # fmt: skip
        for of in FUNDS:
            plan = await self.fund.plan(of, on=self.on())
            if plan.payments:
                run = runs.run(plan, run_ref=runs.run_ref(plan.wanted, self.number("run")), staff_ref="anna")
                for _ in range(self.random.choice([1, 1, 1, 2])):
                    self.fund.put_run(run)

    async def answer(self) -> None:
        """The bank answers, on half of what was sent."""
        for payment in await self.known("payments"):
            if payment["status"] == "SENT" and self.random.random() < 0.5:
                if self.random.random() < 0.15:
                    self.fund.put("bank.payment.rejected.v1", provider=self.fund.provider,
                                  payment_ref=payment["payment_ref"])  # fmt: skip
                else:
                    part = self.random.choice([1, 1, 1, 2])
                    amounts = {fund: max(1, fen // part) for fund, fen in payment["amounts"].items()}
                    self.fund.bank(payment["payment_ref"], amounts, on=self.on())

    async def come_back(self) -> None:
        """The bank sends back what a supplier was paid, at times before a red letter takes it back."""
        paid = [one for one in await self.known("payments") if one["status"] == "SETTLED" and not one["returned"]]
        if of_suppliers := [one for one in paid if one["purpose"] == "SUPPLIER"]:
            payment = self.random.choice(of_suppliers)
            self.fund.bank(payment["payment_ref"], payment["settled"], on=self.on(), back=True)
            supplier, ref, _ = payment["payable_ref"].split("/")
            place = self.fund.provider, supplier, ref
            mine = [one for one in self.papers if (one.provider, one.supplier, one.stated) == place]
            if mine and self.random.random() < 0.5:
                self.red(self.random.choice(mine))

    async def earn(self) -> None:
        """The hospital claims what it has settled, and nothing of it is found wrong."""
        await self.settle()
        await self.settle()
        await self.submit()
        if self.random.random() < 0.8:
            self.fund.deduct([self.batches[-1]], {})

    async def cap(self) -> None:
        amount = self.random.choice([None, None, None, "0.00", "0.00", "20.00"])
        self.fund.put("direct.cap.set.v1", provider=self.fund.provider, amount=amount)

    async def true_up(self) -> None:
        """A fund takes over what another one cannot recover, at times more than that."""
        for one in await self.known("direct"):
            if "statement_ref" in one and (due := msgspec.convert(one, OwedStatement).own_due):
                first = self.random.choice([*due])
                fen = self.random.choice([due[first], self.random.randint(1, due[first] + 9)])
                self.fund.put("inter_fund.true_up.agreed.v1", provider=self.fund.provider, from_fund=first,
                              to_fund=next(of for of in FUNDS if of != first), amount=money.yuan(fen),
                              agreed_on=self.on())  # fmt: skip
                return

    async def owe_from_before(self) -> None:
        """Old arrears are registered, or cleared, at times before that or by more than is left."""
        about = {"provider": self.fund.provider, "supplier": self.random.choice(SUPPLIERS)}
        about |= {"arrears_ref": "QK-1"}
        amounts = {fund: money.yuan(self.random.randint(1, 9_000)) for fund in FUNDS}
        type, day = self.random.choice([("registered", "since"), ("cleared", "cleared_on")])
        self.fund.put(f"arrears.{type}.v1", **about, amounts=amounts, **{day: self.on()})

    async def assign(self) -> None:
        """Another one is paid: of everything, of one hospital's, of one statement's; or nobody else any more."""
        supplier, ends = self.random.choice(SUPPLIERS), self.random.random() < 0.3
        scope: dict[str, Any] = {"provider": self.fund.provider} if self.random.random() < 0.6 else {}
        if scope and self.random.random() < 0.5:
            scope["payable_ref"] = f"{supplier}/DZ-1/1"
        payee = supplier if ends else next(one for one in SUPPLIERS if one != supplier)
        self.fund.put_in_lane("supplier.payee.assigned.v1", supplier=supplier, payee=payee, **scope,
                              cause="ENDED" if ends else "FACTORING")  # fmt: skip

    async def give_back(self) -> None:
        """In cash: the hospital what was not taken from it, the supplier what it owes; at times more, or told twice."""
        dice, items = self.random, []
        for one in await self.known("direct"):
            if "due" in one or "statement_ref" in one:
                due = msgspec.convert(one, Debt if "due" in one else OwedStatement).due
            else:
                due = {}
            items += [(one, fund, fen) for fund, fen in due.items() if fen > 0]
        if items:
            one, fund, fen = dice.choice(items)
            type = "bank.supplier.refunded.v1" if "due" in one else "bank.shortfall.repaid.v1"
            txn, amounts = f"T-{self.number('cash')}", {fund: money.yuan(dice.choice([fen, dice.randint(1, fen)]))}
            for _ in range(dice.choice([1, 1, 2])):
                self.fund.put(type, provider=self.fund.provider, payable_ref=one["ref"], bank_txn=txn,
                              value_date=self.on(), amounts=amounts)  # fmt: skip

    # -- and the machines fail

    async def repeat(self) -> None:
        topic = self.random.choice(["agency", "purchases", "direct-pay", "clearing", "bank", "claims"])
        if records := self.fund.log.records(topic, self.fund.lane):
            again = self.random.choice(records)
            self.fund.log.put(topic, self.fund.lane, key=again.key, value=again.value, headers=again.headers)

    async def keep(self) -> None:
        """A backup of a decider's tables."""
        name = self.random.choice(DECIDERS)
        self.kept[name] = await self.world.tables[name].rows(self.fund.lane)

    async def restore(self) -> None:
        """A decider's database is what it was at its backup, or empty."""
        name = self.random.choice(DECIDERS)
        if name in self.kept or self.random.random() < 0.2:
            self.restores += 1
            self.fund.crash_at = ""
            await self.world.tables[name].restore(self.fund.lane, self.kept.get(name, {}))
            await self.fund.claim(name)

    # -- what must be true at any time

    def told(self, family: str, *types: str) -> list[dict[str, Any]]:
        """What is on the log, once by its id, with its type and offset."""
        found: dict[bytes, dict[str, Any]] = {}
        for record in self.fund.log.records(family, self.fund.lane):
            headers = dict(record.headers)
            type = headers["ce_type"].decode().removesuffix(".v1")
            if not types or type in types:
                content = msgspec.json.decode(record.value or b"{}")
                found.setdefault(headers["ce_source"] + headers["ce_id"],
                                 {"type": type, "offset": record.offset, **content})  # fmt: skip
        return [*found.values()]

    async def check(self) -> None:
        await self.fund.drain()
        report = Report()
        books, *held = self.world.audit
        for service, by in zip(held, (controls.CLEARING, controls.DIRECT_PAY), strict=True):
            await controls.compare(report, books, service, self.fund.log, [self.fund.lane], by)
        assert report.problems == []
        await self.check_cash(await self.fund.balances())
        await self.check_payments()
        await self.check_items()
        await self.check_deciders()
        await self.check_answers()

    async def check_items(self) -> None:
        """2105 is what was supplied less what was paid, 1103 what was charged less what was recovered, 1109 what of it
        is the suppliers' debt: as the log tells it. Nobody owes less than nothing."""
        rows = await self.world.control.fetch(
            "select account, provider, counterpart, fund, fen::bigint from clearing.open_items"
            " where lane = $1 and account in ('1103', '1109', '2105')",
            self.fund.lane,
        )
        items = {tuple(row)[:4]: row["fen"] for row in rows}
        assert all(fen < 0 if place[0] == "2105" else fen > 0 for place, fen in items.items())
        assert items == {place: fen for place, fen in self.by_the_log().items() if fen}

    def by_the_log(self) -> Counter[tuple[str, str, str, str]]:
        """Account, hospital, supplier and fund."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        signs = {
            "statement.approved": {"amounts": {"2105": -1, "1103": 1}},
            "red_letter.applied": {
                "unpaid": {"2105": 1, "1103": -1}, "came_back": {"2105": 1}, "paid": {"1109": 1, "1103": -1},
                "recovered": {"1109": 1},
            },
            "supplier.overpaid": {"amounts": {"2105": -1, "1109": 1}},
            "supplier.debt.netted": {"amounts": {"2105": 1, "1109": -1}},
            "payment.settled": {"amounts": {"2105": 1}}, "payment.returned": {"amounts": {"2105": -1}},
            "payment.return.undone": {"amounts": {"2105": 1}}, "offset.applied": {"amounts": {"1103": -1}},
            "hospital.shortfall.collected": {"amounts": {"1103": -1}}, "supplier.refunded": {"amounts": {"1109": -1}},
            "inter_fund.trued_up": {"amounts": {"1103": -1}},
            "red_letter.followed": {
                "owed": {"1109": 1, "1103": -1}, "recovered": {"1109": 1}, "given_back": {"1103": 1},
                "undone": {"2105": 1},
            },
        }  # fmt: skip
        for event in self.told("clearing", *signs):
            if event.get("purpose", "SUPPLIER") == "SUPPLIER" and event.get("account", "1103") == "1103":
                for part, accounts in signs[event["type"]].items():
                    for fund, amount in event[part].items():
                        for account, sign in accounts.items():
                            supplier = "" if account == "1103" else event["supplier"]
                            found[account, event["provider"], supplier, fund] += sign * money.fen(amount)
                            if event["type"] == "inter_fund.trued_up":
                                found["1103", event["provider"], "", event["to_fund"]] += money.fen(amount)
                            if part == "undone":
                                found["1103", event["provider"], "", event["to_fund"]] -= money.fen(amount)
        return found

    async def statements(self) -> list[tuple[str, str, str, Statement]]:
        query = "select provider, supplier, ref, body from direct_pay.statements where lane = $1"
        rows = await self.world.control.fetch(query, self.fund.lane)
        return [(*tuple(row)[:3], _statement(row["body"])) for row in rows]

    async def check_deciders(self) -> None:
        """Of each instalment both know what of it is left, and what of it is paid."""
        asked = {
            (provider, f"{supplier}/{ref}/{one.number}"):
                (sum(entry.left for entry in one.lines), sum(entry.paid for entry in one.lines))
            for provider, supplier, ref, statement in await self.statements() for one in statement.instalments
        }  # fmt: skip
        taken = {
            (whose(one), one["ref"]):
                (sum(one["charged"].values()), sum(added(one["supplied"], one["payable"], -1).values()))
            for one in await self.all_of("direct") if "statement_ref" in one
        }  # fmt: skip
        assert asked == taken

    async def check_answers(self) -> None:
        """Whatever was said is taken or told: each request, red letter, agreement, statement; nothing waits aside."""
        disputed = [one for one in self.told("clearing", "fact.disputed") if one["cause"]["topic"] == "direct-pay"]
        assert disputed == []
        asked = self.told("direct-pay", "statement.requested", "statement.line.reduced")
        taken = self.told("clearing", "statement.approved", "red_letter.applied", "red_letter.followed")
        assert _by_fund(asked) == _by_fund(taken)
        agreed = [
            (event["provider"], one["supplier"], one["statement_ref"], event["plan_ref"])
            for event in self.told("agency", "statements.agreed") for one in event["statements"]
        ]  # fmt: skip
        answered = {
            (one["provider"], one["supplier"], one["statement_ref"], one["plan_ref"])
            for one in self.told("direct-pay", "statement.requested", "statement.withheld")
        }
        assert set(agreed) == answered
        for *name, statement in await self.statements():
            assert statement.heard == statement.answered + len(statement.waiting), name
        rows = await self.world.control.fetch("select body from direct_pay.invoices where lane = $1", self.fund.lane)
        for invoice in (_invoice(row["body"]) for row in rows):
            counted = {red.invoice for red in invoice.applied} | {*invoice.told}
            assert invoice.issued_on is None or not {red.invoice for red in invoice.reds} - counted
        for family in ("direct-pay", "clearing"):
            assert not self.told(family, "fact.parked")
        await self.check_read()

    async def check_read(self) -> None:
        """Every record is taken, and none was put aside."""
        for name, worker in self.fund.workers.items():
            query = f"select topic, next_offset from {name}.positions where lane = $1"  # noqa: S608
            reached = dict(map(tuple, await self.world.control.fetch(query, self.fund.lane)))
            ends = {topic: end for topic in worker.service.topics if (end := self.fund.log.ends[topic, self.fund.lane])}
            assert {topic: reached.get(topic) for topic in ends} == ends, name
            query = f"select reason, detail from {name}.quarantine where lane = $1"  # noqa: S608
            assert await self.world.control.fetch(query, self.fund.lane) == [], name

    async def check_rebuilt(self) -> None:
        """Each decider forgets everything, learns it again from the log, and says nothing."""
        lane, ends = self.fund.lane, dict(self.fund.log.ends)
        self.fund.crash_at = ""
        for name in DECIDERS:
            tables = self.world.tables[name]
            live = await tables.rows(lane, rules=True)
            await tables.forget(lane)
            await self.fund.claim(name, deciding=False)
            while await self.fund.workers[name].step():
                pass
            assert await tables.rows(lane, rules=True) == live, name
        assert self.fund.log.ends == ends


@pytest.mark.timeout(3600)
async def test_both_deciders_and_the_books_agree_at_every_cut_whatever_fails_and_in_whatever_order_it_is_told(
    database: Database,
) -> None:
    happened: Counter[str] = Counter()
    async with world(database) as shared:
        for seed in range(FIRST_SEED, FIRST_SEED + (1 if "SEED" in os.environ else SCHEDULES)):
            log = AnyOrderLog(dice=random.Random(seed))
            lane = seed % LANES
            fund = Trading(shared.control, shared.connections, lane=lane, area=events.area(lane, LANES), log=log)
            try:
                for name in NAMES:
                    await fund.claim(name)
                trade = Trade(fund, shared, seed)
                await trade.begin()
                for _ in range(trade.random.randint(25, 60)):
                    await trade.act()
                    if trade.random.random() < 0.06:
                        await trade.check()
                await trade.check()
                await trade.check_rebuilt()
            except BaseException:
                print(f"\nschedule failed; run it alone: SEED={seed} pytest {__file__}")  # noqa: T201
                raise
            happened.update(crashes=fund.crashes, restores=trade.restores)
            for event in (*trade.told("direct-pay"), *trade.told("clearing")):
                happened[event["type"]] += 1
                happened.update(part for part in PARTS if event["type"] == "red_letter.applied" and event[part])
    print(f"\n{SCHEDULES} schedules from seed {FIRST_SEED}: {dict(happened)}")  # noqa: T201
    if "SEED" not in os.environ:
        assert happened["crashes"] > SCHEDULES
        assert happened["restores"] > SCHEDULES / 2
        rare = {what: happened[what] for what in MUST_HAPPEN if happened[what] < max(1, SCHEDULES / 100)}
        assert not rare, "what hardly ever happens"
