"""POST /v1/receipts: a provider says that a payment has come (c.2, 25)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.api import named
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Ref

router = APIRouter()
KIND = Kind("receive", "payment.confirmed.v1")


RECEIPT: examples.Json = {"payment": f"{samples.BATCH}/P1/310100", "received_on": "2026-02-13"}


class Receipt(BaseModel):
    model_config = {**examples.of(RECEIPT), "extra": "forbid"}

    payment: Ref
    received_on: Annotated[date, Field(description="The day on which it was on the provider's account")]
    provider: Annotated[Party | None, Field(description="Whose: may be left out where the token speaks for one")] = None


@router.post(
    "/v1/receipts",
    status_code=202,
    openapi_extra=commands.body_of(Receipt),
    responses=commands.PROBLEMS,
    summary="Confirm that a payment has come",
)
async def receive(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Once for a payment: another day than before is a conflict. The bank alone proves that it was paid."""
    asked = await commands.read(request, Receipt)
    found = await named.payments(caller, here, [asked.payment], asked.provider)
    data = {
        "area": found.area,
        "provider": found.provider,
        "payment_ref": asked.payment,
        "received_on": asked.received_on.isoformat(),
    }
    return await commands.give(
        request, response, caller, here, Command(KIND, (found.provider, asked.payment), found.lane, data)
    )
