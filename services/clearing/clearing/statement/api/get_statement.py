"""GET /v1/claims/{provider}/{batch}/statement: what a provider is told of a claim, to read, print or calculate with."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.claims.api import get_claims
from clearing.statement.api import get_claim, get_deadlines, reading, statement_head, statement_html, statement_xlsx
from clearing.statement.api import statement as statements
from clearing.statement.api.get_deadlines import Deadline
from clearing.statement.api.statement import Section, Statement
from medfund import money
from medfund.http import answers, auditing, examples
from medfund.http.answers import ByFund, Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.problems import Problem
from medfund.http.questions import Party, Ref

router = APIRouter()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Question(BaseModel):
    format: Annotated[Literal["json", "xlsx", "html"], Field(description="To calculate with: xlsx; to print: html")] = (
        "json"
    )


class Line(BaseModel):
    name: Name
    reference: Annotated[str, Field(description="The batch, finding, item, payment or hold that it is about")]
    detail: Annotated[
        str, Field(description="The period, the rule, the step and account, the bank's day, or why it is held")
    ]
    reason: Annotated[Name | None, Field(description="Of a deduction: why, in words")]
    settlement: Annotated[str | None, Field(description="Of a deduction: the settlement that it is on")]
    appeals: Annotated[list[get_claim.Appealed], Field(description="Of a deduction: the appeals against it")]
    amounts: list[ByFund]
    total: Yuan


class Part(BaseModel):
    code: Literal["APPROVED", "NET", "USE", "AT_ONCE"]
    name: Name
    lines: list[Line]
    result: Name
    totals: Annotated[list[ByFund], Field(description="By fund, the sum of the lines")]
    total: Yuan


STATEMENT: examples.Json = {
    "batch": samples.BATCH,
    "batches": [samples.BATCH],
    "provider": samples.PROVIDER,
    "provider_name": samples.PROVIDER_NAME,
    "account_ends": "0017",
    "area": samples.AREA,
    "period_from": "2026-01-01",
    "period_to": "2026-01-31",
    "state": "APPROVED",
    "state_name": examples.name("已审定", "approved"),
    "settlements": 1842,
    "instant_ratios": {"310100": "0.9"},
    "sections": [
        {
            "code": "NET",
            "name": examples.name("应付", "Payable"),
            "lines": [
                {
                    "name": examples.name("审定", "Approved"),
                    "reference": "",
                    "detail": "",
                    "reason": None,
                    "settlement": None,
                    "appeals": [],
                    "amounts": samples.funds({"310100": "2070769.82"}),
                    "total": "2070769.82",
                },
                {
                    "name": examples.name("质量保证金", "Quality bond"),
                    "reference": "",
                    "detail": "",
                    "reason": None,
                    "settlement": None,
                    "appeals": [],
                    "amounts": samples.funds({"310100": "-103538.49"}),
                    "total": "-103538.49",
                },
            ],
            "result": examples.name("应付净额", "Net payable"),
            "totals": samples.funds({"310100": "1967231.33"}),
            "total": "1967231.33",
        }
    ],
    "net_in_capitals": "壹佰玖拾陆万柒仟贰佰叁拾壹元叁角叁分",
    "deadlines": [get_deadlines.DEADLINE],
    "policy": samples.POLICY,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(STATEMENT)

    batch: str
    batches: Annotated[list[str], Field(description="All that were approved together, this one among them")]
    provider: str
    provider_name: ProviderName
    account_ends: Annotated[str | None, Field(description="The last digits of the account that it is paid to")]
    area: str
    period_from: date
    period_to: date
    state: get_claims.State
    state_name: Name
    settlements: int
    instant_ratios: Annotated[dict[str, str], Field(description="By fund, what the policy pays at once of it")]
    sections: list[Part]
    net_in_capitals: Annotated[str, Field(description="大写: the total of NET as bills say it")]
    deadlines: list[Deadline]
    policy: str
    positions: Positions


@router.get(
    "/v1/claims/{provider}/{batch:path}/statement",
    response_model=Answer,
    responses={
        200: {
            "content": {
                XLSX: {"schema": {"type": "string", "format": "binary"}},
                "text/html": {"schema": {"type": "string"}},
            }
        },
        **answers.or_problems("not_found", "too_much", "question_too_slow"),
    },
    summary="The provider's statement of a claim",
)
async def statement(
    request: Request,
    provider: Annotated[Party, Path()],
    batch: Annotated[Ref, Path()],
    question: Annotated[Question, Query()],
    caller: Caller,
    here: Here,
) -> Answer | Response:
    """Claimed by fund; each deduction with its finding and rule; the bond; what was taken, paid, held and is open; what
    was paid at once; and the days it was due. Every total is the sum of the lines above it.

    `xlsx` and `html` are exports: each leaves an audit record.
    """
    month = await reading.month(caller, here, provider, batch, findings_of="MONTH")
    if month.findings_total > reading.FINDINGS_MAX:
        raise Problem("too_much", f"More than {reading.FINDINGS_MAX} findings")
    told = statements.of(month)
    if question.format == "json":
        return _answer(told)
    await auditing.record(
        request, here.database, caller, "asked", {"format": question.format, "provider": provider, "batch": batch}
    )
    if question.format == "html":
        return statement_html.page(told)
    disposition = {"content-disposition": 'attachment; filename="statement.xlsx"'}
    return Response(statement_xlsx.book(told), media_type=XLSX, headers=disposition)


def _answer(told: Statement) -> Answer:
    month, claim = told.month, told.month.claim
    return Answer(
        batch=claim.ref,
        batches=[one.ref for one in month.claims],
        provider=claim.dimensions.provider,
        provider_name=month.institution.name,
        account_ends=month.institution.account_ends,
        area=claim.dimensions.area,
        period_from=min(one.period_from for one in month.claims),
        period_to=max(one.period_to for one in month.claims),
        state=claim.status,
        state_name=get_claims.STATES[claim.status],
        settlements=statement_head.visits(month),
        instant_ratios=statement_head.by_fund(told),
        sections=[_part(section) for section in told.sections],
        net_in_capitals=money.capitals(sum(told.section("NET").total.values())),
        deadlines=[get_deadlines.told(one) for one in told.deadlines],
        policy=month.lead.policy_ref,
        positions=month.positions,
    )


def _part(section: Section) -> Part:
    return Part(
        code=section.code,  # type: ignore[arg-type]
        name=section.name,
        lines=[
            Line(
                name=line.name,
                reference=line.reference,
                detail=line.detail,
                reason=line.reason,
                settlement=line.settlement,
                appeals=[get_claim.appealed(one) for one in line.appeals],
                amounts=answers.by_fund(line.amounts),
                total=answers.total(line.amounts),
            )
            for line in section.lines
        ],
        result=section.result,
        totals=answers.by_fund(section.total),
        total=answers.total(section.total),
    )
