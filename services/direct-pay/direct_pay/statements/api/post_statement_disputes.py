"""POST /v1/statement-disputes and /v1/statement-resolutions: an invoice, or a line of it, is not to be paid for the
time being; and a dispute of somebody's ends (c.2 (41))."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from direct_pay.api import samples
from direct_pay.statements import foreseen
from direct_pay.statements.api import named
from direct_pay.statements.api.named import OfStatement
from medfund.events.fields import COUNT_MAX
from medfund.http import commands, examples
from medfund.http.api import Kind
from medfund.http.commands import Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Invoice, Ref, Text
from medfund.http.tokens import Principal, Role

router = APIRouter()
DISPUTING = Kind("dispute", "statement.line.disputed.v1")
RESOLVING = Kind("resolve", "statement.line.resolved.v1")

_LINE: examples.Json = {"statement": samples.STATEMENT, "supplier": samples.SUPPLIER, "invoice": samples.BLUE}
LINE_DISPUTE: examples.Json = {**_LINE, "reason": "数量有误"}
LINE_RESOLUTION: examples.Json = {**_LINE, "outcome": "PAY", "reason": "已核对"}


class _OfLine(OfStatement):
    invoice: Invoice
    order: Annotated[Ref | None, Field(description="With `line`: one line of it alone")] = None
    line: Annotated[int | None, Field(ge=0, le=COUNT_MAX, description="Of the order")] = None
    reason: Text


class LineDispute(_OfLine):
    model_config = examples.body(LINE_DISPUTE)


class LineResolution(_OfLine):
    model_config = examples.body(LINE_RESOLUTION)

    outcome: Annotated[Literal["PAY", "DROP"], Field(description="To be paid, or never by the fund")]


@router.post(
    "/v1/statement-disputes",
    status_code=202,
    openapi_extra=commands.body_of(LineDispute),
    responses=commands.PROBLEMS,
    summary="Dispute an invoice of a statement",
)
async def dispute_line(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """By the hospital or the agency. The clock of the line stands still from today, and nothing else of the statement
    waits for it."""
    asked = await commands.read(request, LineDispute)
    whose = await named.statement(caller, here, asked)
    line, by = (asked.invoice, asked.order or "", asked.line or 0), speaks_for(caller)
    why_not = foreseen.dispute(whose.statement, *line, f"BY_{by}")
    return await whose.give(
        request,
        response,
        caller,
        here,
        DISPUTING,
        why_not,
        invoice=asked.invoice,
        order_no=asked.order,
        line=asked.line,
        disputed_on=whose.today.isoformat(),
        reason=asked.reason,
        disputed_by=caller.subject,
        speaks_for=by,
    )


@router.post(
    "/v1/statement-resolutions",
    status_code=202,
    openapi_extra=commands.body_of(LineResolution),
    responses=commands.PROBLEMS,
    summary="Resolve a dispute",
)
async def resolve_line(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """What somebody disputed is to be paid after all, or is dropped: its supplier settles it with the hospital. What
    does not match is not mended by it."""
    asked = await commands.read(request, LineResolution)
    whose = await named.statement(caller, here, asked)
    line = (asked.invoice, asked.order or "", asked.line or 0)
    by = speaks_for(caller)
    why_not = foreseen.resolution(whose.statement, *line, asked.outcome, by)
    return await whose.give(
        request,
        response,
        caller,
        here,
        RESOLVING,
        why_not,
        invoice=asked.invoice,
        order_no=asked.order,
        line=asked.line,
        resolved_on=whose.today.isoformat(),
        outcome=asked.outcome,
        reason=asked.reason,
        resolved_by=caller.subject,
        speaks_for=by,
    )


def speaks_for(caller: Principal) -> str:
    return "HOSPITAL" if caller.role == Role.provider else "AGENCY"
