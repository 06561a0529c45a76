"""POST /v1/account-confirmations: somebody made sure that a provider's new account is its own (edge case 38)."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.payments.accounts import Account
from medfund.http import answers, commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.problems import Problem
from medfund.http.questions import Party, Ref

router = APIRouter()
KIND = Kind("confirm", "provider.account.confirmed.v1")
_account = msgspec.json.Decoder(Account).decode


CONFIRMATION: examples.Json = {"provider": samples.PROVIDER, "bank_account_ref": "acct-152500-000931"}


class Confirmation(BaseModel):
    model_config = {**examples.of(CONFIRMATION), "extra": "forbid"}

    provider: Party
    bank_account_ref: Annotated[Ref, Field(description="The account that you looked at")]


@router.post(
    "/v1/account-confirmations",
    status_code=202,
    openapi_extra=commands.body_of(Confirmation),
    responses=answers.or_problems(*commands.CODES, "account_differs"),
    summary="Confirm a provider's new account",
)
async def confirm_account(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Payments to an account that was changed lately wait until somebody with a mandate has confirmed it. It is the
    one that is named, and the provider is paid to that one now, or it is a conflict.
    """
    asked = await commands.read(request, Confirmation)
    found = await naming.provider(caller, here, asked.provider)
    account = _account(found["account"]) if found["account"] else Account(ref="")
    if account.ref != asked.bank_account_ref:
        raise Problem("account_differs")
    data = {
        "area": found["area"],
        "provider": asked.provider,
        "bank_account_ref": asked.bank_account_ref,
        "staff_ref": caller.subject,
    }
    # Of each change of the account: where it goes back to one that was confirmed before, that is to be confirmed again.
    keys = (asked.provider, account.ref, f"{account.changed_on}", caller.subject)
    return await commands.give(request, response, caller, here, Command(KIND, keys, found["lane"], data))
