"""Payment runs: what they are made for, and what became of them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, NamedTuple

import asyncpg
import msgspec
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.api.get_payments import WITHHELD, WithheldCode
from clearing.payments.planning import Wanted
from medfund import money
from medfund.events.bank import BankAccount
from medfund.events.treasury import PaymentRunOpened
from medfund.http import answers, examples
from medfund.http.answers import Name, Yuan
from medfund.http.database import Connection
from medfund.postgres import queries

SQL = queries.load(__file__, "runs.sql")
PAID_FROM: BankAccount = "1002"
"""Payments leave from the expenditure account of their fund."""

State = Literal["DECIDING", "HELD_UP", "AT_THE_BANK", "FINISHED"]
STATES: dict[State, Name] = {
    "DECIDING": Name(zh="下达中", en="on its way to the lanes"),
    "HELD_UP": Name(zh="未送银行", en="its file cannot go to the bank"),
    "AT_THE_BANK": Name(zh="银行处理中", en="at the bank"),
    "FINISHED": Name(zh="已完成", en="finished"),
}
_event = msgspec.json.Decoder(PaymentRunOpened).decode


async def is_registered(connection: Connection, what: Wanted) -> bool:
    """Whether a file could be written for its account, as far as a bank process has told."""
    told = await connection.fetchval(SQL.is_registered, what.area, what.fund, what.bank_account)
    return told is not False


def wanted(area: str, fund: str, *, due_until: date, execute_on: date) -> Wanted:
    return Wanted(area, fund, PAID_FROM, due_until, execute_on)


class Sum(BaseModel):
    payments: int
    total: Yuan


class WithheldFor(Sum):
    code: WithheldCode
    code_name: Name


RUN_REF = f"{samples.AREA}-310100-20260227-1"


def summed(payments: int, total: str) -> examples.Json:
    return {"payments": payments, "total": total}


ONE_RUN: examples.Json = {
    "run": RUN_REF,
    "area": samples.AREA,
    "fund": "310100",
    "fund_name": samples.FUNDS["310100"],
    "bank_account": "1002",
    "execute_on": "2026-02-27",
    "opened_by": "staff-7c41",
    "state": "AT_THE_BANK",
    "state_name": examples.name("银行处理中", "at the bank"),
    "held_up": None,
    "lanes": 12,
    "decided": 12,
    "available": "5000000.00",
    "last_due": "2026-03-09",
    "planned": summed(3, "2390000.33"),
    "sent": summed(2, "2090000.33"),
    "withheld": summed(1, "300000.00"),
    "withheld_for": [{**summed(1, "300000.00"), "code": "HELD", "code_name": examples.name("暂缓拨付", "held")}],
    "dropped": summed(0, "0.00"),
    "settled": summed(1, "1890000.33"),
    "on_the_way": summed(1, "200000.00"),
    "failed": summed(0, "0.00"),
    "returned": summed(0, "0.00"),
}


class Run(BaseModel):
    run: str
    area: str
    fund: str
    fund_name: Name
    bank_account: BankAccount
    execute_on: date
    opened_by: str
    state: State
    state_name: Name
    held_up: Annotated[
        str | None, Field(description="未送银行的原因 Why its file cannot go to the bank: somebody has to put it right")
    ]
    lanes: int
    decided: Annotated[int, Field(description="In how many of the lanes it is decided")]
    available: Annotated[Yuan, Field(description="Was in the account and not on its way when it was made")]
    last_due: Annotated[date, Field(description="Of the last payment that it was made of")]
    planned: Sum
    sent: Sum
    withheld: Sum
    withheld_for: Annotated[list[WithheldFor], Field(description="By reason")]
    dropped: Annotated[
        Sum | None, Field(description="Neither sent nor withheld: cancelled or paid before it came; once it is decided")
    ]
    settled: Annotated[
        Sum, Field(description="Paid in full; the total is what the bank paid, parts of others included")
    ]
    on_the_way: Annotated[Sum, Field(description="Sent, and not answered in full")]
    failed: Annotated[Sum, Field(description="Not carried out by the bank")]
    returned: Annotated[Sum, Field(description="Of what was paid: what came back, in whole or in part")]


class Counted(NamedTuple):
    payments: int = 0
    fen: int = 0

    def plus(self, payments: int, fen: int) -> "Counted":
        return Counted(self.payments + payments, self.fen + fen)

    @property
    def told(self) -> Sum:
        return Sum(payments=self.payments, total=money.yuan(self.fen))


async def described(
    connection: Connection, rows: Sequence[asyncpg.Record], areas: Sequence[str] | None, *, lanes: int
) -> list[Run]:
    """Runs with what became of their payments, in the snapshot that found them."""
    names, funds = [row["run_ref"] for row in rows], [_event(row["body"]).fund for row in rows]
    sent = await connection.fetch(SQL.sent, names, areas)
    withheld = await connection.fetch(SQL.withheld, names, areas, funds)
    held_up = dict(map(tuple, await connection.fetch(SQL.held_up, names)))
    return [
        _run(
            row,
            held_up.get(row["run_ref"]),
            [one for one in sent if one["run_ref"] == row["run_ref"]],
            [one for one in withheld if one["run_ref"] == row["run_ref"]],
            lanes,
        )
        for row in rows
    ]


def _run(
    row: asyncpg.Record, held_up: str | None, sent: list[asyncpg.Record], withheld: list[asyncpg.Record], lanes: int
) -> Run:
    event, decided = _event(row["body"]), row["decided"] >= lanes
    planned = Counted(event.payments, money.fen(event.total))
    found = _outcome(sent)
    kept = Counted(sum(one["payments"] for one in withheld), sum(one["fen"] for one in withheld))
    dropped = planned.plus(-found["sent"].payments - kept.payments, -found["sent"].fen - kept.fen)
    state = _state(decided=decided, held_up=held_up, on_the_way=found["on_the_way"].payments)
    return Run(
        run=event.run_ref,
        area=event.area,
        fund=event.fund,
        fund_name=answers.fund_name(event.fund),
        bank_account=event.bank_account,
        execute_on=event.execute_on,
        opened_by=event.staff_ref,
        state=state,
        state_name=STATES[state],
        held_up=held_up,
        lanes=lanes,
        decided=row["decided"],
        available=event.available,
        last_due=event.up_to.due,
        planned=planned.told,
        withheld=kept.told,
        withheld_for=[_withheld(one) for one in withheld],
        dropped=dropped.told if decided else None,
        **{name: counted.told for name, counted in found.items()},
    )


def _state(*, decided: bool, held_up: str | None, on_the_way: int) -> State:
    if not decided:
        return "DECIDING"
    if held_up is not None:
        return "HELD_UP"
    return "AT_THE_BANK" if on_the_way else "FINISHED"


def _outcome(sent: list[asyncpg.Record]) -> dict[str, Counted]:
    found = dict.fromkeys(("sent", "settled", "on_the_way", "failed", "returned"), Counted())
    for row in sent:
        count, fen, settled = row["payments"], row["fen"], row["settled"]
        found["sent"] = found["sent"].plus(count, fen)
        found["settled"] = found["settled"].plus(count * (row["status"] == "SETTLED"), settled)
        found["returned"] = found["returned"].plus(row["payments_returned"], row["returned"])
        if row["status"] == "SENT":
            found["on_the_way"] = Counted(count, fen - settled)
        elif row["status"] == "FAILED":
            found["failed"] = Counted(count, fen)
    return found


def _withheld(row: asyncpg.Record) -> WithheldFor:
    return WithheldFor(
        payments=row["payments"], total=money.yuan(row["fen"]), code=row["code"], code_name=WITHHELD[row["code"]]
    )
