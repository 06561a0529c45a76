"""GET /v1/prepayments: what providers were given in advance, how much of it is out, and how much is due."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import knowledge, naming, samples
from clearing.policy import POLICIES
from clearing.prepayment.owed import due_now
from clearing.prepayment.prepayment import Prepayment, Status, given
from medfund import money
from medfund.events.prepayments import Grade, PrepaymentKind
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import Fund, OfProvider
from medfund.http.tables import Cell, Column, Table
from medfund.lanes.draft import Known
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "prepayments.sql")
ORDER = {"ref": str, "lane": int, "provider": str}
STATES: dict[Status, Name] = {
    "CHECKED": Name(zh="已核", en="found good"),
    "REFUSED": Name(zh="未通过", en="refused"),
    "APPROVED": Name(zh="已批准", en="granted"),
    "RECALLED": Name(zh="已收回", en="recalled"),
    "CLEARED": Name(zh="已结清", en="cleared"),
    "OVERDUE": Name(zh="逾期", en="overdue"),
}
KINDS: dict[PrepaymentKind, Name] = {
    "ANNUAL": Name(zh="医保预付金", en="annual"),
    "MONTHLY": Name(zh="月预付", en="monthly"),
    "BULK": Name(zh="集采预付金", en="bulk purchase"),
}
_prepayment = msgspec.json.Decoder(Prepayment).decode


class Question(questions.Waiting, questions.Page, OfProvider, Exported):
    year: Annotated[int | None, Field(ge=2000, le=2099)] = None
    fund: Fund | None = None
    kind: PrepaymentKind | None = None
    state: Status | None = None
    open: Annotated[bool | None, Field(description="Whether something of it is outstanding")] = None


class Told(BaseModel):
    prepayment: str
    provider: str
    provider_name: ProviderName
    area: str
    kind: PrepaymentKind
    kind_name: Name
    year: int
    fund: str
    fund_name: Name
    state: Status
    state_name: Name
    grade: Grade | None
    plan: str | None
    contract: str | None
    granted: Yuan
    disbursed: Yuan
    outstanding: Annotated[Yuan, Field(description="1101, or 1102 of a bulk purchase")]
    offset: Annotated[Yuan, Field(description="Taken back from what the provider was paid")]
    returned: Annotated[Yuan, Field(description="Paid back in cash")]
    due: Annotated[Yuan, Field(description="Of what is outstanding: due by the day that was opened last")]
    blocks_year: Annotated[int | None, Field(description="The year in which the provider gets none, because of it")]


PREPAYMENTS: examples.Json = {
    "prepayments": [
        {
            "prepayment": f"{samples.PROVIDER}/YF-2026/310100",
            "provider": samples.PROVIDER,
            "provider_name": samples.PROVIDER_NAME,
            "area": samples.AREA,
            "kind": "ANNUAL",
            "kind_name": examples.name("医保预付金", "annual"),
            "year": 2026,
            "fund": "310100",
            "fund_name": samples.FUNDS["310100"],
            "state": "APPROVED",
            "state_name": examples.name("已批准", "granted"),
            "grade": "B",
            "plan": "YF-152500-2026-1",
            "contract": None,
            "granted": "9634259.18",
            "disbursed": "9634259.18",
            "outstanding": "6422839.45",
            "offset": "3211419.73",
            "returned": "0.00",
            "due": "0.00",
            "blocks_year": None,
        }
    ],
    "granted": "9634259.18",
    "outstanding": "6422839.45",
    "due": "0.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(PREPAYMENTS)

    prepayments: list[Told]
    granted: Annotated[Yuan, Field(description="The sum of this answer")]
    outstanding: Annotated[Yuan, Field(description="The sum of this answer")]
    due: Annotated[Yuan, Field(description="The sum of this answer")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/prepayments",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Prepayments and what of them is out",
)
async def prepayments(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """From the application on: what was granted and paid, taken back by offsets and in cash, and what is due."""
    pages = Pages(here.cursor_key, questions.sealed("prepayments", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            SQL.prepayments, within.lanes, within.areas, within.parties, question.year, question.fund, question.kind,
            question.state, question.open, *after, exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        names = await naming.names(connection, within.lanes, (row["provider"] for row in found))
        positions = await answers.positions(connection, within.lanes)
        known = await knowledge.of(connection, found[0]["lane"] if found else 0)
        today = await knowledge.today(connection)
    if question.format != "json":
        told = [tell(_prepayment(row["body"]), names, known, today) for row in exports.cut(found)]
        return await exports.file(request, caller, here, question, "prepayments", Table(TITLE, COLUMNS, as_rows(told)))
    rows, following = pages.cut(found, question.limit)
    told = [tell(_prepayment(row["body"]), names, known, today) for row in rows]
    return Answer(
        positions=positions,
        prepayments=told,
        granted=total(one.granted for one in told),
        outstanding=total(one.outstanding for one in told),
        due=total(one.due for one in told),
        next=following,
    )


def total(amounts: Iterable[str]) -> str:
    return money.yuan(sum(map(money.fen, amounts)))


def tell(one: Prepayment, names: Mapping[str, str], known: Known, today: date | None) -> Told:
    policy = known[POLICIES].published.get(one.policy_ref)
    return Told(
        prepayment=one.ref,
        provider=one.dimensions.provider,
        provider_name=names.get(one.dimensions.provider),
        area=one.dimensions.area,
        kind=one.kind,
        kind_name=KINDS[one.kind],
        year=one.year,
        fund=one.fund,
        fund_name=answers.fund_name(one.fund),
        state=one.status,
        state_name=STATES[one.status],
        grade=one.grade,
        plan=one.plan_ref or None,
        contract=one.contract_ref,
        granted=money.yuan(one.granted),
        disbursed=money.yuan(given(one)),
        outstanding=money.yuan(one.left),
        offset=answers.total(one.taken),
        returned=answers.total(one.returned),
        due=money.yuan(due_now(one, policy, today) if policy else 0),
        blocks_year=one.blocks,
    )


# -- to take away

TITLE = Name(zh="预付金", en="Prepayments")
COLUMNS = (
    Column("预付金", "prepayment"), Column("定点机构", "provider"), Column("统筹区", "area"), Column("类别", "kind"),
    Column("年度", "year", "number"), Column("基金", "fund"), Column("状态", "state"), Column("信用等级", "grade"),
    Column("计划", "plan"), Column("批准", "granted", "money"), Column("已拨", "disbursed", "money"),
    Column("未收回", "outstanding", "money"), Column("已冲抵", "offset", "money"),
    Column("已退回", "returned", "money"),
    Column("应收回", "due", "money"), Column("停拨年度", "blocks year", "number"),
    Column("机构名称", "provider name"),
)  # fmt: skip


def as_rows(told: Sequence[Told]) -> list[Sequence[Cell]]:
    return [
        (
            one.prepayment, one.provider, one.area, one.kind_name.zh, one.year, one.fund, one.state_name.zh, one.grade,
            one.plan, *map(money.fen, (one.granted, one.disbursed, one.outstanding, one.offset, one.returned, one.due)),
            one.blocks_year, one.provider_name,
        )
        for one in told
    ]  # fmt: skip
