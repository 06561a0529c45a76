"""How the claims of a month are paid in a measurement: two people approve, runs go to the bank by file, and it pays.

Real: the bank process and its folders. The bank is the simulator, which sees files and nothing else.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from itertools import groupby

import asyncpg
import msgspec

from bench.ground import LANES, Ground, until
from bench.writing import Writing, in_lane
from clearing.payments import planning
from medfund import money
from medfund.bank import desk
from medfund.bank.desk import Desk
from medfund.bankfiles.messages import Account
from medfund.lanes import partition
from tests import events

BANK = "102100000030"
PEOPLE = ("anna", "bo")
BEGINS = date(2025, 12, 31)
OPENING = 10**12
LIMIT_S = 300.0
LOOK_S = 0.05

TO_APPROVE = """
select provider, payment_ref, fen from payments where status = 'ORDERED' order by provider, payment_ref
"""
APPROVED = "select count(*) = 0 from payments where status = 'ORDERED'"
DECIDED = "select count(*) = $2 from facts where type = 'payment.run.opened.v1' and body ->> 'run_ref' = $1"
SENT = "select end_to_end_id from payments where status = 'SENT'"
PAID = "select count(*) = 0 from payments where status not in ('SETTLED', 'CANCELLED')"
FUNDS = "select distinct fund from payments where status = 'APPROVED' order by fund"


class Door:
    """Begun before the workers are; `close` ends the bank."""

    def __init__(self, ground: Ground, writing: Writing, tables: asyncpg.Connection, funds: Sequence[str]) -> None:
        self._writing, self._tables, self._funds = writing, tables, funds
        self._runs = 0
        self._open = ExitStack()
        self._folder = ground.folder / "bank"
        self._accounts = ground.folder / "accounts.json"
        ground.extra |= {"MEDFUND_BANK_FOLDER": str(self._folder), "MEDFUND_BANK_ACCOUNTS": str(self._accounts)}
        self._bank: Desk

    def begin(self, providers: Sequence[str]) -> Iterator[tuple[int, events.Message]]:
        """The bank's books and the account numbers, which are on no event; and what every lane is told, and one."""
        own = [
            {"area": events.AREA, "fund": fund, "bank_account": "1002", **_written(_of(fund))} for fund in self._funds
        ]
        payees = {_ref(provider): _written(_of_payee(provider)) for provider in providers}
        self._accounts.write_bytes(msgspec.json.encode({"own": own, "payees": payees}))
        held = [(_of(fund), OPENING) for fund in self._funds]
        state = self._folder.parent / "bank-books.json"
        self._bank = self._open.enter_context(desk.opened(root=self._folder, state=state, day=BEGINS, accounts=held))
        for lane in range(LANES):
            for person in PEOPLE:
                yield lane, in_lane(lane, "staff.mandated.v1", id=f"{person}-{lane}", staff_ref=person, role="approver",
                                    limit="99999999.99", valid_from="2025-01-01", valid_to=None)  # fmt: skip
        opening = {fund: money.yuan(OPENING) for fund in self._funds}
        told = events.message(
            "opening.balance.recorded.v1", id="opening", account="1002", value_date=f"{BEGINS}", amounts=opening
        )
        yield partition.lane_of(told.key or b"", LANES), told

    def close(self) -> None:
        self._open.close()

    @property
    def balance(self) -> int:
        """What the bank says is in all accounts."""
        return sum(self._bank.balances.values())

    async def pay(self, on: date) -> int:
        """All that is ordered is approved, sent, and paid by the bank on that day; how many payments."""
        await self._approve(on)
        for fund in [row["fund"] for row in await self._tables.fetch(FUNDS)]:
            await self._send(fund, on)
        wanted = {row["end_to_end_id"] for row in await self._tables.fetch(SENT)}
        self._bank.to_day(on, quiet=True)
        deadline = time.monotonic() + LIMIT_S
        while not wanted <= self._bank.payments.keys():
            if time.monotonic() > deadline:
                raise TimeoutError("the run's files did not come to the bank")
            self._bank.work()
            await asyncio.sleep(LOOK_S)
        await until(self._tables, PAID, limit_s=LIMIT_S)
        return len(wanted)

    async def _approve(self, on: date) -> None:
        waiting = await self._tables.fetch(TO_APPROVE)
        for provider, rows in groupby(waiting, key=lambda row: row["provider"]):
            payments = list(rows)
            names, total = [row["payment_ref"] for row in payments], money.yuan(sum(row["fen"] for row in payments))
            for person in PEOPLE:
                told = events.message(
                    "payment.approval.given.v1", id=f"{on}/{provider}/{person}", provider=provider, payments=names,
                    total=total, staff_ref=person,
                )  # fmt: skip
                await self._writing.put(partition.lane_of(provider.encode(), LANES), told)
        await self._writing.confirmed()
        await until(self._tables, APPROVED, limit_s=LIMIT_S)

    async def _send(self, fund: str, on: date) -> None:
        self._runs += 1
        wanted = planning.Wanted(events.AREA, fund, "1002", date(2099, 12, 31), on)
        plan = await planning.plan(self._tables, wanted)
        run = planning.run(plan, run_ref=planning.run_ref(wanted, self._runs), staff_ref=PEOPLE[0])
        told = msgspec.to_builtins(run)
        for lane in range(LANES):
            await self._writing.put(lane, in_lane(lane, "payment.run.opened.v1", id=f"{run.run_ref}-{lane}", **told))
        await self._writing.confirmed()
        await until(self._tables, DECIDED, run.run_ref, LANES, limit_s=LIMIT_S)


def registration(provider: str) -> events.Message:
    return events.message(
        "provider.registered.v1", id=f"reg-{provider}", provider=provider, bank_account_ref=_ref(provider)
    )


def _ref(provider: str) -> str:
    return f"acct-{provider}"


def _of(fund: str) -> Account:
    return Account(f"62220000{fund}", f"医保基金 {fund}", BANK)


def _of_payee(provider: str) -> Account:
    return Account(f"62220212{provider[1:]}", f"定点医药机构 {provider}", BANK)


def _written(account: Account) -> dict[str, str]:
    return {"number": account.number, "name": account.name, "bank": account.bank}
