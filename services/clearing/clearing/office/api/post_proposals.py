"""POST /v1/proposals: one person of the office wants a mandate, a source or a policy to be in force, the books to begin
with something, or something to hold of suppliers' money."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from clearing.office import proposals
from clearing.office.api import proposals as told
from clearing.office.api.proposals import SQL, Proposal
from clearing.office.proposals import SECOND, Kind
from medfund.events.kinds import KINDS
from medfund.http import answers, auditing, commands, examples
from medfund.http.context import Caller, Here
from medfund.http.problems import Problem
from medfund.http.questions import Ref

router = APIRouter()


class Asked(BaseModel):
    model_config = {**examples.of(told.PROPOSAL), "extra": "forbid"}

    proposal: Annotated[Ref, Field(description="Your number of it")]
    kind: Kind
    says: Annotated[dict[str, Any], Field(description="The event's data, without `approvers` and `hash`")]


@router.post(
    "/v1/proposals",
    openapi_extra=commands.body_of(Asked),
    responses=answers.or_problems(*commands.CODES, "does_not_fit", "not_for_one_alone"),
    summary="Propose what takes two people of the office",
)
async def propose(request: Request, caller: Caller, here: Here) -> Proposal:
    """It waits for another person of the office. Nobody proposes a mandate for themselves. Asking again for the same is
    answered the same."""
    asked = await commands.read(request, Asked)
    if reserved := sorted({"approvers", "hash"} & asked.says.keys()):
        raise Problem("parameter_invalid", f"says.{reserved[0]}: the two people and what they said make it")
    area = proposals.filed_under(asked.says) if _named(asked.says) else ""
    name = f"{area}/{asked.proposal}"
    data = proposals.data(asked.kind, asked.says, caller.subject, SECOND)
    command = told.made(here, asked.kind, (area, asked.proposal), data)
    commands.check(here, command)
    async with here.database.snapshot(caller) as connection:
        await told.checked(connection, caller, asked.kind, asked.says)
        before = await connection.fetchrow(SQL.one, area, asked.proposal)
    event = KINDS[command.kind.type].decoder.decode(msgspec.json.encode(command.data))
    if why := proposals.unfit(asked.kind, event):
        raise Problem("does_not_fit", why)
    if proposals.is_for(asked.kind, asked.says, caller.subject):
        detail = "Nobody has a part in a mandate of their own"
        await here.access.refuse(request, "not_for_one_alone", detail, about=[name])
    if before is None:
        await commands.foresee(request, here, command)
    hash_ = proposals.hash_of(asked.kind, asked.says)
    async with here.database.change(caller) as connection:
        await auditing.note(request, connection, caller, "asked", {"proposal": name})
        await connection.execute(
            SQL.keep, area, asked.proposal, asked.kind, hash_, caller.subject, datetime.now(UTC),
            msgspec.json.encode(asked.says).decode(),
        )  # fmt: skip
        row = await told.one(connection, area, asked.proposal)
        found = await told.told(connection, here, row)
    if found.hash != hash_:
        await commands.conflict(request, here, [name])
    return found


def _named(says: dict[str, Any]) -> bool:
    """Whether the areas can be read; where they cannot, the contract says what is wrong with them."""
    areas = says.get("areas")
    return isinstance(says.get("area", ""), str) and (areas is None or all(isinstance(one, str) for one in areas))
