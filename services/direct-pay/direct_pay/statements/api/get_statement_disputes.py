"""GET /v1/statement-disputes: what of statements does not match, or somebody disputes, and since when."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import naming, samples
from direct_pay.api.naming import Between, Called, OfBoth
from direct_pay.statements.api import reading
from direct_pay.statements.api.faults import CODES
from direct_pay.statements.api.get_statements import ORDER
from direct_pay.statements.api.reading import SQL, Looked
from direct_pay.statements.statement import Fault
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.tables import Cell, Column, Table

router = APIRouter()


class Question(questions.Waiting, questions.Page, OfBoth, Exported):
    pass


DISPUTE: examples.Json = {
    "invoice": samples.BLUE,
    "order": samples.ORDER,
    "line": 1,
    "code": "NOT_ACCEPTED",
    "code_name": examples.name("尚未验收", "not taken in"),
    "detail": "0 taken in, 9480 invoiced",
    "since": "2026-10-03",
    "until": None,
}
DISPUTES: examples.Json = {
    "disputes": [{**samples.WHOSE, "statement": samples.STATEMENT, **DISPUTE}],
    "next": None,
    "positions": samples.POSITIONS,
}


class FaultTold(BaseModel):
    invoice: str
    order: Annotated[str | None, Field(description="Null: the whole invoice")]
    line: Annotated[int | None, Field(description="Of the order")]
    code: str
    code_name: Name
    detail: str
    since: date
    until: Annotated[date | None, Field(description="When it ended: the clock of the line stood still until then")]


class Disputed(Between, FaultTold):
    statement: str


class Answer(BaseModel):
    model_config = examples.of(DISPUTES)

    disputes: list[Disputed]
    next: Annotated[str | None, Field(description="A page is of so many statements, each with all its disputes")]
    positions: Positions


@router.get(
    "/v1/statement-disputes",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Disputes that are open",
)
async def statement_disputes(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Statement by statement, in the order in which they were submitted. What does not match ends by itself when it
    does; what somebody disputes, when somebody resolves it."""
    pages = Pages(here.cursor_key, questions.sealed("statement_disputes", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.several, within.lanes, *within.predicates, question.supplier, None, None, True, None, *after,
            exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        shown, following = pages.cut(rows, question.limit) if question.format == "json" else (exports.cut(rows), None)
        found = await reading.looked(connection, shown)
        called = await naming.called(connection, within.lanes, (one.name for one in found))
        positions = await answers.positions(connection, within.lanes)
    told = [one for looked in found for one in _told(looked, called)]
    if question.format != "json":
        table = Table(TITLE, COLUMNS, exports.cut([_row(one) for one in told]))
        return await exports.file(request, caller, here, question, "statement-disputes", table)
    return Answer(disputes=told, next=following, positions=positions)


def _told(one: Looked, called: Called) -> Iterator[Disputed]:
    between = called.between(one.statement.area, one.name).model_dump()
    for fault in one.statement.faults:
        if fault.until is None:
            yield Disputed(**between, statement=one.name.ref, **told(fault).model_dump())


def told(fault: Fault) -> FaultTold:
    return FaultTold(
        invoice=fault.invoice,
        order=fault.order_no or None,
        line=fault.line or None,
        code=fault.code,
        code_name=CODES[fault.code],
        detail=fault.detail,
        since=fault.since,
        until=fault.until,
    )


# -- to take away

TITLE = Name(zh="对账单异议", en="Disputes")
COLUMNS = (
    Column("对账单", "statement"), Column("定点机构", "provider"), Column("机构名称", "provider name"),
    Column("医药企业", "supplier"), Column("企业名称", "supplier name"), Column("发票", "invoice"),
    Column("订单", "order"), Column("行号", "line", "number"), Column("原因", "why"), Column("说明", "detail"),
    Column("起始日", "since", "day"),
)  # fmt: skip


def _row(one: Disputed) -> tuple[Cell, ...]:
    return (
        one.statement, one.provider, one.provider_name, one.supplier, one.supplier_name, one.invoice, one.order,
        one.line, one.code_name, one.detail, one.since,
    )  # fmt: skip
