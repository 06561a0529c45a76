"""GET /v1/arrears: what hospitals owe suppliers from before direct payment, and how old it is (S1)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import naming, samples
from direct_pay.api.naming import Between, Called, OfBoth
from direct_pay.arrears.arrears import Arrears
from direct_pay.names import Name as Named
from medfund import money
from medfund.http import answers, examples, exports, knowledge, questions, reach, waiting
from medfund.http.answers import ByFund, Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.tables import Cell, Column, Table
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "arrears.sql")
ORDER = {"since": date, "lane": int, "provider": str, "supplier": str, "ref": str}
YEARS = (1, 2, 3, 5)
DAYS = 365
_arrears = msgspec.json.Decoder(Arrears).decode


class Question(questions.Waiting, questions.Page, OfBoth, Exported):
    open: Annotated[bool | None, Field(description="Whether something of it is left")] = None


ARREARS: examples.Json = {
    "as_of": "2026-10-07",
    "arrears": [
        {
            **samples.WHOSE,
            "arrears": "QK-2021-0007",
            "since": "2020-06-30",
            "age_days": 2290,
            "registered": "7748700.00",
            "left": "7748700.00",
            "by_fund": [
                {"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "7748700.00"},
            ],
        }
    ],
    "ages": [
        {"up_to_days": 365, "left": "0.00"},
        {"up_to_days": 730, "left": "0.00"},
        {"up_to_days": 1095, "left": "0.00"},
        {"up_to_days": 1825, "left": "0.00"},
        {"up_to_days": None, "left": "7748700.00"},
    ],
    "registered": "7748700.00",
    "left": "7748700.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class ArrearsTold(Between):
    arrears: str
    since: date | None
    age_days: Annotated[int | None, Field(description="From `since` to the day that was opened last")]
    registered: Yuan
    left: Annotated[Yuan, Field(description="What was neither paid nor forgiven")]
    by_fund: Annotated[list[ByFund], Field(description="What is left")]


class ArrearsAge(BaseModel):
    up_to_days: Annotated[int | None, Field(description="Null for what is older")]
    left: Yuan


class Answer(BaseModel):
    model_config = examples.of(ARREARS)

    as_of: Annotated[date | None, Field(description="The day that was opened last")]
    arrears: list[ArrearsTold]
    ages: Annotated[list[ArrearsAge], Field(description="Of this answer")]
    registered: Annotated[Yuan, Field(description="The sum of this answer")]
    left: Annotated[Yuan, Field(description="The sum of this answer")]
    next: str | None
    positions: Positions


class _Found(NamedTuple):
    name: Named
    arrears: Arrears
    age_days: int | None

    @property
    def registered(self) -> int:
        return sum(self.arrears.amounts.values())

    @property
    def left(self) -> int:
        return sum(self.arrears.left.values())


@router.get(
    "/v1/arrears",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="What hospitals owe suppliers from before",
)
async def arrears(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """The hospitals' own debts, never the fund's: in no cycle and in no account of what is paid. The oldest first."""
    pages = Pages(here.cursor_key, questions.sealed("arrears", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.several, within.lanes, *within.predicates, question.supplier, question.open, *after,
            exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        shown, following = pages.cut(rows, question.limit) if question.format == "json" else (exports.cut(rows), None)
        today = await knowledge.today(connection)
        found = [_found(row, today) for row in shown]
        called = await naming.called(connection, within.lanes, (one.name for one in found))
        positions = await answers.positions(connection, within.lanes)
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(one, called) for one in found])
        return await exports.file(request, caller, here, question, "arrears", table)
    return Answer(
        as_of=today,
        arrears=[_told(one, called) for one in found],
        ages=_ages(found),
        registered=money.yuan(sum(one.registered for one in found)),
        left=money.yuan(sum(one.left for one in found)),
        next=following,
        positions=positions,
    )


def _found(row: object, today: date | None) -> _Found:
    name = Named(row["provider"], row["supplier"], row["ref"])  # type: ignore[index]
    one = _arrears(row["body"])  # type: ignore[index]
    return _Found(name, one, None if today is None or one.since is None else (today - one.since).days)


def _told(one: _Found, called: Called) -> ArrearsTold:
    return ArrearsTold(
        **called.between(one.arrears.area, one.name).model_dump(),
        arrears=one.name.ref,
        since=one.arrears.since,
        age_days=one.age_days,
        registered=money.yuan(one.registered),
        left=money.yuan(one.left),
        by_fund=answers.by_fund(one.arrears.left),
    )


def _ages(found: Sequence[_Found]) -> list[ArrearsAge]:
    told, before = [], -1
    for years in (*YEARS, None):
        most = None if years is None else years * DAYS
        fen = sum(
            one.left
            for one in found
            if one.age_days is not None and before < one.age_days and (most is None or one.age_days <= most)
        )
        told.append(ArrearsAge(up_to_days=most, left=money.yuan(fen)))
        before = most if most is not None else before
    return told


# -- to take away

TITLE = Name(zh="历史欠款", en="Arrears")
COLUMNS = (
    Column("欠款编号", "arrears"), Column("定点机构", "provider"), Column("机构名称", "provider name"),
    Column("医药企业", "supplier"), Column("企业名称", "supplier name"), Column("起始日", "since", "day"),
    Column("账龄（天）", "age in days", "number"), Column("登记金额", "registered", "money"),
    Column("未核销", "left", "money"),
)  # fmt: skip


def _row(one: _Found, called: Called) -> tuple[Cell, ...]:
    told = _told(one, called)
    return (
        told.arrears, told.provider, told.provider_name, told.supplier, told.supplier_name, told.since, one.age_days,
        one.registered, one.left,
    )  # fmt: skip
