"""Payments on their way, in a fund of processes: ordered, approved by two people, sent by runs, settled by the bank.

Every lane has a provider with the month of R1.5, whose payments have names of their own, so that one that is sent
twice, under whatever name, is seen. `hold` is the check that every fault ends with.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from clearing.payments import planning
from clearing.payments.payment import end_to_end_id
from ledger import control, verify
from ledger.__main__ import MIGRATIONS
from medfund import money
from medfund.lanes import partition
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.settings import NOBODY
from medfund.local import prepare
from medfund.local.kafka import Kafka
from medfund.postgres import connect, migrate
from tests import events
from tests.conftest import LANES, PASSWORDS, Database
from tests.fund import of_rules
from tests.integration.faults.conftest import kept
from tests.integration.test_claims import CLAIMED, P1, P2, total
from tests.integration.workers import Books
from tests.integration.working_fund import FAMILIES, WorkingFund, id_of, send, type_of, with_clearing

AREA_LANE = partition.lane_of(events.AREA.encode(), LANES)
SENT_ON = date(2026, 2, 10)
FLOOD = 700
"""Settlements of each provider; their rows need pages that the database does not have yet."""
OF_SERVICES = {
    "ledger": ("identities", "repeats", "quarantine", "positions", "providers", "buckets", "statements"),
    "clearing": ("identities", "repeats", "quarantine", "positions"),
}
"""What follows from the log alone, whatever happened meanwhile, beside the tables of clearing's rules."""


@dataclass
class Treasury:
    """The people who pay, and what each of their steps puts on the log, for every provider alike."""

    books: Books
    funds: Sequence[WorkingFund]
    runs: int = 0

    def __post_init__(self) -> None:
        for fund in self.funds:
            fund.sent += 1_000 * fund.lane  # ids are the publisher's own, and there is one publisher

    async def took(self, *steps: Callable[[], Awaitable[None]]) -> None:
        """One after the other, each to its end."""
        for step in steps:
            await step()
            await self.books.booked()

    # -- steps

    async def recorded(self) -> None:
        half = {name: fen // 2 for name, fen in CLAIMED.items()}
        for fund in self.funds:
            fund.register()
            fund.policy()
            fund.mandate("anna", "finance")
            fund.mandate("bo", "approver")
            fund.settle(half, day="2026-01-05")
            fund.settle({name: fen - half[name] for name, fen in CLAIMED.items()}, day="2026-01-31")
        self.funds[AREA_LANE].deposit({name: LANES * fen for name, fen in CLAIMED.items()})
        await send(self.funds)

    async def claimed(self) -> None:
        for fund in self.funds:
            fund.submit(batch(fund))
        await send(self.funds)

    async def ordered(self) -> None:
        for fund in self.funds:
            fund.day("2026-02-09")
        await send(self.funds)

    async def approved(self) -> None:
        await self._approve("P1", P1)

    async def sent(self) -> None:
        await self._send("P1")

    async def settled(self) -> None:
        for fund in self.funds:
            fund.bank(f"{batch(fund)}/P1", P1, on="2026-02-12")
        await send(self.funds)

    async def audited(self) -> None:
        for fund in self.funds:
            fund.deduct([batch(fund)], {"310100": 2_923_055})
        await send(self.funds)

    async def approved_again(self) -> None:
        await self._approve("P2", P2)

    async def sent_again(self) -> None:
        await self._send("P2")

    async def settled_again(self) -> None:
        for fund in self.funds:
            fund.bank(f"{batch(fund)}/P2", P2, on="2026-03-05")
        await send(self.funds)

    async def flooded(self) -> None:
        """Every provider settles as often as that in the month after its claim."""
        for fund in self.funds:
            for number in range(FLOOD):
                fund.settle({"310100": 1}, day=f"2026-02-{number % 28 + 1:02}")
        await send(self.funds)

    async def flood_claimed(self) -> None:
        """And claims that month, too."""
        for fund in self.funds:
            fund.submit(f"{fund.provider}-202602", first="2026-02-01", last="2026-02-28", on="2026-03-06")
        await send(self.funds)

    async def _approve(self, number: str, amounts: Mapping[str, int]) -> None:
        for fund in self.funds:
            refs = [f"{batch(fund)}/{number}/{name}" for name in amounts]
            for staff in ("anna", "bo"):
                fund.put("payment.approval.given.v1", provider=fund.provider, payments=refs, total=total(amounts),
                         staff_ref=staff)  # fmt: skip
        await send(self.funds)

    async def _send(self, number: str) -> None:
        """One run for each fund."""
        self.runs += 1
        for name in P1:
            wanted = planning.Wanted(events.AREA, name, "1002", date(2099, 12, 31), SENT_ON)
            async with connect.connection(self.books.database.dsn("worker", "clearing"), name="tests") as connection:
                plan = await planning.plan(connection, wanted)
            assert plan.payments == LANES, plan
            run = planning.run(plan, run_ref=planning.run_ref(wanted, self.runs), staff_ref="anna")
            for fund in self.funds:
                fund.put_run(run)
        await send(self.funds)

    # -- what must hold

    async def decisions(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every decision on the log by lane and id, each copy of it."""
        found: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for record in await self.books.records("clearing"):
            found[f"{record.partition} {id_of(record)}"].append((record.key, record.value, tuple(record.headers)))
        return dict(found)

    async def hold(self) -> int:
        """All payments are sent and settled once, and the books, the open items and both services' rows are what the
        log says; how many decisions stand on the log more than once."""
        await self.books.booked()
        told = await self.decisions()
        for id, copies in told.items():
            assert len(set(copies)) == 1, f"{id} was decided twice"
        assert_answered_whole(told)
        await self._assert_paid_once()
        for service in OF_SERVICES:
            query = f"select count(*) from {service}.identities where topic = 'clearing'"  # noqa: S608
            assert await self.books.value(query) == len(told), service
        await self._assert_books()
        await self._assert_learned_anew()
        assert (await self.decisions()).keys() == told.keys(), "nobody who only learned decided anything"
        return sum(len(copies) - 1 for copies in told.values())

    async def _assert_paid_once(self) -> None:
        """By the decisions that readers of the log act upon: each payment is sent, and settled, once and in full."""
        expected = {
            f"{batch(fund)}/{number}/{name}": fen
            for fund in self.funds
            for number, amounts in (("P1", P1), ("P2", P2))
            for name, fen in amounts.items()
        }
        for type in ("payment.ordered", "payment.sent", "payment.settled"):
            found = await self.once(type)
            refs = Counter(event["payment_ref"] for event in found)
            assert refs == Counter(expected.keys()), (type, refs)
            assert {event["payment_ref"]: fen_of(event) for event in found} == expected, type
        names = {event["payment_ref"]: event["end_to_end_id"] for event in await self.once("payment.sent")}
        assert names == {ref: end_to_end_id(ref.partition("-")[0], ref) for ref in expected}
        assert not await self.once("payment.withheld", "payment.approval.refused", "fact.disputed", "fact.parked")

    async def once(self, *types: str) -> list[dict[str, Any]]:
        """The decisions of these types, those that stand there twice taken once."""
        records = {(record.partition, id_of(record)): record for record in await self.books.records("clearing")}
        return [msgspec.json.decode(record.value) for record in records.values() if type_of(record) in types]

    async def _assert_books(self) -> None:
        report = await self.prove()
        assert report.ok, report.problems
        assert report.quarantined == 0
        async with self.looking():
            for fund in self.funds:
                balances = await fund.balances()
                owed = {
                    account: total(balances[account]) for account in ("1104", "2102", "2103") if account in balances
                }
                assert owed == {"2103": "-147538.49"}
                items = await fund.open_items()
                assert {account: items[account] for account in items if account != "2101"} == {"2103": balances["2103"]}

    async def prove(self) -> verify.Report:
        """What `medfund verify` does."""
        report = await self.books.proof()
        log = KafkaLog(self.books.bootstrap, prefix=self.books.prefix, identity=NOBODY)
        async with (
            connect.connection(self.books.database.dsn("reader"), name="tests") as books,
            connect.connection(self.books.database.dsn("reader", "clearing"), name="tests") as clearing,
        ):
            await control.compare(report, books, clearing, log, range(LANES))
        await log.close()
        return report

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """While the funds may be asked; a connection does not outlive the server that it leads to."""
        connection = await asyncpg.connect(self.books.database.admin)
        for fund in self.funds:
            fund.control = connection
        try:
            yield
        finally:
            await connection.close()

    async def known(self, database: Database) -> dict[str, list[Any]]:
        """Every row that follows from the log."""
        found = {}
        async with connect.connection(database.admin, name="tests") as connection:
            for service, tables in OF_SERVICES.items():
                for table in (*tables, *(await of_rules(connection) if service == "clearing" else ())):
                    query = f"select to_jsonb({table}) from {service}.{table} order by 1"  # noqa: S608
                    found[f"{service}.{table}"] = [row[0] for row in await connection.fetch(query)]
        return found

    async def _assert_learned_anew(self) -> None:
        """A database that learns everything from the log knows the same, row by row (I4)."""
        anew = await empty(self.books.database, "anew")
        twin = replace(self.books, database=anew, workers=[])
        try:
            with twin.working("ledger-anew"), twin.working("clearing-anew", service="clearing"):
                await twin.booked()
                known, learned = await self.known(self.books.database), await self.known(anew)
                for table, rows in known.items():
                    assert rows == learned[table], table
        finally:
            twin.end()


async def empty(database: Database, name: str) -> Database:
    """Another database on the same server, with the empty schemas of both services."""
    admin = await prepare.database(database.admin, name)
    made = Database(name, admin)
    await prepare.roles(admin, "ledger", PASSWORDS)
    async with connect.connection(made.dsn("owner"), name="tests") as connection:
        await migrate.migrate(connection, MIGRATIONS)
    await with_clearing(made)
    return made


@asynccontextmanager
async def treasury(database: Database, kafka: Kafka, prefix: str, folder: Path) -> AsyncIterator[Treasury]:
    """On a database that is empty but for its name."""
    await empty(database, database.name)
    with kept(database, kafka, prefix, folder) as books:
        books.services["clearing"] = FAMILIES
        control = await asyncpg.connect(database.admin)
        await control.close()
        yield Treasury(books, [WorkingFund(control, {}, lane=lane, books=books) for lane in range(LANES)])


def batch(fund: WorkingFund) -> str:
    return f"{fund.provider}-202601"


def fen_of(event: Mapping[str, Any]) -> int:
    return sum(map(money.fen, event["amounts"].values()))


def assert_answered_whole(ids: Mapping[str, object]) -> None:
    """Each fact has one whole answer: an id ends with which of its decisions this is, and of how many."""
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for cause, _, part in (id.rpartition("/") for id in ids):
        answers[cause].append(part)
    for cause, parts in answers.items():
        assert sorted(parts) == sorted(f"{number}-{len(parts)}" for number in range(1, len(parts) + 1)), cause
