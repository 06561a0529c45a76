"""GET /v1/prepayment-outlook: which funds can bear prepayments, what was out month by month, how old it is, and what of
it will be back by the end of the year."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import knowledge, samples
from clearing.policy import POLICIES, NoPolicy
from clearing.prepayment import gate
from clearing.prepayment.api.get_prepayments import SQL
from clearing.prepayment.gate import FIGURES
from clearing.prepayment.outlook import Outlook, outlook
from clearing.prepayment.prepayment import Prepayment
from medfund import money
from medfund.http import answers, auditing, examples, pages, plots, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.plots import Point
from medfund.http.problems import Problem
from medfund.http.questions import Area, Fund
from medfund.http.tables import Cell, Column, Table
from medfund.lanes.draft import Known

router = APIRouter()
TITLE = Name(zh="预付金收回预测", en="Prepayments: out, and expected back")
CAPTION = Name(zh="未收回（实线）与预计（虚线），元", en="outstanding (solid) and expected (dashed), yuan")
_prepayment = msgspec.json.Decoder(Prepayment).decode


class Question(questions.Waiting):
    area: Area
    fund: Fund | None = None
    format: Annotated[Literal["json", "html"], Field(description="To look at and to print: html")] = "json"


class Age(BaseModel):
    up_to_days: Annotated[int | None, Field(description="Since it was paid; null for what is older")]
    prepayments: int
    outstanding: Yuan


class Month(BaseModel):
    month: Annotated[date, Field(description="Its first day")]
    due: Annotated[Yuan, Field(description="By its end, of what is expected to be out then")]
    expected: Annotated[Yuan, Field(description="To be taken back in it: what is due, or a month of the base at most")]
    left: Yuan


class SoFar(BaseModel):
    month: Annotated[date, Field(description="Its first day")]
    left: Annotated[Yuan, Field(description="What was out at its end")]


class Gate(BaseModel):
    """Whether the fund can bear prepayments (R2.1)."""

    as_of: Annotated[date, Field(description="Of the figures that were told last")]
    months: Annotated[str, Field(description="Of expenditure that the surplus covers, to four decimals")]
    needed: int
    open: bool
    reasons: list[gate.Reason]


class OfFund(BaseModel):
    fund: str
    fund_name: Name
    gate: Annotated[Gate | None, Field(description="Null where nobody has told the figures of the fund")]
    outstanding: Yuan
    so_far: Annotated[list[SoFar], Field(description="The months of the year in which something changed")]
    ages: list[Age]
    months: list[Month]
    left: Annotated[Yuan, Field(description="Expected at the end of the year: overdue, unless it is paid back")]


OUTLOOK: examples.Json = {
    "area": samples.AREA,
    "as_of": "2026-10-31",
    "funds": [
        {
            "fund": "310100",
            "fund_name": samples.FUNDS["310100"],
            "gate": {"as_of": "2025-12-31", "months": "14.3131", "needed": 12, "open": True, "reasons": []},
            "outstanding": "10704732.42",
            "so_far": [{"month": "2026-02-01", "left": "10704732.42"}],
            "ages": [
                {"up_to_days": 30, "prepayments": 0, "outstanding": "0.00"},
                {"up_to_days": 90, "prepayments": 0, "outstanding": "0.00"},
                {"up_to_days": 180, "prepayments": 0, "outstanding": "0.00"},
                {"up_to_days": None, "prepayments": 1, "outstanding": "10704732.42"},
            ],
            "months": [
                {"month": "2026-10-01", "due": "3568244.14", "expected": "3568244.14", "left": "7136488.28"},
                {"month": "2026-11-01", "due": "3568244.14", "expected": "3568244.14", "left": "3568244.14"},
                {"month": "2026-12-01", "due": "3568244.14", "expected": "3568244.14", "left": "0.00"},
            ],
            "left": "0.00",
        }
    ],
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(OUTLOOK)

    area: str
    as_of: Annotated[date, Field(description="The day that was opened last")]
    funds: list[OfFund]
    positions: Positions


@router.get(
    "/v1/prepayment-outlook",
    response_model=Answer,
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}}}},
        **answers.or_problems("not_found", "not_booked_yet", "question_too_slow"),
    },
    summary="What will be back of prepayments by the end of the year",
)
async def prepayment_outlook(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Month by month, by schedule, where every month is as the base period's mean was and nobody pays in cash. `html`
    is an export and leaves an audit record."""
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        asked = within.lanes, within.areas, within.parties, question.fund
        rows = await connection.fetch(SQL.outstanding, *asked)
        changes = await connection.fetch(SQL.by_day, *asked)
        positions = await answers.positions(connection, within.lanes)
        known = await knowledge.of(connection, next(iter(within.lanes), 0))
        today = await knowledge.today(connection)
    if today is None:
        raise Problem("not_found", "no day was opened yet")
    found = [_prepayment(row["body"]) for row in rows]
    policies = known[POLICIES].published
    so_far = {fund: _so_far(some) for fund, some in groupby(changes, key=lambda row: row["fund"])}
    gates = _gates(known, question, today) if within.areas else {}
    ahead = [
        outlook(fund, [(one, policies[one.policy_ref]) for one in found if one.fund == fund], today)
        for fund in sorted({one.fund for one in found} | gates.keys())
    ]
    if question.format == "html":
        await auditing.record(request, here.database, caller, "asked", {"format": "html", "area": question.area})
        return _page(question.area, today, so_far, gates, ahead)
    funds = [_told(one, so_far.get(one.fund, ()), gates.get(one.fund), today) for one in ahead]
    return Answer(area=question.area, as_of=today, positions=positions, funds=funds)


def _gates(known: Known, question: Question, today: date) -> Mapping[str, Gate]:
    """Of the funds that give prepayments, where their figures are known."""
    try:
        wanted = known[POLICIES].on(question.area, today).prepayment_gate
    except NoPolicy:
        return {}
    found = {}
    for fund, needed in wanted.items():
        figures = known[FIGURES].of(question.area, fund)
        if figures is not None and question.fund in (None, fund):
            judged = gate.of(figures, needed)
            found[fund] = Gate(
                as_of=figures.as_of,
                months=gate.shown(judged.months),
                needed=needed,
                open=judged.open,
                reasons=list(judged.reasons),
            )
    return found


def _so_far(changes: Iterable[Any]) -> list[Point]:
    """For each day on which it changed: the fen that were outstanding after it."""
    rows = list(changes)
    return [(row["day"], out) for row, out in zip(rows, accumulate(row["fen"] for row in rows), strict=True)]


def _told(one: Outlook, so_far: Sequence[Point], judged: Gate | None, today: date) -> OfFund:
    ends = {day.replace(day=1): fen for day, fen in so_far if day.year == today.year}
    return OfFund(
        fund=one.fund,
        fund_name=answers.fund_name(one.fund),
        gate=judged,
        outstanding=money.yuan(one.outstanding),
        so_far=[SoFar(month=month, left=money.yuan(fen)) for month, fen in ends.items()],
        ages=[
            Age(up_to_days=age.up_to, prepayments=age.prepayments, outstanding=money.yuan(age.outstanding))
            for age in one.ages
        ],
        months=months(one),
        left=money.yuan(one.left),
    )


def months(one: Outlook) -> list[Month]:
    return [
        Month(
            month=month.first,
            due=money.yuan(month.due),
            expected=money.yuan(month.expected),
            left=money.yuan(month.left),
        )
        for month in one.months
    ]


# -- to look at

MONTHS = (
    Column("月份", "month"), Column("应收回", "due", "money"), Column("预计收回", "expected", "money"),
    Column("月末未收回", "left", "money"),
)  # fmt: skip
GATES = (
    Column("基金", "fund"), Column("截至", "figures of", "day"), Column("可支付月数", "months of surplus"),
    Column("要求", "needed", "number"), Column("可预付", "can"),
)  # fmt: skip
AGES = (Column("天数", "days"), Column("笔数", "prepayments", "number"), Column("未收回", "outstanding", "money"))

NO_FIGURES = Name(
    zh="未公布基金收支数据，或政策未规定预付条件",
    en="no figures of the funds are published, or the policy asks for none",
)
NOTHING_OUT = Name(
    zh="没有未收回的预付金：尚未拨付，或已全部收回", en="no prepayment is out: none was paid, or all came back"
)


def _page(
    area: str,
    today: date,
    so_far: Mapping[str, Sequence[Point]],
    gates: Mapping[str, Gate],
    ahead: Sequence[Outlook],
) -> Response:
    facts = [
        (Name(zh="统筹区", en="area"), area),
        (Name(zh="截至", en="as of"), today.isoformat()),
        (Name(zh="单位", en="unit"), "元 yuan"),
    ]
    judged: list[Sequence[Cell]] = [
        (answers.fund_name(fund).zh, one.as_of, one.months, one.needed, "是 yes" if one.open else "否 no")
        for fund, one in sorted(gates.items())
    ]
    parts = [
        pages.table(Table(Name(zh="预付条件", en="which funds can bear prepayments"), GATES, judged, empty=NO_FIGURES))
    ]
    if not ahead:
        parts.append(pages.table(Table(Name(zh="收回预测", en="outlook"), MONTHS, (), empty=NOTHING_OUT)))
    for one in ahead:
        name = answers.fund_name(one.fund)
        ages = [(_days(age.up_to), age.prepayments, age.outstanding) for age in one.ages]
        rows = [(f"{month.first:%Y-%m}", month.due, month.expected, month.left) for month in one.months]
        known = [(day, fen) for day, fen in so_far.get(one.fund, ()) if day.year == today.year]
        parts += [pages.table(Table(name, MONTHS, rows)), plot(known, one, today)]
        parts.append(pages.table(Table(Name(zh=f"{name.zh}：账龄", en="ages"), AGES, ages)))
    return pages.response(TITLE, facts, parts)


def plot(known: Sequence[Point], ahead: Outlook, today: date) -> str:
    """What was out until today, and what is expected to be; nothing where nothing ever was."""
    if not known:
        return ""
    now = max(today, known[-1][0]), known[-1][1]
    expected = [now, *((_last(month.first), month.left) for month in ahead.months)] if ahead.outstanding else []
    return pages.picture(plots.over_time([*known, now], expected), CAPTION)


def _last(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1) - timedelta(days=1)


def _days(up_to: int | None) -> str:
    return f"至 up to {up_to}" if up_to else "更久 more"
