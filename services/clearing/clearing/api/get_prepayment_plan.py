"""GET /v1/prepayment-plans/{plan}: a plan as it was made, and who has said yes."""

from typing import Annotated

from fastapi import APIRouter, Path

from clearing.api import examples, plans
from clearing.api.filters import Ref
from clearing.api.plans import PlanTold
from medfund.http import answers
from medfund.http.context import Caller, Here
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem

router = APIRouter()


class Answer(PlanTold):
    model_config = example_of(examples.PLAN)

    lines: list[plans.Grant]


@router.get(
    "/v1/prepayment-plans/{plan}",
    responses=answers.or_problems("not_found", "question_too_slow"),
    summary="One plan of prepayments",
)
async def prepayment_plan(plan: Annotated[Ref, Path()], caller: Caller, here: Here) -> Answer:
    """Every grant with its base and its ratio, beside what an earlier plan gave."""
    async with here.database.snapshot(caller) as connection:
        found = await plans.kept(connection, plan)
    if found is None:
        raise Problem("not_found")
    told = plans.told(*found)
    return Answer(**told.model_dump(), lines=[plans.grant(line) for line in found.plan.lines])
