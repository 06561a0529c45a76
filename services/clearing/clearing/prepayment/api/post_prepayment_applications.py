"""POST /v1/prepayment-applications: a provider asks for money in advance (R2.4)."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from medfund import codes
from medfund.events.prepayments import PrepaymentKind
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.problems import Problem
from medfund.http.questions import Fund, Party, Ref, Yuan

router = APIRouter()
KIND = Kind("apply", "prepayment.applied.v1")


APPLICATION: examples.Json = {
    "application": "YFJ-2026-01",
    "provider": samples.PROVIDER,
    "insutype": "310",
    "year": 2026,
    "funds": ["310100"],
    "documents": ["promise-assets-2026", "promise-use-2026"],
    "applied_on": "2026-01-06",
}


class Application(BaseModel):
    model_config = {**examples.of(APPLICATION), "extra": "forbid"}

    application: Annotated[Ref, Field(description="Your number of it: what is asked for again has another one")]
    provider: Party
    insutype: Annotated[str, Field(description="Insurance type", examples=["310"])]
    kind: PrepaymentKind = "ANNUAL"
    year: Annotated[int, Field(ge=2000, le=2099)]
    funds: Annotated[list[Fund], Field(min_length=1)]
    documents: Annotated[list[Ref], Field(description="Your promises: no frozen assets, use for drugs alone")]
    applied_on: date
    contract: Annotated[Ref | None, Field(description="Of a bulk purchase")] = None
    contracted_on: Annotated[date | None, Field(description="Of a bulk purchase: the day of its contract")] = None
    agreed: Annotated[dict[Fund, Yuan] | None, Field(description="Of a bulk purchase: agreed for a year")] = None


@router.post(
    "/v1/prepayment-applications",
    status_code=202,
    openapi_extra=commands.body_of(Application),
    responses=commands.PROBLEMS,
    summary="Apply for prepayments",
)
async def apply_for_prepayment(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Each fund is judged by itself: the outcome says which were found good, and why the others were not."""
    asked = await commands.read(request, Application)
    if asked.insutype not in codes.INSUTYPES:
        raise Problem("parameter_invalid", f"insutype: {asked.insutype!r} is no insurance type")
    whose = await naming.provider(caller, here, asked.provider)
    data: dict[str, Any] = {
        "area": whose["area"],
        "provider": asked.provider,
        "insutype": asked.insutype,
        "prepayment_kind": asked.kind,
        "year": asked.year,
        "funds": asked.funds,
        "documents": asked.documents,
        "applied_on": asked.applied_on.isoformat(),
    }
    if asked.contract is not None:
        data["contract_ref"] = asked.contract
    if asked.contracted_on is not None:
        data["contracted_on"] = asked.contracted_on.isoformat()
    if asked.agreed is not None:
        data["agreed"] = asked.agreed
    keys = (asked.provider, asked.application)
    return await commands.give(request, response, caller, here, Command(KIND, keys, whose["lane"], data))
