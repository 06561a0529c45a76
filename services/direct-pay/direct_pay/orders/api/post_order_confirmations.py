"""POST /v1/order-confirmations: a supplier will deliver what was ordered (c.2 (35))."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from direct_pay.api import asking, samples
from direct_pay.api.asking import OfPair
from medfund.http import commands, examples, problems
from medfund.http.api import Kind
from medfund.http.commands import Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Ref

router = APIRouter()
KIND = Kind("deliver", "order.confirmed.v1", learned=True)

ORDER_CONFIRMATION: examples.Json = {"order": samples.ORDER, "provider": samples.PROVIDER}


class OrderConfirmation(OfPair):
    model_config = examples.body(ORDER_CONFIRMATION)

    order: Annotated[Ref, Field(description="The hospital's number of it")]
    area: Annotated[Area | None, Field(description="May be left out where the token speaks for one")] = None


@router.post(
    "/v1/order-confirmations",
    status_code=202,
    openapi_extra=commands.body_of(OrderConfirmation),
    responses=commands.PROBLEMS,
    summary="Confirm an order",
)
async def confirm_order(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """The order may be told after it. Asking again on one day is answered the same."""
    asked = await commands.read(request, OrderConfirmation)
    of = asking.pair(caller, asked)
    if not caller.may_see_organisation(of.supplier):
        raise problems.unknown("supplier")
    area = asking.area(caller, asked.area)
    async with here.database.snapshot(caller) as connection:
        today = await asking.opened(connection)
    says = {**of._asdict(), "area": area, "order_no": asked.order, "confirmed_on": today.isoformat()}
    command = asking.command(KIND, asking.lane_of(here, of.provider), says)
    return await commands.give(request, response, caller, here, command)
