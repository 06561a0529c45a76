"""POST /v1/retries: what failed or came back is to be paid again (R3.7)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.api import named
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Ref, Text

router = APIRouter()
KIND = Kind("retry", "payment.retry.requested.v1")


RETRY: examples.Json = {
    "retry": "CF-2026-0003",
    "provider": samples.PROVIDER,
    "payment": samples.PAYMENT,
    "reason": "收款账户已更正",
}


class Retry(BaseModel):
    model_config = {**examples.of(RETRY), "extra": "forbid"}

    retry: Annotated[Ref, Field(description="Your number of it: what comes back again is asked for under another one")]
    payment: Ref
    reason: Annotated[Text, Field(description="What was put right")]
    provider: Annotated[Party | None, Field(description="Whose: may be left out where the token speaks for one")] = None


@router.post(
    "/v1/retries",
    status_code=202,
    openapi_extra=commands.body_of(Retry),
    responses=commands.PROBLEMS,
    summary="Have a payment paid again",
)
async def retry(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """What is ordered instead is approved as any payment is, by somebody else than whom the token names here."""
    asked = await commands.read(request, Retry)
    found = await named.payments(caller, here, [asked.payment], asked.provider)
    data = {
        "area": found.area,
        "provider": found.provider,
        "payment_ref": asked.payment,
        "staff_ref": caller.subject,
        "reason": asked.reason,
    }
    keys = (found.provider, asked.payment, asked.retry)
    return await commands.give(request, response, caller, here, Command(KIND, keys, found.lane, data))
