"""POST /v1/statement-plans: which statements of an area are to be requested, and what is left out of them (R3.3)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from direct_pay.api import samples
from direct_pay.plans.api import told
from direct_pay.plans.api.told import StatementPlanned, StatementPlanTold
from direct_pay.plans.plan import Wanted
from medfund.http import commands, examples, runs
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Day, Ref

router = APIRouter()

STATEMENT_PLAN_ASKED: examples.Json = {"plan": "JS-152500-20261007", "area": samples.AREA}


class StatementPlanAsked(BaseModel):
    model_config = examples.body(STATEMENT_PLAN_ASKED)

    plan: Annotated[Ref, Field(description="Your name of it: another plan has another one")]
    area: Area
    due_until: Annotated[Day | None, Field(description="Statements of which something is due until this day")] = None
    dry_run: Annotated[bool, Field(description="Try it: nothing is kept")] = False


class Planned(StatementPlanTold):
    model_config = examples.of(told.PLAN_WITH_LINES)

    lines: list[StatementPlanned]


@router.post(
    "/v1/statement-plans",
    openapi_extra=commands.body_of(StatementPlanAsked),
    responses=runs.PROBLEMS,
    summary="Plan which statements are requested",
)
async def plan_statements(request: Request, caller: Caller, here: Here) -> Planned:
    """By the lanes' own rules, over all of the area at one moment: what they would request, were it agreed to now. An
    invoice whose number is registered elsewhere too, in whichever area, is left out where the other one was first.
    Without `dry_run` it is kept as it was made, and waits for two people; asking again gives the one that is kept."""
    asked = await commands.read(request, StatementPlanAsked)
    wanted = Wanted(plan_ref=asked.plan, area=asked.area, due_until=asked.due_until)
    found = await runs.plan(request, caller, here, told.KIND, wanted, dry_run=asked.dry_run)
    return Planned(**told.told(found).model_dump(), lines=told.lines(found))
