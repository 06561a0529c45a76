"""POST /v1/prepayment-recalls: the agency wants a prepayment back before its time (R2.4, edge case 50)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import knowledge, samples
from clearing.prepayment.api.get_prepayments import SQL
from medfund.http import commands, examples, problems, reach
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Ref, Text

router = APIRouter()
KIND = Kind("recall", "prepayment.recall.ordered.v1")


RECALL: examples.Json = {"prepayment": f"{samples.PROVIDER}/YF-2026/310100", "code": "MISUSE", "reason": "挪用于基建"}


class Recall(BaseModel):
    model_config = {**examples.of(RECALL), "extra": "forbid"}

    prepayment: Ref
    code: Annotated[Literal["MISUSE", "AGREEMENT", "GATE_LOST", "OTHER"], Field(description="Why")]
    reason: Text
    recall: Annotated[Ref | None, Field(description="Your number of it, where the same is asked again on one day")] = (
        None
    )


@router.post(
    "/v1/prepayment-recalls",
    status_code=202,
    openapi_extra=commands.body_of(Recall),
    responses=commands.PROBLEMS,
    summary="Recall a prepayment",
)
async def recall(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """All that is outstanding is due at once, and what was not sent is not paid. Asking again on one day for it is
    answered the same."""
    asked = await commands.read(request, Recall)
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.one, within.lanes, within.areas, within.parties, asked.prepayment)
        today = await knowledge.today(connection)
    if row is None or today is None:
        raise problems.unknown("prepayment")
    data = {
        "area": row["area"],
        "provider": row["provider"],
        "prepayment_ref": asked.prepayment,
        "code": asked.code,
        "reason": asked.reason,
        "staff_ref": caller.subject,
        "ordered_on": today.isoformat(),
    }
    # Everything that was said is in the keys: what came to nothing may be asked for again, the day after or by another.
    keys = (*(text for _, text in sorted(data.items())), asked.recall or "")
    return await commands.give(request, response, caller, here, Command(KIND, keys, row["lane"], data))
