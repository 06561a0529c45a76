"""POST /v1/appeals: a provider contests a finding (核实申诉)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.claims.api import named
from medfund.http import commands, examples, problems
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Ref, Text
from medfund.postgres import queries

router = APIRouter()
KIND = Kind("appeal", "audit.appeal.filed.v1")
SQL = queries.load(__file__, "appeals.sql")


APPEAL: examples.Json = {
    "appeal": "SS-2026-0007",
    "batch": samples.BATCH,
    "finding": "F-202601-000815",
    "reason": "项目与病程记录一致",
}


class Appeal(BaseModel):
    model_config = {**examples.of(APPEAL), "extra": "forbid"}

    appeal: Annotated[Ref, Field(description="The provider's own number of it: a second appeal has another one")]
    batch: Ref
    finding: Ref
    reason: Text
    provider: Annotated[Party | None, Field(description="Whose: may be left out where the token speaks for one")] = None


@router.post(
    "/v1/appeals",
    status_code=202,
    openapi_extra=commands.body_of(Appeal),
    responses=commands.PROBLEMS,
    summary="Appeal against a finding",
)
async def appeal(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Nothing of the finding is deducted while the appeal is open. Asking again for the same is answered the same."""
    asked = await commands.read(request, Appeal)
    within = naming.within(caller, here, asked.provider)
    async with here.database.snapshot(caller) as connection:
        lane, claim = await named.one(connection, within, asked.batch)
        mine = claim.dimensions
        if not await connection.fetch(SQL.finding, lane, mine.provider, claim.ref, asked.finding):
            raise problems.unknown("finding")
    data = {
        "area": mine.area,
        "provider": mine.provider,
        "batch": claim.ref,
        "finding_ref": asked.finding,
        "reason": asked.reason,
        "appeal_ref": asked.appeal,
    }
    keys = (mine.provider, claim.ref, claim.opened, asked.finding, asked.appeal)
    return await commands.give(request, response, caller, here, Command(KIND, keys, lane, data))
