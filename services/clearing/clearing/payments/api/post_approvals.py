"""POST /v1/approvals: one of the two people behind each payment says yes (c.2, 21)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.api import named
from medfund.http import answers, commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Ref, Yuan

router = APIRouter()
KIND = Kind("approve", "payment.approval.given.v1")
PAYMENTS_MAX = 500


APPROVAL: examples.Json = {
    "approval": "PZ-2026-0012",
    "provider": samples.PROVIDER,
    "payments": [samples.PAYMENT],
    "total": "1890000.33",
}


class Approval(BaseModel):
    model_config = {**examples.of(APPROVAL), "extra": "forbid"}

    approval: Annotated[Ref, Field(description="Your number of it: said again after it ended, it has another one")]
    payments: Annotated[list[Ref], Field(min_length=1, max_length=PAYMENTS_MAX, description="All of one provider")]
    total: Annotated[Yuan, Field(description="What you saw: where it is not their sum, none is approved")]
    although_bank_may_still_pay: Annotated[
        bool,
        Field(description="You saw `bank_may_still_pay` in `GET /v1/payments`, and know that it does not"),
    ] = False
    provider: Annotated[Party | None, Field(description="Whose: may be left out where the token speaks for one")] = None


@router.post(
    "/v1/approvals",
    status_code=202,
    openapi_extra=commands.body_of(Approval),
    responses=answers.or_problems(*commands.CODES, "bank_may_still_pay"),
    summary="Approve payments",
)
async def approve(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """The person is the one whom the token names. Two people, one of them an approver, make a payment ready for a run;
    whoever asked for it is one of the two. Of each payment the outcome says whether it counts. Your number is yours
    alone: two people may give the same one. Where the bank may still pay what these payments take the place of, that is
    said first.
    """
    asked = await commands.read(request, Approval)
    found = await named.payments(caller, here, asked.payments, asked.provider)
    if not asked.although_bank_may_still_pay and (doubts := await named.doubts(caller, here, found, asked.payments)):
        about = [found.provider, *asked.payments]
        await here.access.refuse(request, "bank_may_still_pay", "; ".join(doubts), about=about)
    data = {
        "area": found.area,
        "provider": found.provider,
        "payments": asked.payments,
        "total": asked.total,
        "staff_ref": caller.subject,
    }
    keys = (found.provider, asked.approval, caller.subject)
    command = Command(KIND, keys, found.lane, data, named=tuple(asked.payments))
    return await commands.give(request, response, caller, here, command)
