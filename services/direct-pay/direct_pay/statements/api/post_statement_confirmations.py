"""POST /v1/statement-confirmations: a hospital agrees with what is not in dispute (c.2 (42))."""

from fastapi import APIRouter, Request, Response

from direct_pay.api import samples
from direct_pay.statements import foreseen
from direct_pay.statements.api import named
from direct_pay.statements.api.named import OfStatement
from medfund import people
from medfund.http import answers, commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Given
from medfund.http.context import Caller, Here

router = APIRouter()
KIND = Kind("confirm", "statement.confirmed.v1")

STATEMENT_CONFIRMATION: examples.Json = {"statement": samples.STATEMENT, "supplier": samples.SUPPLIER}


class StatementConfirmation(OfStatement):
    model_config = examples.body(STATEMENT_CONFIRMATION)


@router.post(
    "/v1/statement-confirmations",
    status_code=202,
    openapi_extra=commands.body_of(StatementConfirmation),
    responses=answers.or_problems(*commands.CODES, "not_for_one_alone"),
    summary="Confirm a statement",
)
async def confirm_statement(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """By the hospital for itself, and by nobody who submitted it. Lines in dispute stay out until they are resolved."""
    asked = await commands.read(request, StatementConfirmation)
    whose = await named.statement(caller, here, asked)
    submitted = [whose.statement.submitted_by, *(one.by for one in whose.statement.waiting)]
    if (by := next((one for one in submitted if people.same(caller.subject, one)), None)) is not None:
        await here.access.refuse(
            request, "not_for_one_alone", f"{by} submitted it: another one confirms it", about=[asked.statement]
        )
    why_not = foreseen.confirmation(whose.statement)
    says = {"confirmed_on": whose.today.isoformat(), "confirmed_by": caller.subject}
    return await whose.give(request, response, caller, here, KIND, why_not, **says)
