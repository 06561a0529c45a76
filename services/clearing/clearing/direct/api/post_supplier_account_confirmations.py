"""POST /v1/supplier-account-confirmations: somebody made sure of a supplier's new account (edge case 38)."""

from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.direct.api.get_supplier_payables import SQL
from clearing.payments.accounts import Account
from medfund.events.suppliers import A_SUPPLIER
from medfund.http import answers, commands, examples, problems
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.problems import Problem
from medfund.http.questions import Area, Ref, Supplier

router = APIRouter()
KIND = Kind("vouch", "supplier.account.confirmed.v1")
_account = msgspec.json.Decoder(Account).decode

SUPPLIER_ACCOUNT: examples.Json = {
    "area": samples.AREA,
    "supplier": A_SUPPLIER,
    "bank_account_ref": "acct-s-000093",
}


class SupplierAccount(BaseModel):
    model_config = examples.body(SUPPLIER_ACCOUNT)

    area: Area
    supplier: Supplier
    bank_account_ref: Annotated[Ref, Field(description="The account that you looked at")]


@router.post(
    "/v1/supplier-account-confirmations",
    status_code=202,
    openapi_extra=commands.body_of(SupplierAccount),
    responses=answers.or_problems(*commands.CODES, "account_differs"),
    summary="Confirm a supplier's new account",
)
async def confirm_supplier_account(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """Of a supplier that something is paid to. Payments to an account that was changed lately wait until somebody with
    a mandate, who did not enter it, has confirmed it: the one that is named, to which the supplier is paid now."""
    asked = await commands.read(request, SupplierAccount)
    commands.of_area(caller, here, asked.area)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.account, asked.supplier, asked.area)
    if row is None:
        raise problems.unknown("supplier")
    account = _account(row["body"])
    if account.ref != asked.bank_account_ref:
        raise Problem("account_differs")
    data = {**asked.model_dump(), "staff_ref": caller.subject}
    # Of each change of the account: where it goes back to one that was confirmed before, that is to be confirmed again.
    keys = (asked.area, asked.supplier, account.ref, f"{account.changed_on}", caller.subject)
    command = Command(KIND, keys, None, data)
    async with here.database.snapshot(caller) as connection:
        before = await commands.kept(connection, caller, here, command.id)
    if before is None:  # what is said in every lane is judged in any of them
        await commands.foresee(request, here, replace(command, lane=row["lane"]))
    return await commands.give(request, response, caller, here, command)
