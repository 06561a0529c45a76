"""GET /v1/statements: statements of suppliers, where each stands, and what of it is requested and paid."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import naming, samples
from direct_pay.api.naming import Between, Called, OfBoth
from direct_pay.statements.api import reading
from direct_pay.statements.api.reading import SQL, STATES, Looked, State
from medfund import money
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import Day
from medfund.http.tables import Column, Table

router = APIRouter()
ORDER = {"submitted_on": date, "lane": int, "provider": str, "supplier": str, "ref": str}


class Question(questions.Waiting, questions.Page, OfBoth, Exported):
    period: Annotated[Day | None, Field(description="The first day of its month")] = None
    confirmed: Annotated[bool | None, Field(description="By the hospital, or for it was silent")] = None
    in_dispute: Annotated[bool | None, Field(description="Whether something in it is")] = None
    open: Annotated[bool | None, Field(description="Whether something of it may still be requested or paid")] = None


TOLD: examples.Json = {
    **samples.WHOSE,
    "statement": samples.STATEMENT,
    "period": "2026-09-01",
    "submitted_on": "2026-10-03",
    "state": "REQUESTED",
    "state_name": examples.name("已提请支付", "requested"),
    "invoices": 1,
    "in_dispute": 0,
    "amount": "115749.20",
    "requested": "115749.20",
    "paid": "0.00",
    "due": "2026-09-30",
}


class StatementTold(Between):
    statement: str
    period: date | None
    submitted_on: date | None
    state: State
    state_name: Name
    invoices: Annotated[int, Field(description="Blue ones")]
    in_dispute: Annotated[int, Field(description="Of these, wholly or in part")]
    amount: Annotated[Yuan, Field(description="Of its invoices, less their red letters")]
    requested: Annotated[Yuan, Field(description="Of the fund, less what red letters took off since")]
    paid: Yuan
    due: Annotated[date | None, Field(description="By when the first of what is not paid is to be")]


STATEMENTS: examples.Json = {
    "statements": [TOLD],
    "amount": "115749.20",
    "requested": "115749.20",
    "paid": "0.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(STATEMENTS)

    statements: list[StatementTold]
    amount: Annotated[Yuan, Field(description="The sum of this answer")]
    requested: Annotated[Yuan, Field(description="The sum of this answer")]
    paid: Annotated[Yuan, Field(description="The sum of this answer")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/statements",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Statements of suppliers",
)
async def statements(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """In the order in which they were submitted: a supplier sees its own of all hospitals, a hospital its own of all
    suppliers."""
    pages = Pages(here.cursor_key, questions.sealed("statements", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.several, within.lanes, *within.predicates, question.supplier, question.period, question.confirmed,
            question.in_dispute, question.open, *after, exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        shown, following = pages.cut(rows, question.limit) if question.format == "json" else (exports.cut(rows), None)
        found = await reading.looked(connection, shown)
        called = await naming.called(connection, within.lanes, (one.name for one in found))
        positions = await answers.positions(connection, within.lanes)
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(one, called) for one in found])
        return await exports.file(request, caller, here, question, "statements", table)
    return Answer(
        statements=[tell(one, called) for one in found],
        amount=money.yuan(sum(one.amount for one in found)),
        requested=money.yuan(sum(one.requested for one in found)),
        paid=money.yuan(sum(one.paid for one in found)),
        next=following,
        positions=positions,
    )


def tell(one: Looked, called: Called) -> StatementTold:
    statement, state = one.statement, reading.state_of(one.statement)
    return StatementTold(
        **called.between(statement.area, one.name).model_dump(),
        statement=one.name.ref,
        period=statement.period,
        submitted_on=statement.submitted_on or next((said.on for said in statement.waiting), None),
        state=state,
        state_name=STATES[state],
        invoices=len(statement.invoices),
        in_dispute=len(one.disputed),
        amount=money.yuan(one.amount),
        requested=money.yuan(one.requested),
        paid=money.yuan(one.paid),
        due=statement.first_due(),
    )


# -- to take away

TITLE = Name(zh="企业对账单", en="Statements")
COLUMNS = (
    Column("对账单", "statement"), Column("定点机构", "provider"), Column("机构名称", "provider name"),
    Column("医药企业", "supplier"), Column("企业名称", "supplier name"), Column("对账月份", "period", "day"),
    Column("提交日", "submitted", "day"), Column("状态", "state"), Column("发票数", "invoices", "number"),
    Column("有异议", "in dispute", "number"), Column("金额", "amount", "money"),
    Column("已提请支付", "requested", "money"), Column("已支付", "paid", "money"), Column("应付日", "due", "day"),
)  # fmt: skip


def _row(one: Looked, called: Called) -> tuple[str | int | date | Name | None, ...]:
    told = tell(one, called)
    return (
        told.statement, told.provider, told.provider_name, told.supplier, told.supplier_name, told.period,
        told.submitted_on, told.state_name, told.invoices, told.in_dispute, one.amount, one.requested, one.paid,
        told.due,
    )  # fmt: skip
