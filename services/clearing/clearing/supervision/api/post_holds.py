"""POST /v1/holds and POST /v1/releases: finance puts a payable aside, or lets it be paid (R6.1)."""

from collections.abc import Collection
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.dimensions import Dimensions, fields
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Context, Here
from medfund.http.questions import Day, Fund, Party, Ref, Text, Yuan
from medfund.http.tokens import Principal
from medfund.postgres import queries

router = APIRouter()
HOLDING = Kind("hold", "payment.hold.placed.v1")
RELEASING = Kind("release", "payment.hold.released.v1")
SQL = queries.load(__file__, "holds.sql")
_dimensions = msgspec.json.Decoder(Dimensions).decode
ACCOUNT = "2102"


class OfHold(BaseModel):
    hold: Annotated[Ref, Field(description="The case that it is for")]
    payable: Annotated[Ref, Field(description="A batch, or the case of a recovery that was taken wrongly")]
    amounts: Annotated[dict[Fund, Yuan], Field(min_length=1, description="By fund")]
    reason: Text
    provider: Annotated[Party | None, Field(description="Whose: may be left out where the token speaks for one")] = None


_ID = "hold-5f0c1d2e3a4b59687786a5b4c3d2e1f0"
GIVEN: examples.Json = {
    "command": _ID,
    "kind": "hold",
    "source": "/clearing/commands",
    "type": "payment.hold.placed.v1",
    "look": f"/v1/commands/{_ID}",
}
OUTCOME: examples.Json = {
    "command": _ID,
    "kind": "hold",
    "provider": samples.PROVIDER,
    "area": samples.AREA,
    "source": "/clearing/commands",
    "type": "payment.hold.placed.v1",
    "asked_at": "2026-03-02T01:15:30.250000Z",
    "state": "DISPUTED",
    "state_name": examples.name("与系统记录不符，未执行", "not as our records have it: nothing follows from it"),
    "position": "reviews:3:5200",
    "decisions": [
        {
            "type": "fact.disputed.v1",
            "position": "clearing:3:97",
            "data": {
                "provider": samples.PROVIDER,
                "area": samples.AREA,
                "cause": {"topic": "reviews", "lane": 3, "offset": 5200},
                "detail": "hold case-2026-0042 is placed already",
            },
        }
    ],
    "reason": None,
    "detail": "hold case-2026-0042 is placed already",
}


HOLD: examples.Json = {
    "hold": "case-2026-0042",
    "provider": samples.PROVIDER,
    "payable": samples.BATCH,
    "amounts": {"310100": "500000.00"},
    "reason": "条例第三十条：涉嫌骗保",
    "held_from": "2026-03-02",
}
RELEASE: examples.Json = {
    "release": "JC-2026-0011",
    "hold": "case-2026-0042",
    "provider": samples.PROVIDER,
    "payable": samples.BATCH,
    "amounts": {"310100": "500000.00"},
    "reason": "经查未发现骗保行为",
    "released_on": "2026-03-30",
}


class Hold(OfHold):
    model_config = {**examples.of(HOLD), "extra": "forbid"}

    held_from: Day


class Release(OfHold):
    model_config = {**examples.of(RELEASE), "extra": "forbid"}

    release: Annotated[Ref, Field(description="Your number of it: a second release of one hold has another one")]
    released_on: Day


@router.post(
    "/v1/holds",
    status_code=202,
    openapi_extra=commands.body_of(Hold),
    responses=commands.PROBLEMS,
    summary="Hold a payable",
)
async def hold(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """It stays owed and is not paid; of a claim in review, what is approved of it is held. One hold of a name for each
    payable: asking again for the same is answered the same.
    """
    asked = await commands.read(request, Hold)
    lane, dimensions = await _payable(caller, here, asked.payable, asked.provider)
    keys = (dimensions.provider, asked.payable, asked.hold)
    data = _data(asked, dimensions, held_from=asked.held_from)
    return await commands.give(request, response, caller, here, Command(HOLDING, keys, lane, data))


@router.post(
    "/v1/releases",
    status_code=202,
    openapi_extra=commands.body_of(Release),
    responses=commands.PROBLEMS,
    summary="Release what is held",
)
async def release(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """It may be paid again, in full and without interest. Asking again for the same is answered the same."""
    asked = await commands.read(request, Release)
    lane, dimensions = await _payable(caller, here, asked.payable, asked.provider)
    keys = (dimensions.provider, asked.payable, asked.hold, asked.release)
    data = _data(asked, dimensions, released_on=asked.released_on)
    return await commands.give(request, response, caller, here, Command(RELEASING, keys, lane, data))


def _data(asked: OfHold, dimensions: Dimensions, **days: date) -> dict[str, Any]:
    funds: Collection[str] = asked.amounts
    return {
        **fields(dimensions, funds),
        "hold_ref": asked.hold,
        "payable_ref": asked.payable,
        "account": ACCOUNT,
        "amounts": dict(sorted(asked.amounts.items())),
        "reason": asked.reason,
        **{name: day.isoformat() for name, day in days.items()},
    }


async def _payable(caller: Principal, here: Context, ref: str, provider: str | None) -> tuple[int, Dimensions]:
    """The lane and the dimensions of a provider's claim or recovery that the caller may see. Raises `Problem`."""
    within = naming.within(caller, here, provider)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.payable, within.lanes, within.areas, within.parties, ref)
        if row is None:
            raise await naming.unknown(connection, within, "payable")
    return row["lane"], _dimensions(row["dimensions"])
