"""What the small deciding service of `tests.halves` is asked over HTTP: one command, which says a settlement."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from medfund import money
from medfund.http import commands
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Yuan
from medfund.lanes import partition
from tests import events

router = APIRouter()
KIND = Kind("halve", "settlement.recorded.v1")


class Halving(BaseModel):
    model_config = ConfigDict(extra="forbid")

    provider: Party
    number: Annotated[str, Field(max_length=32)]
    amount: Yuan


@router.post("/v1/halvings", status_code=202, openapi_extra=commands.body_of(Halving), responses=commands.PROBLEMS)
async def halve(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    asked = await commands.read(request, Halving)
    said = events.settlement(asked.provider, id=asked.number, funds={"390100": money.fen(asked.amount)})
    lane = partition.lane_of(asked.provider.encode(), here.lanes)
    command = Command(KIND, (asked.provider, asked.number), lane, msgspec.json.decode(said.value or b""))
    return await commands.give(request, response, caller, here, command)
