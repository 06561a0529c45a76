"""POST /v1/suspense-placings: a person says what money in suspense was, and another one the same (c.2, 69)."""

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import commands, examples, reading
from clearing.api.commands import Command, Given
from clearing.api.filters import Ref
from clearing.api.naming import SQL
from clearing.payments import placing
from clearing.payments.suspense import NAMED, Item
from clearing.prepayment.prepayment import Prepayment
from clearing.supervision.recovery import Recovery
from medfund.events.bank import PlacedAs
from medfund.http import answers, problems, reach
from medfund.http.context import Caller, Context, Here
from medfund.http.database import Connection
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem
from medfund.http.questions import Day, Party

router = APIRouter()
_read = msgspec.json.Decoder(Item).decode


class Placing(BaseModel):
    model_config = {**example_of(examples.PLACING), "extra": "forbid"}

    item: Ref
    placed_as: PlacedAs
    target: Annotated[
        Ref | None,
        Field(description="The payment, the case of the recovery, the prepayment, or the item that takes it back"),
    ] = None
    provider: Annotated[Party | None, Field(description="Whose payment, recovery or prepayment it is")] = None
    placed_on: Day


@router.post(
    "/v1/suspense-placings",
    status_code=202,
    openapi_extra=commands.body_of(Placing),
    responses=answers.or_problems(*commands.CODES, "does_not_fit"),
    summary="Say what money in suspense was",
)
async def place(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Once for each item, and by two people: what the first one says waits (`suspense.placing.noted`) for another one
    who says the same of the same item; what a person says last counts. PAYMENT, RETURN, RECOVERY and PREPAYMENT name
    what it was of, which has to be there and large enough; a RETURN that went out is one that the bank took back.

    FISCAL is money between the fund's own two accounts; CORRECTED is the bank's mistake, with the item that takes it
    back as its target. INTEREST, OTHER_INCOME and FEE are of the account itself.
    """
    asked = await commands.read(request, Placing)
    lane, item, other = await _fitting(caller, here, asked)
    data = {
        "area": item.area,
        "item_ref": item.item_ref,
        "placed_as": asked.placed_as,
        "placed_on": asked.placed_on.isoformat(),
        "staff_ref": caller.subject,
        **({"target": target} if (target := other.item_ref if other else asked.target) else {}),
        **({"provider": asked.provider} if asked.provider else {}),
    }
    # Everything that was said is in the keys: what was declined may be said otherwise, or by somebody else.
    keys = tuple(str(value) for _, value in sorted(data.items()))
    given = await commands.give(request, caller, here, Command("place", keys, lane, data))
    response.headers["location"] = given.look
    return given


async def _fitting(caller: Caller, here: Context, asked: Placing) -> tuple[int, Item, Item | None]:
    """The lane, the item, and the item that takes it back: of the two the one that left comes first, whichever a person
    begins with. Raises `Problem` where it or its target is not there, or cannot be that."""
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    other = None
    async with here.database.snapshot(caller) as connection:
        lane, item = await _item(connection, within, asked.item, "item")
        target = await _target(connection, within, item, asked)
        if asked.placed_as == "CORRECTED" and asked.target:
            other_lane, other = await _item(connection, within, asked.target, "target")
    if unfit := placing.unfit(item, asked.placed_as, other or target):
        raise Problem("does_not_fit", unfit)
    if other is not None and item.direction == "IN":
        return other_lane, other, item
    return lane, item, other


async def _item(connection: Connection, within: reach.Reach, ref: str, what: str) -> tuple[int, Item]:
    """Raises `Problem`."""
    row = await connection.fetchrow(SQL.item, within.lanes, within.areas, ref)
    if row is None:
        raise problems.unknown(what)
    return row["lane"], _read(row["body"])


async def _target(connection: Connection, within: reach.Reach, item: Item, asked: Placing) -> placing.Target | None:
    """What it is said to be of. Raises `Problem` where that is not there."""
    if asked.placed_as not in NAMED or not (asked.target and asked.provider):
        return None
    query, read = TARGETS.get(asked.placed_as, (SQL.target_payment, reading.payment_of))
    body = await connection.fetchval(query, within.lanes, item.area, asked.provider, asked.target)
    if body is None:
        raise problems.unknown("target")
    return read(body)


TARGETS: Mapping[PlacedAs, tuple[str, Callable[[str], placing.Target]]] = {
    "RECOVERY": (SQL.target_recovery, msgspec.json.Decoder(Recovery).decode),
    "PREPAYMENT": (SQL.target_prepayment, msgspec.json.Decoder(Prepayment).decode),
}
"""Of what is no payment: how it is found, and read."""
