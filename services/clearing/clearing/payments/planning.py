"""A payment run as a plan: which approved payments of one fund go to the bank today, as far as its account reaches.

What stays true: a run is made from pinned inputs, so that making it again gives the same bytes; it never pays more than
is in the account and not on its way out; there is one undecided run for an account at a time. Source: design §3.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from medfund import money
from medfund.events.bank import BankAccount
from medfund.events.treasury import LastPayment, PaymentRunOpened, RunLane
from medfund.postgres import queries

SQL = queries.load(__file__, "planning.sql")

Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy[asyncpg.Record]"


class Wanted(NamedTuple):
    """What somebody wants to send: the payments of a fund of an area that are due up to a day."""

    area: str
    fund: str
    bank_account: BankAccount
    due_until: date
    execute_on: date


class Plan(NamedTuple):
    wanted: Wanted
    cash: int
    """In the account, by the books."""
    on_its_way: int
    """Of that: sent to the bank and not answered yet."""
    lanes: Sequence[RunLane]
    last: LastPayment | None
    approved: int
    """Payments that could be sent, were there enough."""
    approved_fen: int

    @property
    def available(self) -> int:
        return max(0, self.cash - self.on_its_way)

    @property
    def payments(self) -> int:
        return sum(lane.payments for lane in self.lanes)

    @property
    def fen(self) -> int:
        return sum(money.fen(lane.total) for lane in self.lanes)


def run_ref(wanted: Wanted, number: int) -> str:
    """At most 35 characters, so that it can be the name of the bank's file too."""
    return f"{wanted.area}-{wanted.fund}-{wanted.execute_on:%Y%m%d}-{number}"


async def plan(connection: Connection, wanted: Wanted) -> Plan:
    """What a run would pay, and from how much. To be called within one repeatable-read transaction."""
    [account] = await connection.fetch(SQL.available, wanted.area, wanted.fund, wanted.bank_account)
    available = max(0, account["cash"] - account["on_its_way"])
    which = wanted.area, wanted.fund, wanted.due_until, wanted.execute_on
    rows = await connection.fetch(SQL.approved, *which, available)
    payments = sum(row["payments"] for row in rows)
    last = await connection.fetchrow(SQL.last_of, *which, payments - 1) if payments else None
    pins = dict(map(tuple, await connection.fetch(SQL.pins)))
    return Plan(
        wanted=wanted,
        cash=account["cash"],
        on_its_way=account["on_its_way"],
        lanes=[_lane(row, pins) for row in rows if row["payments"]],
        last=LastPayment(due=last["due"], payment_ref=last["payment_ref"]) if last else None,
        approved=sum(row["all_payments"] for row in rows),
        approved_fen=sum(row["all_fen"] for row in rows),
    )


async def hash_of(connection: Connection, plan: Plan) -> str:
    """Of what a run would send, to the payment and to the fen; in the snapshot of the plan."""
    wanted = plan.wanted
    which = wanted.area, wanted.fund, wanted.due_until, wanted.execute_on
    payments = await connection.fetchval(SQL.which, *which, plan.available)
    return hashlib.sha256(msgspec.json.encode((wanted, payments))).hexdigest()


def _lane(row: asyncpg.Record, pins: Mapping[int, int]) -> RunLane:
    lane = row["lane"]
    return RunLane(lane=lane, agency=pins[lane], payments=row["payments"], total=money.yuan(row["fen"]))


def run(plan: Plan, *, run_ref: str, staff_ref: str) -> PaymentRunOpened:
    """The run as it is told to every lane. Raises `ValueError` where there is nothing to pay."""
    if plan.last is None:
        raise ValueError(f"run {run_ref} would pay nothing")
    wanted = plan.wanted
    return PaymentRunOpened(
        run_ref=run_ref,
        area=wanted.area,
        fund=wanted.fund,
        bank_account=wanted.bank_account,
        execute_on=wanted.execute_on,
        up_to=plan.last,
        lanes=list(plan.lanes),
        payments=plan.payments,
        total=money.yuan(plan.fen),
        available=money.yuan(plan.available),
        staff_ref=staff_ref,
    )


async def undecided(connection: Connection, wanted: Wanted, *, lanes: int) -> str | None:
    """The run of the account that some lane has not decided yet. Whoever asks at the same time waits for this one."""
    last = await connection.fetchval(SQL.slot, wanted.area, wanted.fund, wanted.bank_account)
    if last and await connection.fetchval(SQL.undecided, last, lanes):
        return str(last)
    return None


async def take(connection: Connection, wanted: Wanted, run_ref: str) -> None:
    await connection.execute(SQL.take_slot, wanted.area, wanted.fund, wanted.bank_account, run_ref)
