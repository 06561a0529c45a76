"""GET /v1/statement-deadlines: by when what is to be paid next (R3.3)."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import naming, samples
from direct_pay.api.naming import Between, Called, OfBoth
from direct_pay.statements.api import reading
from direct_pay.statements.api.reading import SQL, Looked
from medfund import money
from medfund.http import answers, examples, exports, knowledge, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.tables import Cell, Column, Table

router = APIRouter()
ORDER = {"pay_by": date, "lane": int, "provider": str, "supplier": str, "ref": str}
DueState = Literal["OPEN", "APPROACHING", "BREACHED"]
STATES: dict[DueState, Name] = {
    "OPEN": Name(zh="未到期", en="open"),
    "APPROACHING": Name(zh="临期", en="approaching"),
    "BREACHED": Name(zh="已逾期", en="breached"),
}


class Question(questions.Waiting, questions.Page, OfBoth, questions.DueBetween, Exported):
    pass


DEADLINES: examples.Json = {
    "as_of": "2026-10-07",
    "deadlines": [
        {
            **samples.WHOSE,
            "statement": samples.STATEMENT,
            "due": "2026-10-09",
            "days_left": 2,
            "state": "APPROACHING",
            "state_name": examples.name("临期", "approaching"),
            "unpaid": "115749.20",
            "to_request": False,
        }
    ],
    "next": None,
    "positions": samples.POSITIONS,
}


class StatementDue(Between):
    statement: str
    due: date
    days_left: Annotated[int | None, Field(description="Calendar days from the day that was opened last")]
    state: Annotated[DueState, Field(description="As it was told: a breach when the bank's statement can have come")]
    state_name: Name
    unpaid: Annotated[Yuan, Field(description="Of what is requested and due until that day")]
    to_request: Annotated[bool, Field(description="Whether something of it waits to be requested")]


class Answer(BaseModel):
    model_config = examples.of(DEADLINES)

    as_of: Annotated[date | None, Field(description="The day that was opened last")]
    deadlines: list[StatementDue]
    next: str | None
    positions: Positions


@router.get(
    "/v1/statement-deadlines",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="By when statements are to be paid",
)
async def statement_deadlines(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Statements of which something is not paid, the earliest due day first."""
    pages = Pages(here.cursor_key, questions.sealed("statement_deadlines", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.due, within.lanes, *within.predicates, question.supplier, question.due_before, question.due_after,
            *after, exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        shown, following = pages.cut(rows, question.limit) if question.format == "json" else (exports.cut(rows), None)
        found = await reading.looked(connection, shown)
        called = await naming.called(connection, within.lanes, (one.name for one in found))
        today = await knowledge.today(connection)
        positions = await answers.positions(connection, within.lanes)
    told = [_told(one, row["pay_by"], called, today) for one, row in zip(found, shown, strict=True)]
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(one) for one in told])
        return await exports.file(request, caller, here, question, "statement-deadlines", table)
    return Answer(as_of=today, deadlines=told, next=following, positions=positions)


def _told(one: Looked, due: date, called: Called, today: date | None) -> StatementDue:
    statement = one.statement
    state: DueState = "OPEN"
    if statement.breached == due:
        state = "BREACHED"
    elif statement.warned == due:
        state = "APPROACHING"
    return StatementDue(
        **called.between(statement.area, one.name).model_dump(),
        statement=one.name.ref,
        due=due,
        days_left=None if today is None else (due - today).days,
        state=state,
        state_name=STATES[state],
        unpaid=money.yuan(sum(entry.unpaid for entry in one.entries if entry.due <= due)),
        to_request=statement.is_pending,
    )


# -- to take away

TITLE = Name(zh="付款期限", en="Due days")
COLUMNS = (
    Column("应付日", "due", "day"), Column("剩余天数", "days left", "number"), Column("状态", "state"),
    Column("对账单", "statement"), Column("定点机构", "provider"), Column("机构名称", "provider name"),
    Column("医药企业", "supplier"), Column("企业名称", "supplier name"), Column("未支付", "unpaid", "money"),
    Column("待提请支付", "to request"),
)  # fmt: skip


def _row(one: StatementDue) -> tuple[Cell, ...]:
    return (
        one.due, one.days_left, one.state_name, one.statement, one.provider, one.provider_name, one.supplier,
        one.supplier_name, money.fen(one.unpaid), "是 yes" if one.to_request else "否 no",
    )  # fmt: skip
