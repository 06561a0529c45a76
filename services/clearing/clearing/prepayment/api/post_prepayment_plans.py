"""POST /v1/prepayment-plans: who would get how much (R2.3, R2.4)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.prepayment.api import plans
from clearing.prepayment.api.plans import PlanTold
from clearing.prepayment.planning import Wanted
from medfund import money
from medfund.events.prepayments import PrepaymentKind
from medfund.http import commands, examples, runs
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Fund, Ref, Yuan

router = APIRouter()


PLAN_ASKED: examples.Json = {
    "plan": "YF-152500-2026-1",
    "area": samples.AREA,
    "year": 2026,
    "base_from": "2025-01-01",
    "base_to": "2025-12-01",
    "limits": {"310100": "8000000000.00"},
}


class PlanAsked(BaseModel):
    model_config = {**examples.of(PLAN_ASKED), "extra": "forbid"}

    plan: Ref
    area: Area
    year: Annotated[int, Field(ge=2000, le=2099)]
    kind: PrepaymentKind = "ANNUAL"
    base_from: Annotated[date, Field(description="The base period's first month, by any of its days")]
    base_to: Annotated[date, Field(description="Its last month; 12 to 36 months in all")]
    limits: Annotated[dict[Fund, Yuan], Field(description="By fund: what all grants together may come to")]
    replaces: Annotated[Ref | None, Field(description="An earlier plan, whose grants this one changes")] = None
    dry_run: Annotated[bool, Field(description="Only say what it would be")] = False


class Planned(PlanTold):
    model_config = examples.of(plans.PLAN_WITH_LINES)

    lines: list[plans.Grant]


@router.post(
    "/v1/prepayment-plans",
    openapi_extra=commands.body_of(PlanAsked),
    responses=runs.PROBLEMS,
    summary="Plan the prepayments of an area and a year",
)
async def plan_prepayments(request: Request, response: Response, caller: Caller, here: Here) -> Planned:
    """Of everybody who was found good, from what they were approved in the base period. It is kept as it was made, and
    waits for two people; asking again for the same plan gives the one that is kept."""
    asked = await commands.read(request, PlanAsked)
    found = await runs.plan(request, caller, here, plans.KIND, _wanted(asked), dry_run=asked.dry_run)
    return Planned(**plans.told(found).model_dump(), lines=plans.grants(found))


def _wanted(asked: PlanAsked) -> Wanted:
    return Wanted(
        plan_ref=asked.plan,
        area=asked.area,
        year=asked.year,
        kind=asked.kind,
        base_from=asked.base_from.replace(day=1),
        base_to=asked.base_to.replace(day=1),
        limits={fund: money.fen(yuan) for fund, yuan in sorted(asked.limits.items())},
        replaces=asked.replaces,
    )
