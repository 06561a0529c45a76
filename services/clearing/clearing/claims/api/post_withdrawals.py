"""POST /v1/withdrawals: a provider takes a batch back (3204)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.claims.api import named
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Ref, Text

router = APIRouter()
KIND = Kind("withdraw", "claim.batch.withdrawal.requested.v1")


WITHDRAWAL: examples.Json = {"batch": samples.BATCH, "reason": "明细对账不符，撤回重新申报"}


class Withdrawal(BaseModel):
    model_config = {**examples.of(WITHDRAWAL), "extra": "forbid"}

    batch: Ref
    reason: Text
    provider: Annotated[Party | None, Field(description="Whose: may be left out where the token speaks for one")] = None


@router.post(
    "/v1/withdrawals",
    status_code=202,
    openapi_extra=commands.body_of(Withdrawal),
    responses=commands.PROBLEMS,
    summary="Withdraw a claim batch",
)
async def withdraw(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Possible until something of it is paid or finally deducted (R3.6). Once for each time the batch was accepted:
    asking again for the same is answered the same.
    """
    asked = await commands.read(request, Withdrawal)
    within = naming.within(caller, here, asked.provider)
    async with here.database.snapshot(caller) as connection:
        lane, claim = await named.one(connection, within, asked.batch)
    mine = claim.dimensions
    data = {"area": mine.area, "provider": mine.provider, "batch": claim.ref, "reason": asked.reason}
    return await commands.give(
        request, response, caller, here, Command(KIND, (mine.provider, claim.ref, claim.opened), lane, data)
    )
