"""GET /v1/prepayment-outlook: how old prepayments are, and what of them will be back by the end of the year."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import commands, examples, standing
from clearing.api.get_prepayments import SQL
from clearing.prepayment.outlook import Outlook, outlook
from clearing.prepayment.prepayment import Prepayment
from medfund import money
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem
from medfund.http.questions import Area, Fund

router = APIRouter()
_prepayment = msgspec.json.Decoder(Prepayment).decode


class Question(questions.Waiting):
    area: Area
    fund: Fund | None = None


class Age(BaseModel):
    up_to_days: Annotated[int | None, Field(description="Since it was paid; null for what is older")]
    prepayments: int
    outstanding: Yuan


class Month(BaseModel):
    month: Annotated[date, Field(description="Its first day")]
    due: Annotated[Yuan, Field(description="By its end, of what is expected to be out then")]
    expected: Annotated[Yuan, Field(description="To be taken back in it: what is due, or a month of the base at most")]
    left: Yuan


class OfFund(BaseModel):
    fund: str
    fund_name: Name
    outstanding: Yuan
    ages: list[Age]
    months: list[Month]
    left: Annotated[Yuan, Field(description="Expected at the end of the year: overdue, unless it is paid back")]


class Answer(BaseModel):
    model_config = example_of(examples.OUTLOOK)

    area: str
    as_of: Annotated[date, Field(description="The day that was opened last")]
    positions: Positions
    funds: list[OfFund]


@router.get(
    "/v1/prepayment-outlook",
    responses=answers.or_problems("not_found", "not_booked_yet", "question_too_slow"),
    summary="What will be back of prepayments by the end of the year",
)
async def prepayment_outlook(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Month by month, by schedule, where every month is as the base period's mean was and nobody pays in cash."""
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(SQL.outstanding, within.lanes, within.areas, within.parties, question.fund)
        positions = await answers.positions(connection, within.lanes)
        known = await standing.known(connection, next(iter(within.lanes), 0))
        today = await connection.fetchval(commands.SQL.today)
    if today is None:
        raise Problem("not_found", "no day was opened yet")
    found = [_prepayment(row["body"]) for row in rows]
    funds = sorted({one.fund for one in found})
    policies = known.policies.published
    return Answer(
        area=question.area,
        as_of=today,
        positions=positions,
        funds=[
            _told(outlook(fund, [(one, policies[one.policy_ref]) for one in found if one.fund == fund], today))
            for fund in funds
        ],
    )


def _told(one: Outlook) -> OfFund:
    return OfFund(
        fund=one.fund,
        fund_name=answers.fund_name(one.fund),
        outstanding=money.yuan(one.outstanding),
        ages=[
            Age(up_to_days=age.up_to, prepayments=age.prepayments, outstanding=money.yuan(age.outstanding))
            for age in one.ages
        ],
        months=[
            Month(
                month=month.first,
                due=money.yuan(month.due),
                expected=money.yuan(month.expected),
                left=money.yuan(month.left),
            )
            for month in one.months
        ],
        left=money.yuan(one.left),
    )
