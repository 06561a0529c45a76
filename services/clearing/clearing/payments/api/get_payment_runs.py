"""GET /v1/payment-runs: the runs of an account or of all, the last first, with what became of each."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.api import runs
from clearing.payments.api.runs import Run
from medfund import money
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import Area, Fund
from medfund.http.tables import Cell, Column, Table

router = APIRouter()
ORDER = {"execute_on": str, "run_ref": str}


class Question(questions.Waiting, questions.Page, Exported):
    area: Area | None = None
    fund: Fund | None = None


RUNS: examples.Json = {
    "runs": [runs.ONE_RUN],
    "planned": "2390000.33",
    "sent": "2090000.33",
    "settled": "1890000.33",
    "on_the_way": "200000.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(RUNS)

    runs: list[Run]
    planned: Annotated[Yuan, Field(description="The sum of this answer, as are the others")]
    sent: Yuan
    settled: Yuan
    on_the_way: Yuan
    next: str | None
    positions: Positions


@router.get(
    "/v1/payment-runs", response_model=Answer, responses=exports.responses(*answers.PAGING), summary="Payment runs"
)
async def payment_runs(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """What each was made of, what it sent, what was withheld and why, and what the bank has answered since."""
    pages = Pages(here.cursor_key, questions.sealed("payment_runs", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    areas = reach.whole_areas(within)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found: Sequence[Any] = await connection.fetch(
            runs.SQL.runs, within.lanes, areas, question.fund, None, *after,
            exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        positions, following = await answers.positions(connection, within.lanes), None
        if question.format == "json":
            found, following = pages.cut(found, question.limit)
        told = await runs.described(connection, exports.cut(found), areas, lanes=here.lanes)
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(one) for one in told])
        return await exports.file(request, caller, here, question, "payment-runs", table)
    return Answer(
        positions=positions,
        runs=told,
        **{
            name: money.yuan(sum(money.fen(getattr(one, name).total) for one in told))
            for name in ("planned", "sent", "settled", "on_the_way")
        },
        next=following,
    )


# -- to take away

TITLE = Name(zh="支付批次", en="Payment runs")
SUMS = ("planned", "sent", "withheld", "settled", "on_the_way", "failed", "returned")
COLUMNS = (
    Column("支付批次", "run"), Column("统筹区", "area"), Column("基金", "fund"), Column("基金名称", "fund name"),
    Column("执行日", "execute on", "day"), Column("发起人", "opened by"), Column("状态", "state"),
    Column("可用资金", "available", "money"),
    *(
        column
        for zh, en in (
            ("计划", "planned"), ("已送银行", "sent"), ("暂不支付", "withheld"), ("已付", "settled"),
            ("在途", "on the way"), ("失败", "failed"), ("退回", "returned"),
        )
        for column in (Column(f"{zh}笔数", f"{en}, payments", "number"), Column(f"{zh}金额", en, "money"))
    ),
)  # fmt: skip


def _row(one: Run) -> Sequence[Cell]:
    sums = [getattr(one, name) for name in SUMS]
    return (
        one.run, one.area, one.fund, one.fund_name.zh, one.execute_on, one.opened_by, one.state_name.zh,
        money.fen(one.available), *(cell for part in sums for cell in (part.payments, money.fen(part.total))),
    )  # fmt: skip
