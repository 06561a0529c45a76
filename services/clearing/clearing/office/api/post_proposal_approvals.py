"""POST /v1/proposals/{proposal}/approvals: another person of the office agrees, and it is said."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.office import proposals
from clearing.office.api import proposals as told
from clearing.office.api.proposals import SQL, Proposal
from medfund import people
from medfund.http import answers, auditing, commands, examples
from medfund.http.context import Caller, Here
from medfund.http.questions import Ref

router = APIRouter()


PROPOSAL_APPROVAL: examples.Json = {"area": samples.AREA, "hash": told.HASH}


class Yes(BaseModel):
    model_config = {**examples.of(PROPOSAL_APPROVAL), "extra": "forbid"}

    area: Annotated[str, Field(pattern=r"^([0-9]{6}|\*)$", description="In which the proposal is filed")]
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the proposal that the person has seen")]


@router.post(
    "/v1/proposals/{proposal}/approvals",
    openapi_extra=commands.body_of(Yes),
    responses=answers.or_problems(*commands.CODES, "plan_changed", "not_for_one_alone", "approved_already"),
    summary="Agree to a proposal",
)
async def approve_proposal(request: Request, proposal: Annotated[Ref, Path()], caller: Caller, here: Here) -> Proposal:
    """By somebody else than who proposed it, and whom it is not for. Then it is on the log, with both people on it;
    asking again finishes what a crash broke off."""
    asked = await commands.read(request, Yes)
    async with here.database.snapshot(caller) as connection:
        row = await told.one(connection, asked.area, proposal)
        found = await told.told(connection, here, row)
        await told.checked(connection, caller, found.kind, found.says)
    name = f"{asked.area}/{proposal}"
    refuse = partial(here.access.refuse, request, about=[name])
    if asked.hash != found.hash:
        await refuse("plan_changed", f"the proposal that is kept is {found.hash}")
    if people.same(caller.subject, found.proposed_by):
        await refuse("not_for_one_alone", f"{found.proposed_by} proposed it: another one agrees")
    if proposals.is_for(found.kind, found.says, caller.subject):
        await refuse("not_for_one_alone", "Nobody has a part in a mandate of their own")
    if found.approved_by is None:
        await commands.foresee(request, here, told.command(here, row, caller.subject))
    async with here.database.change(caller) as connection:
        # Said, written down who said it, and on its way to the log: together or not at all.
        await auditing.note(request, connection, caller, "asked", {"approved proposal": name})
        await connection.execute(SQL.approve, asked.area, proposal, caller.subject, datetime.now(UTC))
        row = await told.one(connection, asked.area, proposal)
        command = told.command(here, row, row["approved_by"])
        commands.check(here, command)
        kept = await commands.keep(connection, caller, here, command)
        found = await told.told(connection, here, row)
    if not people.same(caller.subject, row["approved_by"]):
        await refuse("approved_already", f"{row['approved_by']} has agreed to it")
    await commands.deliver(here, command, kept["at"])
    return found
