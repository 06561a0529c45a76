"""GET /v1/prepayment-statement: a hospital's own page: what it was given in advance in a year, what became of it day by
day, and what will be taken back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import knowledge, naming, samples
from clearing.policy import POLICIES
from clearing.prepayment import history
from clearing.prepayment.api import get_prepayment_outlook, get_prepayments
from clearing.prepayment.api.get_prepayment_outlook import Month
from clearing.prepayment.api.get_prepayments import SQL, Told
from clearing.prepayment.history import Step, What
from clearing.prepayment.outlook import Outlook, outlook
from clearing.prepayment.prepayment import Prepayment
from medfund import money
from medfund.http import answers, auditing, examples, exports, pages, problems, questions, reach, tables, waiting
from medfund.http.answers import Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.questions import Party
from medfund.http.tables import Cell, Column, Table
from medfund.lanes.draft import Known

router = APIRouter()
TITLE = Name(zh="预付金对账单", en="Statement of prepayments")
STEPS: Mapping[What, Name] = {
    "CHECKED": Name(zh="审核通过", en="found good"),
    "REFUSED": Name(zh="不予预付", en="refused"),
    "GRANTED": Name(zh="批准", en="granted"),
    "CHANGED": Name(zh="调整", en="changed"),
    "PAID": Name(zh="拨付", en="paid"),
    "CAME_BACK": Name(zh="付款退回", en="payment came back"),
    "PURCHASED": Name(zh="采购进度", en="purchased so far"),
    "OFFSET": Name(zh="冲抵", en="taken back"),
    "RETURNED": Name(zh="退回", en="returned in cash"),
    "RECALLED": Name(zh="收回", en="recalled"),
    "OVERDUE": Name(zh="逾期", en="overdue"),
    "CLEARED": Name(zh="结清", en="cleared"),
}
_prepayment = msgspec.json.Decoder(Prepayment).decode


class Question(questions.Waiting):
    provider: Party
    year: Annotated[int | None, Field(ge=2000, le=2099, description="Of the day that was opened last, unless told")] = (
        None
    )
    format: Annotated[Literal["json", "xlsx", "html"], Field(description="To calculate with: xlsx; to print: html")] = (
        "json"
    )


class StepTold(BaseModel):
    day: Annotated[date | None, Field(description="The bank's, or the one that was open")]
    prepayment: str
    what: What
    what_name: Name
    amount: Annotated[Yuan, Field(description="What the step is about")]
    outstanding: Annotated[Yuan, Field(description="Of this prepayment, after the step")]
    about: Annotated[str, Field(description="The plan, payment, claim, bank transaction or reason")]


class Out(BaseModel):
    day: date
    outstanding: Annotated[Yuan, Field(description="Of the fund, from this day on")]


class OfFund(BaseModel):
    fund: str
    fund_name: Name
    prepayments: list[Told]
    outstanding: Yuan
    due: Yuan
    days: list[Out]
    steps: list[StepTold]
    months: Annotated[list[Month], Field(description="Expected, from the month of today to the end of the year")]


PREPAYMENT_STATEMENT: examples.Json = {
    "provider": samples.PROVIDER,
    "provider_name": samples.PROVIDER_NAME,
    "area": samples.AREA,
    "year": 2026,
    "as_of": "2026-10-12",
    "funds": [
        {
            "fund": "310100",
            "fund_name": samples.FUNDS["310100"],
            "prepayments": get_prepayments.PREPAYMENTS["prepayments"],
            "outstanding": "6422839.45",
            "due": "0.00",
            "days": [
                {"day": "2026-02-27", "outstanding": "9634259.18"},
                {"day": "2026-10-09", "outstanding": "6422839.45"},
            ],
            "steps": [
                {
                    "day": "2026-10-09",
                    "prepayment": f"{samples.PROVIDER}/YF-2026/310100",
                    "what": "OFFSET",
                    "what_name": examples.name("冲抵", "taken back"),
                    "amount": "3211419.73",
                    "outstanding": "6422839.45",
                    "about": "H15250200017-310-21-202609",
                },
            ],
            "months": [{"month": "2026-11-01", "due": "3211419.73", "expected": "3211419.73", "left": "3211419.72"}],
        }
    ],
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(PREPAYMENT_STATEMENT)

    provider: str
    provider_name: ProviderName
    area: str
    year: int
    as_of: Annotated[date, Field(description="The day that was opened last")]
    funds: list[OfFund]
    positions: Positions


class _Fund(NamedTuple):
    """What is told of one fund."""

    told: Sequence[Told]
    steps: Sequence[Step]
    ahead: Outlook

    @property
    def name(self) -> Name:
        return answers.fund_name(self.ahead.fund)


@router.get(
    "/v1/prepayment-statement",
    response_model=Answer,
    responses={
        200: {"content": {exports.XLSX: exports.BINARY, "text/html": {"schema": {"type": "string"}}}},
        **answers.or_problems("not_found", "not_booked_yet", "question_too_slow"),
    },
    summary="A provider's prepayments of a year, step by step",
)
async def prepayment_statement(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Each fund by itself: what was granted, paid, taken back and returned on which day, what was out after it, and
    what is expected by the end of the year. `xlsx` and `html` are exports: each leaves an audit record."""
    within = reach.of(caller, area=None, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        today = await knowledge.today(connection)
        year = question.year or (today.year if today else None)
        mine = within.lanes, within.areas, within.parties, year
        rows = await connection.fetch(SQL.prepayments, *mine, *(None,) * 8)
        steps = [Step(*row) for row in await connection.fetch(SQL.steps, *mine)]
        names = await naming.names(connection, within.lanes, [question.provider])
        positions = await answers.positions(connection, within.lanes)
        known = await knowledge.of(connection, rows[0]["lane"] if rows else 0)
    if not rows or today is None or year is None:
        raise problems.unknown("year")
    found = [_prepayment(row["body"]) for row in rows]
    area, funds = found[0].dimensions.area, list(_funds(found, steps, names, known, today, year))
    if question.format == "json":
        return Answer(
            provider=question.provider,
            provider_name=names.get(question.provider),
            area=area,
            year=year,
            as_of=today,
            positions=positions,
            funds=[_of_fund(fund) for fund in funds],
        )
    await auditing.record(request, here.database, caller, "asked", question.model_dump(mode="json", exclude_none=True))
    if question.format == "xlsx":
        disposition = {"content-disposition": 'attachment; filename="prepayments.xlsx"'}
        book = tables.as_xlsx(*(_steps(fund) for fund in funds))
        return Response(book, media_type=exports.XLSX, headers=disposition)
    facts = [
        (Name(zh="机构名称", en="provider"), answers.told(names.get(question.provider))),
        (Name(zh="机构编码", en="provider code"), question.provider),
        (Name(zh="统筹区", en="area"), area),
        (Name(zh="年度", en="year"), str(year)),
        (Name(zh="截至", en="as of"), today.isoformat()),
        (Name(zh="单位", en="unit"), "元 yuan"),
    ]
    return pages.response(TITLE, facts, [part for fund in funds for part in _page(fund, today)])


def _funds(
    found: Sequence[Prepayment],
    steps: Sequence[Step],
    names: Mapping[str, str],
    known: Known,
    today: date,
    year: int,
) -> Iterator[_Fund]:
    policies = known[POLICIES].published
    for fund in sorted({one.fund for one in found}):
        own = [one for one in found if one.fund == fund]
        refs = {one.ref for one in own}
        yield _Fund(
            [get_prepayments.tell(one, names, known, today) for one in own],
            [step for step in steps if step.ref in refs],
            outlook(fund, [(one, policies[one.policy_ref]) for one in own if one.policy_ref in policies], today, year),
        )


def _of_fund(fund: _Fund) -> OfFund:
    return OfFund(
        fund=fund.ahead.fund,
        fund_name=fund.name,
        prepayments=list(fund.told),
        outstanding=get_prepayments.total(one.outstanding for one in fund.told),
        due=get_prepayments.total(one.due for one in fund.told),
        days=[Out(day=day, outstanding=money.yuan(fen)) for day, fen in history.by_day(fund.steps)],
        steps=[
            StepTold(
                day=step.day,
                prepayment=step.ref,
                what=step.what,
                what_name=STEPS[step.what],
                amount=money.yuan(step.fen),
                outstanding=money.yuan(step.left),
                about=step.about,
            )
            for step in fund.steps
        ],
        months=get_prepayment_outlook.months(fund.ahead),
    )


# -- to take away

STEP_COLUMNS = (
    Column("日期", "day", "day"), Column("预付金", "prepayment"), Column("事项", "what"),
    Column("金额", "amount", "money"), Column("未收回", "outstanding", "money"), Column("依据", "about"),
)  # fmt: skip
OWN_COLUMNS = (
    Column("预付金", "prepayment"), Column("状态", "state"), Column("批准", "granted", "money"),
    Column("已拨", "disbursed", "money"), Column("已冲抵", "offset", "money"), Column("已退回", "returned", "money"),
    Column("未收回", "outstanding", "money"), Column("应收回", "due", "money"),
)  # fmt: skip

NO_STEPS = Name(zh="本年度没有变动", en="nothing became of them in this year")


def _steps(fund: _Fund) -> Table:
    rows: list[Sequence[Cell]] = [
        (step.day, step.ref, STEPS[step.what], step.fen, step.left, step.about) for step in fund.steps
    ]
    return Table(fund.name, STEP_COLUMNS, rows)


def _page(fund: _Fund, today: date) -> Sequence[str]:
    plot = get_prepayment_outlook.plot(history.by_day(fund.steps), fund.ahead, today)
    rows: list[Sequence[Cell]] = [
        (
            one.prepayment, one.state_name,
            *map(money.fen, (one.granted, one.disbursed, one.offset, one.returned, one.outstanding, one.due)),
        )
        for one in fund.told
    ]  # fmt: skip
    steps = _steps(fund)._replace(title=Name(zh="经过", en="Step by step"), empty=NO_STEPS)
    return [pages.table(Table(fund.name, OWN_COLUMNS, rows)), plot, pages.table(steps)]
