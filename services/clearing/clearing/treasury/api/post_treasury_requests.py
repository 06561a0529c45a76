"""POST /v1/treasury-requests: the agency asks for money on its expenditure account (c.2, 26)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Day, Fund, Ref, Yuan

router = APIRouter()
KIND = Kind("request", "treasury.funds.requested.v1", learned=True)


FUNDS_REQUEST: examples.Json = {
    "request": "YK-2026-0007",
    "area": samples.AREA,
    "plan": "plan-2026-02",
    "amounts": {"310100": "5000000.00"},
    "needed_on": "2026-02-27",
}


class FundsRequest(BaseModel):
    model_config = {**examples.of(FUNDS_REQUEST), "extra": "forbid"}

    request: Annotated[Ref, Field(description="Your number of it, which the bank's transfer names")]
    area: Area
    plan: Annotated[Ref, Field(description="Of the plan that it is under")]
    amounts: Annotated[dict[Fund, Yuan], Field(min_length=1, description="By fund")]
    needed_on: Day


@router.post(
    "/v1/treasury-requests",
    status_code=202,
    openapi_extra=commands.body_of(FundsRequest),
    responses=commands.PROBLEMS,
    summary="Ask the treasury for money",
)
async def request_funds(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """From the fiscal special account, fund by fund. `GET /v1/treasury-requests` says what came of it."""
    asked = await commands.read(request, FundsRequest)
    data = {
        "area": asked.area,
        "request_ref": asked.request,
        "plan_ref": asked.plan,
        "amounts": dict(sorted(asked.amounts.items())),
        "needed_on": asked.needed_on.isoformat(),
        "staff_ref": caller.subject,
    }
    lane = commands.of_area(caller, here, asked.area)
    return await commands.give(request, response, caller, here, Command(KIND, (asked.area, asked.request), lane, data))
