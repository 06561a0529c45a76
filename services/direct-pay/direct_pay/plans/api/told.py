"""Plans of statements: as they were made, who said yes, and what is published of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias

import msgspec
from pydantic import BaseModel, Field

from direct_pay.api import asking, declining, naming, samples
from direct_pay.api.naming import Between, Called
from direct_pay.funds import Fens, added
from direct_pay.plans import plan as plans
from direct_pay.plans import planning
from direct_pay.plans.plan import Left, Line, Plan, Wanted
from direct_pay.service import DirectPay
from direct_pay.statements.api import faults
from medfund import money
from medfund.events.treasury import StaffMandated
from medfund.http import answers, examples, knowledge, runs
from medfund.http.answers import ByFund, Name, Yuan
from medfund.http.context import Declined
from medfund.http.database import Connection
from medfund.lanes.mandates import MANDATES

APPENDED_AT_ONCE = 500
ANY_LANE = 0
"""What is said of people is written into every lane."""
CODES: Mapping[str, Name] = {
    **faults.CODES,
    plans.LIVE_TWICE: Name(zh="发票号码在他处也已登记", en="the number is registered elsewhere too"),
    plans.NOT_CONFIRMED: Name(zh="医疗机构尚未确认", en="not confirmed by the hospital"),
    plans.ON_ITS_WAY: Name(zh="已批准，处理中", en="agreed to, and on its way"),
    plans.LATER: Name(zh="不在本计划的付款期限内", en="due later than this plan"),
    plans.WITHHELD: Name(zh="不予支付", en="withheld"),
    "DROPPED": Name(zh="不由基金支付", en="never paid by the fund"),
}
"""Why something is left out, or in dispute."""


class Approval(BaseModel):
    staff: str
    role: str
    at: datetime


class LeftTold(BaseModel):
    code: str
    code_name: Name
    detail: str
    invoice: Annotated[str | None, Field(description="Null: the whole statement")]
    order: Annotated[str | None, Field(description="With `line`: one line of it alone")]
    line: int | None


class StatementPlanned(Between):
    statement: str
    open: Annotated[Yuan, Field(description="Found in order and not requested")]
    amount: Annotated[Yuan, Field(description="What is requested of that")]
    amounts: list[ByFund]
    due: Annotated[date | None, Field(description="By when the first of it is to be paid")]
    left_out: list[LeftTold]


PLAN: examples.Json = {
    "plan": "JS-152500-20261007",
    "hash": runs.HASH,
    "area": samples.AREA,
    "due_until": None,
    "as_of": "2026-10-07",
    "state": "WAITING",
    "state_name": examples.name("待审批", "to be approved"),
    "statements": 1,
    "to_publish": 1,
    "published": 0,
    "left_out": 1,
    "amounts": samples.funds({"310100": "79137.73", "390100": "36611.47"}),
    "total": "115749.20",
    "made_by": "staff-3b18",
    "approvals": [],
}
PLAN_WITH_LINES: examples.Json = {
    **PLAN,
    "lines": [
        {
            **samples.WHOSE,
            "statement": samples.STATEMENT,
            "open": "115749.20",
            "amount": "115749.20",
            "amounts": PLAN["amounts"],
            "due": "2026-09-30",
            "left_out": [
                {
                    "code": "PRICE",
                    "code_name": examples.name("价格不符", "another price"),
                    "detail": "12.35 > 12.34",
                    "invoice": "26372000000012345679",
                    "order": samples.ORDER,
                    "line": 2,
                }
            ],
        }
    ],
}


class StatementPlanTold(BaseModel):
    plan: str
    hash: Annotated[str, Field(description="Of all that is in it: what is approved is this")]
    area: str
    due_until: date | None
    as_of: Annotated[date, Field(description="The day that was open when it was made")]
    state: runs.State
    state_name: Name
    statements: Annotated[int, Field(description="Of which something may be requested")]
    to_publish: Annotated[int, Field(description="Messages: one for each hospital, or 100 of its statements")]
    published: Annotated[int, Field(description="Of these, on the log and read from there; ask again for the rest")]
    left_out: Annotated[int, Field(description="Statements of which something is left out")]
    amounts: list[ByFund]
    total: Yuan
    made_by: Annotated[str, Field(description="Who cannot be one of the two that approve it")]
    approvals: list[Approval]


Kept: TypeAlias = runs.Kept[Plan, Called]


async def _beside(connection: Connection, plan: Plan) -> Called:
    lanes = sorted({line.lane for line in plan.lines})
    return await naming.called(connection, lanes, (line.name for line in plan.lines))


async def _made(connection: Connection, wanted: Wanted) -> Plan:
    """Raises `Problem`."""
    return await planning.plan(connection, wanted, await asking.opened(connection))


async def _role(connection: Connection, plan: Plan, person: str, others: Sequence[str]) -> str | Declined:
    known = await knowledge.of(connection, DirectPay, ANY_LANE, StaffMandated)
    today = await knowledge.today(connection)
    return runs.mandated(known[MANDATES], today, plan.wanted, plan.gives, (person, *others), declining.declined)


KIND = runs.Kind(
    source=planning.SOURCE,
    type="statements.agreed.v1",
    roles=("finance", "approver"),
    sql=planning.SQL,
    decode=msgspec.json.Decoder(Plan).decode,
    made=_made,
    changes=plans.changes,
    role=_role,
    ids=plans.ids,
    events=plans.events,
    beside=_beside,
)


def told(found: Kept) -> StatementPlanTold:
    plan, amounts = found.plan, totals(found.plan.lines)
    return StatementPlanTold(
        plan=plan.wanted.plan_ref,
        hash=plan.hash,
        area=plan.wanted.area,
        due_until=plan.wanted.due_until,
        as_of=plan.as_of,
        state=found.state,
        state_name=runs.STATES[found.state],
        statements=len(plan.lines),
        to_publish=len(plans.ids(plan)),
        published=len(found.published),
        left_out=sum(1 for line in plan.lines if line.left),
        amounts=answers.by_fund(amounts),
        total=answers.total(amounts),
        made_by=found.made_by,
        approvals=[Approval(staff=row["staff_ref"], role=row["role"], at=row["at"]) for row in found.approvals],
    )


def totals(lines: Sequence[Line]) -> Fens:
    sums: Fens = {}
    for line in lines:
        sums = added(sums, line.amounts)
    return sums


def lines(found: Kept) -> list[StatementPlanned]:
    return [
        StatementPlanned(
            **found.beside.between(found.plan.wanted.area, line.name).model_dump(),
            statement=line.statement_ref,
            open=money.yuan(line.open),
            amount=money.yuan(line.amount),
            amounts=answers.by_fund(line.amounts),
            due=line.due,
            left_out=[_left(one) for one in line.left],
        )
        for line in found.plan.lines
    ]


def _left(one: Left) -> LeftTold:
    return LeftTold(
        code=one.code,
        code_name=CODES[one.code],
        detail=one.detail,
        invoice=one.invoice or None,
        order=one.order_no or None,
        line=one.line or None,
    )
