"""GET /v1/statement-plans/{area}/{plan}: a plan as it was made, and who has said yes; also as a list."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from direct_pay.api.naming import Called
from direct_pay.plans.api import told
from direct_pay.plans.api.told import StatementPlanned, StatementPlanTold
from direct_pay.plans.plan import Left, Line
from medfund.http import examples, exports, runs
from medfund.http.answers import Name
from medfund.http.context import Caller, Here
from medfund.http.exports import Exported
from medfund.http.questions import Area, Ref
from medfund.http.tables import Cell, Column, Table

router = APIRouter()
TITLE = Name(zh="直接结算计划", en="Plan of statements")
COLUMNS = (
    Column("定点机构", "provider"), Column("机构名称", "provider name"), Column("医药企业", "supplier"),
    Column("企业名称", "supplier name"), Column("对账单", "statement"), Column("待支付", "open", "money"),
    Column("本次支付", "amount", "money"), Column("应付日", "due", "day"), Column("未纳入原因", "left out for"),
    Column("发票", "invoice"), Column("订单", "order"), Column("行号", "line", "number"), Column("说明", "detail"),
)  # fmt: skip


class Answer(StatementPlanTold):
    model_config = examples.of(told.PLAN_WITH_LINES)

    lines: list[StatementPlanned]


@router.get(
    "/v1/statement-plans/{area}/{plan:path}",
    response_model=Answer,
    responses=exports.responses("not_found", "question_too_slow"),
    summary="One plan of statements",
)
async def statement_plan(
    request: Request,
    area: Annotated[Area, Path()],
    plan: Annotated[Ref, Path()],
    question: Annotated[Exported, Query()],
    caller: Caller,
    here: Here,
) -> Answer | Response:
    """Every statement of which something may be requested: how much, by fund and by when; what is left out and why. In
    a file, a row for each statement and for each thing that is left out of it."""
    async with here.database.snapshot(caller) as connection:
        found = await runs.kept(connection, told.KIND, area, plan)
    if question.format != "json":
        rows = [row for line in found.plan.lines for row in _rows(line, found.beside)]
        table = Table(TITLE, COLUMNS, exports.cut(rows))
        return await exports.file(request, caller, here, question, "statement-plan", table)
    return Answer(**told.told(found).model_dump(), lines=told.lines(found))


def _rows(line: Line, beside: Called) -> Iterator[tuple[Cell, ...]]:
    whose = (
        line.provider, beside.providers.get(line.provider), line.supplier, beside.suppliers.get(line.supplier),
        line.statement_ref,
    )  # fmt: skip
    yield (*whose, line.open, line.amount, line.due, *(None,) * 5)
    for one in line.left:
        yield (*whose, None, None, None, *_left(one))


def _left(one: Left) -> tuple[Cell, ...]:
    return told.CODES[one.code], one.invoice or None, one.order_no or None, one.line or None, one.detail
