"""GET /v1/prepayment-plans/{area}/{plan}: a plan as it was made, and who has said yes; also as the list for the finance
department."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from clearing.prepayment.api import plans
from clearing.prepayment.api.plans import PlanTold
from medfund.http import examples, exports, runs
from medfund.http.answers import Name
from medfund.http.context import Caller, Here
from medfund.http.exports import Exported
from medfund.http.questions import Area, Ref
from medfund.http.tables import Column, Table

router = APIRouter()
TITLE = Name(zh="预付计划", en="Plan of prepayments")
COLUMNS = (
    Column("定点机构", "provider"), Column("预付金", "prepayment"), Column("基金", "fund"),
    Column("基数", "base", "money"), Column("系数", "ratio"), Column("测算", "wanted", "money"),
    Column("批准", "amount", "money"), Column("上次", "before", "money"), Column("增减", "difference", "money"),
    Column("上年批准", "last year", "money"), Column("已拨", "disbursed", "money"),
    Column("未收回", "outstanding", "money"), Column("机构名称", "provider name"),
    Column("无审定金额的月份", "months missing"),
)  # fmt: skip


class Answer(PlanTold):
    model_config = examples.of(plans.PLAN_WITH_LINES)

    lines: list[plans.Grant]


@router.get(
    "/v1/prepayment-plans/{area}/{plan:path}",
    response_model=Answer,
    responses=exports.responses("not_found", "question_too_slow"),
    summary="One plan of prepayments",
)
async def prepayment_plan(
    request: Request,
    area: Annotated[Area, Path()],
    plan: Annotated[Ref, Path()],
    question: Annotated[Exported, Query()],
    caller: Caller,
    here: Here,
) -> Answer | Response:
    """Every grant with its base and its ratio, beside what an earlier plan gave, what the year before did, and what
    became of it: paid, and out now."""
    async with here.database.snapshot(caller) as connection:
        found = await runs.kept(connection, plans.KIND, area, plan)
    lines, (became, names) = found.plan.lines, found.beside
    if question.format != "json":
        rows = [
            (
                one.provider, one.prepayment_ref, one.fund, one.base, one.ratio, one.wanted, one.amount, one.before,
                one.amount - one.before, became.last_year.get((one.provider, one.fund), 0),
                became.disbursed.get(one.prepayment_ref, 0), became.outstanding.get(one.prepayment_ref, 0),
                names.get(one.provider), " ".join(f"{month:%Y-%m}" for month in one.missing or ()),
            )
            for one in exports.cut(lines)
        ]  # fmt: skip
        return await exports.file(request, caller, here, question, "prepayment-plan", Table(TITLE, COLUMNS, rows))
    return Answer(**plans.told(found).model_dump(), lines=plans.grants(found))
