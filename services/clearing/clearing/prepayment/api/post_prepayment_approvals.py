"""POST /v1/prepayment-plans/{area}/{plan}/approvals: somebody says yes to a plan; the second publishes it (R2.4)."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from clearing.api import declining
from clearing.prepayment import planning
from clearing.prepayment.api import plans
from clearing.prepayment.api.plans import Kept, PlanTold
from clearing.prepayment.planning import Refusal
from medfund import faults, people
from medfund.http import auditing, commands, examples, problems
from medfund.http.context import Caller, Here
from medfund.http.database import Connection
from medfund.http.questions import Area, Ref

router = APIRouter()
SHOWN_MAX = 20


PLAN_APPROVAL: examples.Json = {"hash": plans.PLAN["hash"]}
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


class Yes(BaseModel):
    model_config = {**examples.of(PLAN_APPROVAL), "extra": "forbid"}

    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the plan that the person has seen")]


class Answer(PlanTold):
    model_config = examples.of(PLAN_TOLD)

    sent: Annotated[int, Field(description="Grants that were published now")]


@router.post(
    "/v1/prepayment-plans/{area}/{plan:path}/approvals",
    openapi_extra=commands.body_of(Yes),
    responses=plans.PROBLEMS,
    summary="Approve a plan of prepayments",
)
async def approve_plan(
    request: Request, area: Annotated[Area, Path()], plan: Annotated[Ref, Path()], caller: Caller, here: Here
) -> Answer:
    """One person of finance and one approver, by their mandates, who are not the same, and neither of whom made it; no
    provider gets more by it than the limits of both. A plan that would be another one today is refused,
    with what has changed. Asking again finishes what a crash broke off."""
    asked = await commands.read(request, Yes)
    commands.of_area(caller, here, area)
    async with here.database.change(caller, isolation="repeatable_read") as connection:
        found = await plans.kept(connection, area, plan)
        if found is None:
            raise problems.unknown("plan")
        if asked.hash != found.plan.hash:
            await here.access.refuse(
                request, "plan_changed", f"the plan that is kept is {found.plan.hash}", about=[plan]
            )
        # Said, and written down who said it: together or not at all.
        await auditing.note(request, connection, caller, "asked", {"approved plan": plan, "area": area})
        if not found.approved:
            await _approve(request, connection, caller, here, found)
            faults.point("plan.approving")
    faults.point("plan.approved")
    async with here.database.snapshot(caller) as connection:  # what the other one has said meanwhile is in it
        found = await plans.beside(connection, found.plan, found.made_by)
    sent = await plans.publish(here, found) if found.approved else 0
    faults.point("plan.published")
    return Answer(**plans.told(found).model_dump(), sent=sent)


async def _approve(request: Request, connection: Connection, caller: Caller, here: Here, found: Kept) -> None:
    """Raises `Problem`."""
    wanted = found.plan.wanted
    refuse = partial(here.access.refuse, request, about=[wanted.plan_ref])
    if people.same(caller.subject, found.made_by):
        await refuse("not_for_one_alone", f"{found.made_by} made the plan: two others approve it")
    if changed := planning.changes(found.plan, await plans.made(connection, here, wanted)):
        await refuse("plan_changed", "; ".join(changed[:SHOWN_MAX]))
    mandate = await plans.mandated(connection, found, caller.subject)
    if isinstance(mandate, Refusal):
        declined = declining.declined(mandate.detail, mandate.code)
        await refuse("would_be_declined", declined.detail, reason=declined.reason, detail_zh=declined.detail_zh)
    if not people.among(caller.subject, found.people):
        about = wanted.area, wanted.plan_ref, caller.subject, mandate.role, datetime.now(UTC)
        await connection.execute(planning.SQL.approve, *about)
