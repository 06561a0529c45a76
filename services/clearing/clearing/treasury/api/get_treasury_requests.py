"""GET /v1/treasury-requests: what was asked of the treasury, and what of it has come."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any

import asyncpg
import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.funds import Fens, added, fens, total
from clearing.payments.api import runs
from medfund import money
from medfund.events.treasury import TreasuryFundsRequested
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import Area, Ref
from medfund.http.tables import Cell, Column, Table
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "treasury.sql")
ORDER = {"needed_on": str, "lane": int, "offset": int}
_request = msgspec.json.Decoder(TreasuryFundsRequested).decode


class Question(questions.Waiting, questions.Page, Exported):
    area: Area | None = None
    request: Annotated[Ref | None, Field(description="One request, by its number")] = None
    open: Annotated[bool | None, Field(description="Whether not all of it has come")] = None


class OfFund(BaseModel):
    fund: str
    fund_name: Name
    requested: Yuan
    received: Yuan
    open: Annotated[Yuan, Field(description="Below zero where more came than was asked for")]


class Receipt(BaseModel):
    bank_txn: str
    value_date: date
    fund: str
    amount: Yuan


class Asked(BaseModel):
    request: str
    area: str
    plan: str
    needed_on: date
    asked_by: str
    funds: list[OfFund]
    requested: Yuan
    received: Yuan
    receipts: list[Receipt]


TREASURY: examples.Json = {
    "requests": [
        {
            "request": "YK-2026-0007",
            "area": samples.AREA,
            "plan": "plan-2026-02",
            "needed_on": "2026-02-27",
            "asked_by": "staff-7c41",
            "funds": [
                {
                    "fund": "310100",
                    "fund_name": samples.FUNDS["310100"],
                    "requested": "5000000.00",
                    "received": "3000000.00",
                    "open": "2000000.00",
                }
            ],
            "requested": "5000000.00",
            "received": "3000000.00",
            "receipts": [
                {"bank_txn": "202602260000014", "value_date": "2026-02-26", "fund": "310100", "amount": "3000000.00"}
            ],
        }
    ],
    "requested": "5000000.00",
    "received": "3000000.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(TREASURY)

    requests: list[Asked]
    requested: Annotated[Yuan, Field(description="The sum of this answer")]
    received: Annotated[Yuan, Field(description="The sum of this answer")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/treasury-requests",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Money asked of the treasury, and received",
)
async def treasury_requests(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """The first that is needed first. What came is what the bank transferred to the expenditure account under the
    request's name, and what was in suspense and was placed as FISCAL of this request.
    """
    pages = Pages(here.cursor_key, questions.sealed("treasury_requests", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            SQL.requests, within.lanes, reach.whole_areas(within), question.request, runs.PAID_FROM, question.open,
            *after, exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        positions = await answers.positions(connection, within.lanes)
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [line for row in exports.cut(found) for line in _lines(_asked(row))])
        return await exports.file(request, caller, here, question, "treasury-requests", table)
    rows, following = pages.cut(found, question.limit)
    asked = [_asked(row) for row in rows]
    return Answer(
        positions=positions,
        requests=asked,
        requested=_sum(one.requested for one in asked),
        received=_sum(one.received for one in asked),
        next=following,
    )


def _sum(amounts: Any) -> str:
    return money.yuan(sum(map(money.fen, amounts)))


def _asked(row: asyncpg.Record) -> Asked:
    event = _request(row["body"])
    receipts = msgspec.json.decode(row["receipts"])
    requested, received = fens(event.amounts), total({one["fund"]: one["fen"]} for one in receipts)
    return Asked(
        request=event.request_ref,
        area=event.area,
        plan=event.plan_ref,
        needed_on=event.needed_on,
        asked_by=event.staff_ref,
        funds=list(_by_fund(requested, received)),
        requested=answers.total(requested),
        received=answers.total(received),
        receipts=[
            Receipt(
                bank_txn=one["bank_txn"],
                value_date=one["value_date"],
                fund=one["fund"],
                amount=money.yuan(one["fen"]),
            )
            for one in receipts
        ],
    )


def _by_fund(requested: Fens, received: Fens) -> Iterator[OfFund]:
    left = added(requested, received, -1)
    for fund in sorted({*requested, *received}):
        yield OfFund(
            fund=fund,
            fund_name=answers.fund_name(fund),
            requested=money.yuan(requested.get(fund, 0)),
            received=money.yuan(received.get(fund, 0)),
            open=money.yuan(left.get(fund, 0)),
        )


# -- to take away

TITLE = Name(zh="用款申请", en="Treasury requests")
COLUMNS = (
    Column("申请", "request"), Column("统筹区", "area"), Column("计划", "plan"), Column("用款日", "needed on", "day"),
    Column("申请人", "asked by"), Column("基金", "fund"), Column("基金名称", "fund name"),
    Column("申请金额", "requested", "money"), Column("已到账", "received", "money"), Column("未到账", "open", "money"),
)  # fmt: skip


def _lines(one: Asked) -> Iterator[Sequence[Cell]]:
    for part in one.funds:
        amounts = map(money.fen, (part.requested, part.received, part.open))
        yield (
            one.request, one.area, one.plan, one.needed_on, one.asked_by, part.fund, part.fund_name.zh, *amounts,
        )  # fmt: skip
