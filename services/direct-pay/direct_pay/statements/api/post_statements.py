"""POST /v1/statements: a supplier asks to be paid for the invoices of a month (c.2 (40))."""

import hashlib
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import asking, samples
from direct_pay.statements.api.named import OfStatement
from medfund.events.statements import StatementMatched
from medfund.http import bodies, commands, examples, problems
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Here
from medfund.http.questions import Area, Day, Invoice, Yuan

router = APIRouter()
KIND = Kind("submit", "statement.submitted.v1")
BODY_BYTES_MAX = 1 << 20

SUBMISSION: examples.Json = {
    "statement": samples.STATEMENT,
    "provider": samples.PROVIDER,
    "period": "2026-09-01",
    "total": "115749.20",
    "invoices": [
        {"invoice": samples.BLUE, "amount": "116983.20"},
        {"invoice": samples.RED, "amount": "-1234.00"},
    ],
}

_ID = "submit-5f0c1d2e3a4b59687786a5b4c3d2e1f0"
GIVEN: examples.Json = {
    "command": _ID,
    "kind": "submit",
    "source": "/direct-pay/commands",
    "type": "statement.submitted.v1",
    "look": f"/v1/commands/{_ID}",
}
OUTCOME: examples.Json = {
    "command": _ID,
    "kind": "submit",
    "provider": samples.PROVIDER,
    "area": samples.AREA,
    "source": "/direct-pay/commands",
    "type": "statement.submitted.v1",
    "asked_at": "2026-10-03T01:15:30.250000Z",
    "state": "DONE",
    "state_name": examples.name("已完成", "done"),
    "position": "purchases:3:8207",
    "decisions": [
        {"type": "statement.matched.v1", "position": "direct-pay:3:640", "data": dict(StatementMatched.example)}
    ],
    "reason": None,
    "detail": None,
}


class Listed(BaseModel):
    model_config = {"extra": "forbid"}

    invoice: Invoice
    amount: Annotated[Yuan, Field(description="With tax; a red letter is below zero")]


class Submission(OfStatement):
    model_config = examples.body(SUBMISSION)

    area: Annotated[Area | None, Field(description="May be left out where the token speaks for one")] = None
    period: Annotated[Day, Field(description="The first day of the month")]
    total: Annotated[Yuan, Field(description="The sum of the invoices, red letters taken off")]
    invoices: list[Listed]


@router.post(
    "/v1/statements",
    status_code=202,
    openapi_extra=commands.body_of(Submission),
    responses=commands.PROBLEMS,
    summary="Submit a statement",
)
async def submit_statement(request: Request, response: Response, caller: Caller, here: Here) -> Given:
    """By the supplier for itself. Each invoice is registered before, and in no other statement. What does not match the
    order, the deliveries and the contract is in dispute, and the rest goes on: the outcome says which. Larger
    ones than 1 MiB are published.
    """
    asked = await bodies.read_as(request, Submission, bytes_max=BODY_BYTES_MAX)
    of = asking.pair(caller, asked)
    if not caller.may_see_organisation(of.supplier):
        raise problems.unknown("supplier")
    area = asking.area(caller, asked.area)
    async with here.database.snapshot(caller) as connection:
        today = await asking.opened(connection)
    lines = [one.model_dump() for one in asked.invoices]
    data = {
        **of._asdict(),
        "area": area,
        "statement_ref": asked.statement,
        "period": asked.period.isoformat(),
        "submitted_on": today.isoformat(),
        "submitted_by": caller.subject,
        "total": asked.total,
        "lines": lines,
    }
    digest = hashlib.sha256(msgspec.json.encode(data, order="sorted")).hexdigest()
    keys = (*of, asked.statement, digest)
    command = Command(KIND, keys, asking.lane_of(here, of.provider), data)
    return await commands.give(request, response, caller, here, command)
