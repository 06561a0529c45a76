"""POST /v1/suspense-placings: a person says what money in suspense was, and another one the same (c.2, 69)."""

from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing import capabilities
from clearing.payments import placing, suspense
from clearing.payments.api import paid
from clearing.payments.api.runs import PAID_FROM
from clearing.payments.suspense import OF_THE_ACCOUNT, Item
from medfund.events.bank import PlacedAs
from medfund.http import answers, commands, examples, problems, reach
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Context, Here
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.questions import Day, Party, Ref
from medfund.postgres import queries

router = APIRouter()
KIND = Kind("place", "suspense.placing.requested.v1")
SQL = queries.load(__file__, "placings.sql")
_read = msgspec.json.Decoder(Item).decode


PLACING: examples.Json = {"item": "S-5b1f0c9a4d7e42138f6a90bd", "placed_as": "FISCAL", "placed_on": "2026-03-02"}


class Placing(BaseModel):
    model_config = {**examples.of(PLACING), "extra": "forbid"}

    item: Ref
    placed_as: PlacedAs
    target: Annotated[
        Ref | None,
        Field(
            description="The payment, the case of the recovery, the prepayment, the item that takes it back; of FISCAL,"
            " the request to the treasury, if there was one"
        ),
    ] = None
    provider: Annotated[Party | None, Field(description="Whose payment, recovery or prepayment it is")] = None
    placed_on: Day


class Found(NamedTuple):
    lane: int
    item: Item


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

    FISCAL is money between the fund's own two accounts; where the treasury was asked for it, `target` is the request,
    and what came counts for it. CORRECTED is the bank's mistake, with the item that takes it back as its target,
    whichever lanes the two are in. INTEREST, OTHER_INCOME and FEE are of the account itself. OTHER_PAYER is what
    another payer repaid of what was paid in advance for it.
    """
    asked = await commands.read(request, Placing)
    (lane, item), other = await _fitting(caller, here, asked)
    data = {
        "area": item.area,
        "item_ref": item.item_ref,
        "placed_as": asked.placed_as,
        "placed_on": asked.placed_on.isoformat(),
        "staff_ref": caller.subject,
        **_against(lane, asked, other),
        **({"provider": asked.provider} if asked.provider else {}),
    }
    # Everything that was said is in the keys: what was declined may be said otherwise, or by somebody else.
    keys = tuple(str(value) for _, value in sorted(data.items()))
    return await commands.give(request, response, caller, here, Command(KIND, keys, lane, data))


def _against(lane: int, asked: Placing, other: Found | None) -> dict[str, Any]:
    """What it was of; of another item, its lane where that is another one."""
    if other is None:
        return {"target": asked.target} if asked.target else {}
    return {"target": other.item.item_ref, **({"target_lane": other.lane} if other.lane != lane else {})}


async def _fitting(caller: Caller, here: Context, asked: Placing) -> tuple[Found, Found | None]:
    """The item, and the one that takes it back: of the two the one that left comes first, whichever a person begins
    with. Raises `Problem` where it or its target is not there, or cannot be that."""
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    other = None
    async with here.database.snapshot(caller) as connection:
        found = await _item(connection, within, asked.item, "item")
        target = await _target(connection, within, found.item, asked)
        if asked.placed_as == "CORRECTED" and asked.target:
            other = await _item(connection, within, asked.target, "target")
        side = None
        if asked.placed_as == "FISCAL":
            side = await _other_side(connection, within, found.item)
            await _check_request(connection, within, found.item, asked.target)
    if unfit := placing.unfit(found.item, asked.placed_as, other.item if other else target):
        raise Problem("does_not_fit", unfit)
    if side is not None:
        raise Problem("does_not_fit", suspense.other_side(side))
    return (other, found) if other and found.item.direction == "IN" else (found, other)


async def _item(connection: Connection, within: reach.Reach, ref: str, what: str) -> Found:
    """Raises `Problem`."""
    row = await connection.fetchrow(SQL.item, within.lanes, within.areas, ref)
    if row is None:
        raise problems.unknown(what)
    return Found(row["lane"], _read(row["body"]))


async def _other_side(connection: Connection, within: reach.Reach, item: Item) -> str | None:
    """In whichever lane: the transfer would be booked twice."""
    amounts = msgspec.json.encode(item.amounts).decode()
    about = (within.lanes, item.area, item.bank_account, item.direction, amounts)
    return await connection.fetchval(SQL.other_side, *about)  # type: ignore[no-any-return]


async def _check_request(connection: Connection, within: reach.Reach, item: Item, request: str | None) -> None:
    """What the treasury was asked for comes to the expenditure account, of a fund that it was asked for. Raises
    `Problem`."""
    if request is None:
        return
    amounts = await connection.fetchval(SQL.target_request, within.lanes, item.area, request)
    if amounts is None:
        raise problems.unknown("request")
    if (item.direction == "IN") != (item.bank_account == PAID_FROM):
        raise Problem("does_not_fit", f"{request} asks for money on the expenditure account: this left it")
    if other := item.amounts.keys() - msgspec.json.decode(amounts).keys():
        raise Problem("does_not_fit", f"{request} asks for nothing of fund {min(other)}")


async def _target(connection: Connection, within: reach.Reach, item: Item, asked: Placing) -> placing.Target | None:
    """What it is said to be of. Raises `Problem` where that is not there."""
    if asked.placed_as in OF_THE_ACCOUNT or not (asked.target and asked.provider):
        return None
    about = (within.lanes, item.area, asked.provider, asked.target)
    if repaid := capabilities.REPAID.get(asked.placed_as):
        body, read = await connection.fetchval(SQL.target_repayable, *about, asked.placed_as), repaid.read
    else:
        body, read = await connection.fetchval(SQL.target_payment, *about), paid.read
    if body is None:
        raise problems.unknown("target")
    return read(body)  # type: ignore[no-any-return]
