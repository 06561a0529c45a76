"""POST /v1/statement-plans/{area}/{plan}/approvals: somebody says yes to a plan; the second publishes it (R3.3)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from direct_pay.plans.api import told
from direct_pay.plans.api.told import StatementPlanTold
from medfund.http import commands, examples, runs
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Ref

router = APIRouter()


APPROVED: examples.Json = {
    **told.PLAN,
    "state": "APPROVED",
    "state_name": examples.name("已批准，发布中", "approved, being published"),
    "approvals": [
        {"staff": "staff-7c41", "role": "finance", "at": "2026-10-07T10:00:00+08:00"},
        {"staff": "staff-02e9", "role": "approver", "at": "2026-10-07T14:30:00+08:00"},
    ],
    "sent": 1,
}


class StatementsApproved(StatementPlanTold):
    model_config = examples.of(APPROVED)

    sent: Annotated[int, Field(description="Messages of it that were published now")]


@router.post(
    "/v1/statement-plans/{area}/{plan:path}/approvals",
    openapi_extra=commands.body_of(runs.Yes),
    responses=runs.PROBLEMS,
    summary="Approve a plan of statements",
)
async def approve_statements(
    request: Request, area: Annotated[Area, Path()], plan: Annotated[Ref, Path()], caller: Caller, here: Here
) -> StatementsApproved:
    """One person of finance and one approver, by their mandates, who are not the same, and neither of whom made it; no
    supplier gets more by it than the limits of both. A plan that would be another one today is refused, with what has
    changed. Asking again finishes what a crash broke off."""
    found, sent = await runs.agree(request, caller, here, told.KIND, area, plan, at_once=told.APPENDED_AT_ONCE)
    return StatementsApproved(**told.told(found).model_dump(), sent=sent)
