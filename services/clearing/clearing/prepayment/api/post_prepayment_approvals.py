"""POST /v1/prepayment-plans/{area}/{plan}/approvals: somebody says yes to a plan; the second publishes it (R2.4)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from clearing.prepayment.api import plans
from clearing.prepayment.api.plans import PlanTold
from medfund.http import commands, examples, runs
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Ref

router = APIRouter()


PLAN_TOLD: examples.Json = {
    **plans.PLAN,
    "state": "APPROVED",
    "state_name": examples.name("已批准，发布中", "approved, being published"),
    "approvals": [
        {"staff": "staff-7c41", "role": "finance", "at": "2026-01-20T10:00:00+08:00"},
        {"staff": "staff-02e9", "role": "approver", "at": "2026-01-21T09:30:00+08:00"},
    ],
    "sent": 1,
}


class Answer(PlanTold):
    model_config = examples.of(PLAN_TOLD)

    sent: Annotated[int, Field(description="Grants that were published now")]


@router.post(
    "/v1/prepayment-plans/{area}/{plan:path}/approvals",
    openapi_extra=commands.body_of(runs.Yes),
    responses=runs.PROBLEMS,
    summary="Approve a plan of prepayments",
)
async def approve_plan(
    request: Request, area: Annotated[Area, Path()], plan: Annotated[Ref, Path()], caller: Caller, here: Here
) -> Answer:
    """One person of finance and one approver, by their mandates, who are not the same, and neither of whom made it; no
    provider gets more by it than the limits of both. A plan that would be another one today is refused,
    with what has changed. Asking again finishes what a crash broke off."""
    at_once = plans.APPENDED_AT_ONCE
    found, sent = await runs.agree(request, caller, here, plans.KIND, area, plan, at_once=at_once)
    return Answer(**plans.told(found).model_dump(), sent=sent)
