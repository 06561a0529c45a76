"""GET /v1/payment-runs/plan: what a run would send now, were it made. Nothing is changed, nothing is locked."""

from datetime import date
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments import planning
from clearing.payments.api import runs
from clearing.payments.api.runs import Counted, Sum
from clearing.payments.planning import Plan, Wanted
from medfund import money
from medfund.events.bank import BankAccount
from medfund.events.fields import LAST_DAY
from medfund.http import answers, commands, examples
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Day, Fund

router = APIRouter()


class Question(BaseModel):
    area: Area
    fund: Fund
    execute_on: Annotated[Day, Field(description="What is approved has to be good on this day")]
    due_until: Annotated[Day, Field(description="Only what is due up to this day; everything unless said")] = LAST_DAY


class OfDay(BaseModel):
    due: date
    approved: Sum
    planned: Sum


RUN_PLAN: examples.Json = {
    "area": samples.AREA,
    "fund": "310100",
    "fund_name": samples.FUNDS["310100"],
    "bank_account": "1002",
    "execute_on": "2026-02-27",
    "due_until": "2099-12-31",
    "undecided": None,
    "registered": True,
    "cash": "2000000.00",
    "on_its_way": "0.00",
    "available": "2000000.00",
    "approved": runs.summed(3, "2390000.33"),
    "planned": runs.summed(1, "1890000.33"),
    "not_covered": runs.summed(2, "500000.00"),
    "hash": "5c3d9e0f1a2b4c6d8e7f90a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f",
    "days": [{"due": "2026-03-09", "approved": runs.summed(3, "2390000.33"), "planned": runs.summed(1, "1890000.33")}],
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(RUN_PLAN)

    area: str
    fund: str
    fund_name: Name
    bank_account: BankAccount
    execute_on: date
    due_until: date
    undecided: Annotated[
        str | None, Field(description="The last run of the account; none is made before it is decided")
    ]
    registered: Annotated[
        bool,
        Field(
            description="False: the register of account numbers lacks the account, and no run is made before it is in"
        ),
    ]
    cash: Annotated[Yuan, Field(description="In the account, by the books")]
    on_its_way: Annotated[Yuan, Field(description="Of that: sent to the bank and not answered yet")]
    available: Yuan
    approved: Annotated[Sum, Field(description="Could be sent, were there enough")]
    planned: Annotated[Sum, Field(description="Would be sent: the earliest due first, as far as the money goes")]
    not_covered: Annotated[Sum, Field(description="Approved, and more than is there")]
    hash: Annotated[str, Field(description="Of the payments that are planned: give it with the run that sends them")]
    days: Annotated[list[OfDay], Field(description="The same by due day")]
    positions: Positions


@router.get(
    "/v1/payment-runs/plan",
    responses=answers.or_problems("not_found", "question_too_slow"),
    summary="What a payment run would send",
)
async def run_plan(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """By the same rule as a run is made. What a lane may withhold in the end (by a hold, or until an account is
    confirmed) is in it.
    """
    commands.of_area(caller, here, question.area)
    what = runs.wanted(question.area, question.fund, due_until=question.due_until, execute_on=question.execute_on)
    return await planned(caller, here, what)


async def planned(caller: Caller, here: Here, what: Wanted) -> Answer:
    """Nothing of it is kept."""
    async with here.database.snapshot(caller) as connection:
        plan = await planning.plan(connection, what)
        digest = await planning.hash_of(connection, plan)
        days = await connection.fetch(
            runs.SQL.by_due, what.area, what.fund, what.due_until, what.execute_on, plan.available
        )
        undecided = await connection.fetchval(runs.SQL.undecided, what.area, what.fund, what.bank_account, here.lanes)
        registered = await runs.is_registered(connection, what)
        positions = await answers.positions(connection, range(here.lanes))
    return _answer(plan, digest, positions, undecided, registered=registered, days=[_day(row) for row in days])


def _answer(
    plan: Plan, digest: str, positions: Positions, undecided: str | None, *, registered: bool, days: list[OfDay]
) -> Answer:
    what, planned = plan.wanted, Counted(plan.payments, plan.fen)
    approved = Counted(plan.approved, plan.approved_fen)
    return Answer(
        area=what.area,
        fund=what.fund,
        fund_name=answers.fund_name(what.fund),
        bank_account=what.bank_account,
        execute_on=what.execute_on,
        due_until=what.due_until,
        positions=positions,
        undecided=undecided,
        registered=registered,
        cash=money.yuan(plan.cash),
        on_its_way=money.yuan(plan.on_its_way),
        available=money.yuan(plan.available),
        approved=approved.told,
        planned=planned.told,
        not_covered=approved.plus(-planned.payments, -planned.fen).told,
        hash=digest,
        days=days,
    )


def _day(row: asyncpg.Record) -> OfDay:
    return OfDay(
        due=row["due"],
        approved=Counted(row["approved"], row["approved_fen"]).told,
        planned=Counted(row["planned"], row["planned_fen"]).told,
    )
