"""GET /v1/outflows: what will leave each fund's account on the next 20 working days, and when one is short."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeAlias

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from clearing import clock
from clearing.api import knowledge, samples
from clearing.funds import positive
from clearing.instant import amounts
from clearing.payments.api import runs
from clearing.policy import POLICIES, Policies
from clearing.treasury import outflow
from clearing.treasury.outflow import Due, Forecast
from medfund import money
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.http import answers, examples, exports, questions, reach
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.database import Connection
from medfund.http.exports import Exported
from medfund.http.problems import Problem
from medfund.http.questions import Area, Fund
from medfund.http.tables import Column, Table
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "outflows.sql")
Areas: TypeAlias = Sequence[str] | None
_fens = msgspec.json.Decoder(dict[str, int]).decode


class Question(Exported):
    model_config = ConfigDict(populate_by_name=True)

    area: Area
    fund: Fund | None = None
    first: Annotated[
        questions.Day, Field(alias="from", description="The first day; a day off begins with the next one")
    ]


class Day(BaseModel):
    day: date
    certain: Annotated[Yuan, Field(description="Ordered, or failed and owed still; what is late is in the first day")]
    estimated: Annotated[Yuan, Field(description="Claims in review, less what was paid of them at once")]
    left: Annotated[Yuan, Field(description="Of what is available, after this day")]


class OfFund(BaseModel):
    fund: str
    fund_name: Name
    cash: Annotated[Yuan, Field(description="In the expenditure account, by the books")]
    on_its_way: Annotated[Yuan, Field(description="Of that: sent to the bank and not answered yet")]
    available: Yuan
    days: list[Day]
    certain: Annotated[Yuan, Field(description="The sum of the days")]
    estimated: Annotated[Yuan, Field(description="The sum of the days")]
    short_on: Annotated[date | None, Field(description="The first day that cannot be paid in full")]
    short_by: Annotated[Yuan, Field(description="What is missing on the last day; 0.00 where nothing is")]


OUTFLOWS: examples.Json = {
    "area": samples.AREA,
    "first": "2026-02-27",
    "last": "2026-03-26",
    "calendar_version": "cn-2024-2026-30451dc4",
    "provisional_from": None,
    "funds": [
        {
            "fund": "310100",
            "fund_name": samples.FUNDS["310100"],
            "cash": "2000000.00",
            "on_its_way": "0.00",
            "available": "2000000.00",
            "days": [{"day": "2026-03-09", "certain": "2390000.33", "estimated": "0.00", "left": "-390000.33"}],
            "certain": "2390000.33",
            "estimated": "0.00",
            "short_on": "2026-03-09",
            "short_by": "390000.33",
        }
    ],
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(OUTFLOWS)

    area: str
    first: date
    last: date
    calendar_version: str
    provisional_from: Annotated[
        date | None, Field(description="From this day on no notice says which days are worked: weekdays are shown")
    ]
    funds: list[OfFund]
    positions: Positions


@router.get(
    "/v1/outflows",
    response_model=Answer,
    responses=exports.responses("question_too_slow"),
    summary="What will be paid on the next working days, and whether the cash is there",
)
async def outflows(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """By the due days of what is ordered, and of what is claimed and not approved yet, which is an estimate: its part
    that is paid at once is due on the first working day after it was submitted. What is due on a day off is paid on the
    working day before it.
    """
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    areas = reach.whole_areas(within)
    async with here.database.snapshot(caller) as connection:
        lane = await connection.fetchval(SQL.a_lane, areas) or 0
        calendar = await knowledge.calendar(connection, lane)
        days = _days(calendar, question.first)
        cash = dict(map(tuple, await connection.fetch(SQL.cash, areas, runs.PAID_FROM)))
        sent = dict(map(tuple, await connection.fetch(SQL.on_their_way, areas)))
        known = await knowledge.of(connection, lane)
        dues = [
            *await _unsent(connection, areas, days[-1]),
            *await _in_review(connection, areas, days[-1], known[POLICIES], calendar),
        ]
        positions = await answers.positions(connection, within.lanes)
    available = {fund: cash.get(fund, 0) - sent.get(fund, 0) for fund in {*cash, *sent}}
    found = [one for one in outflow.forecast(dues, available, days) if question.fund in (None, one.fund)]
    if question.format != "json":
        return await exports.file(request, caller, here, question, "outflows", _table(found))
    return Answer(
        area=question.area,
        first=days[0],
        last=days[-1],
        calendar_version=calendar.version,
        provisional_from=outflow.provisional_from(calendar, days),
        positions=positions,
        funds=[_fund(one, cash.get(one.fund, 0), sent.get(one.fund, 0)) for one in found],
    )


def _days(calendar: Calendar, first: date) -> list[date]:
    try:
        return outflow.working_days(calendar, first)
    except CalendarNotLoaded as error:
        raise Problem("parameter_invalid", f"from: {error}") from error


async def _unsent(connection: Connection, areas: Areas, last: date) -> list[Due]:
    rows = await connection.fetch(SQL.unsent, areas, last)
    return [Due(row["fund"], row["due"], row["fen"], estimated=False) for row in rows]


async def _in_review(
    connection: Connection, areas: Areas, last: date, policies: Policies, calendar: Calendar
) -> list[Due]:
    """What was approved to be paid at once is ordered already; what will be is due before the rest of its claim."""
    found = []
    for row in await connection.fetch(SQL.in_review, areas, last):
        in_review, p1 = _fens(row["in_review"]), _fens(row["p1"] or "{}")
        if row["p1"] is None and not row["approved_in_part"] and row["policy_ref"] in policies.published:
            policy, claimed = policies.by_hash(row["policy_ref"]), _fens(row["claimed"])
            p1 = amounts.p1(claimed, {fund: policy.p1_ratio(fund) for fund in claimed})
            at_once = clock.deadline(calendar, 1, row["submitted_on"]).earliest
            found += [Due(fund, at_once, fen, estimated=True) for fund, fen in positive(p1).items()]
        rest = outflow.estimate(in_review, p1, approved_in_part=row["approved_in_part"])
        found += [Due(fund, row["due"], fen, estimated=True) for fund, fen in rest.items()]
    return found


def _fund(one: Forecast, cash: int, sent: int) -> OfFund:
    return OfFund(
        fund=one.fund,
        fund_name=answers.fund_name(one.fund),
        cash=money.yuan(cash),
        on_its_way=money.yuan(sent),
        available=money.yuan(one.available),
        days=[
            Day(
                day=day.on,
                certain=money.yuan(day.certain),
                estimated=money.yuan(day.estimated),
                left=money.yuan(day.left),
            )
            for day in one.days
        ],
        certain=money.yuan(sum(day.certain for day in one.days)),
        estimated=money.yuan(sum(day.estimated for day in one.days)),
        short_on=one.short_on,
        short_by=money.yuan(max(0, -one.days[-1].left)),
    )


# -- to take away

TITLE = Name(zh="资金流出预测", en="Outflows")
COLUMNS = (
    Column("基金", "fund"), Column("基金名称", "fund name"), Column("日期", "day", "day"),
    Column("已下达", "certain", "money"), Column("预计", "estimated", "money"), Column("余额", "left", "money"),
)  # fmt: skip


def _table(found: Sequence[Forecast]) -> Table:
    return Table(
        TITLE,
        COLUMNS,
        [
            (one.fund, answers.fund_name(one.fund).zh, day.on, day.certain, day.estimated, day.left)
            for one in found
            for day in one.days
        ],
    )
