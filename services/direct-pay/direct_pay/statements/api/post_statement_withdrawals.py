"""POST /v1/statement-withdrawals: a supplier takes a statement back (c.2 (40))."""

from fastapi import APIRouter, Request, Response

from direct_pay.api import samples
from direct_pay.statements import foreseen
from direct_pay.statements.api import named
from direct_pay.statements.api.named import OfStatement
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Text

router = APIRouter()
KIND = Kind("withdraw", "statement.withdrawn.v1")

STATEMENT_WITHDRAWAL: examples.Json = {
    "statement": samples.STATEMENT,
    "provider": samples.PROVIDER,
    "reason": "发票漏列",
}


class StatementWithdrawal(OfStatement):
    model_config = examples.body(STATEMENT_WITHDRAWAL)

    reason: Text


@router.post(
    "/v1/statement-withdrawals",
    status_code=202,
    openapi_extra=commands.body_of(StatementWithdrawal),
    responses=commands.PROBLEMS,
    summary="Withdraw a statement",
)
async def withdraw_statement(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """While nothing of it was requested. Its invoices are free for another one."""
    asked = await commands.read(request, StatementWithdrawal)
    whose = await named.statement(caller, here, asked)
    why_not = foreseen.withdrawal(whose.statement)
    says = {"withdrawn_on": whose.today.isoformat(), "reason": asked.reason}
    return await whose.give(request, response, caller, here, KIND, why_not, **says)
