"""GET /v1/claims/{provider}/{batch}: everything about one claim batch, by fund."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.audit.finding import APPEALS_KEPT, Finding, Status
from clearing.claims.api import get_claims, named
from clearing.claims.api.get_claims import Batch
from clearing.claims.submitting import NO_POLICY
from clearing.funds import Fens, added, fens, total
from clearing.payable import Offset
from clearing.payments.api import paid
from clearing.statement.api import reading, statement
from clearing.statement.api.reading import Month
from medfund import money
from medfund.events.audit import Appeal, Ground, Stage
from medfund.events.claims import ClaimBatchRejected
from medfund.http import answers, examples, reach
from medfund.http.answers import ByFund, Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.database import Connection
from medfund.http.questions import Party, Ref

router = APIRouter()
FOUND: dict[Status, Name] = {
    "OPEN": Name(zh="未申诉", en="not contested"),
    "APPEALED": Name(zh="申诉中", en="under appeal"),
    "ANSWERED": Name(zh="申诉已答复", en="the appeal is answered"),
}
"""How a finding stands."""


class Amounts(BaseModel):
    """Of one fund, or of all. What is owed is with the batch that leads those approved together."""

    claimed: Yuan
    in_review: Yuan
    deducted: Yuan
    undone: Annotated[Yuan, Field(description="Deducted, and owed again")]
    approved: Yuan
    bond: Annotated[Yuan, Field(description="Quality bond kept from what was approved")]
    p1: Annotated[Yuan, Field(description="Approved to be paid at once")]
    advance: Annotated[Yuan, Field(description="Of that, paid and not yet taken back from what was approved (1104)")]
    payable: Annotated[Yuan, Field(description="Approved and not paid, what is ordered included (2102)")]
    held: Annotated[Yuan, Field(description="Put aside by holds (2108)")]
    ordered: Annotated[Yuan, Field(description="Ordered, and not yet confirmed by the bank, of payable and P1")]


class OfFund(Amounts):
    fund: str
    fund_name: Name


class Taken(BaseModel):
    """What the provider owed, taken from the P1 or from what was approved (2102)."""

    taken_from: Literal["P1", "2102", "2104"]
    account: str
    item: str
    step: int
    amounts: list[ByFund]
    total: Yuan


class Appealed(BaseModel):
    appeal: Annotated[str | None, Field(description="The provider's own number of it")]
    reason: Annotated[str | None, Field(description="As the provider put it")]
    contested: Annotated[list[ByFund], Field(description="What the finding took off when it was filed")]
    upheld: Annotated[list[ByFund] | None, Field(description="What was given back; null while it is not answered")]
    answer: Annotated[str | None, Field(description="Why, as the audit put it")]


class Found(BaseModel):
    batch: str
    finding: str
    rule: str
    ground: Ground
    ground_name: Name
    stage: str
    state: Status
    state_name: Name
    settlement: str | None
    line: str | None
    amounts: Annotated[list[ByFund], Field(description="What it takes off as things stand")]
    deducted: Annotated[list[ByFund], Field(description="What it took off in the end")]
    undone: list[ByFund]
    appeals: Annotated[list[Appealed], Field(description=f"The last {APPEALS_KEPT} of them, as they were filed")]
    late: Annotated[bool, Field(description="Nobody had decided it when the audit ended; it takes nothing off")]


class Held(BaseModel):
    hold: str
    reason: Annotated[str | None, Field(description="As it was placed; null where that was not told")]
    amounts: list[ByFund]
    to_come: Annotated[list[ByFund], Field(description="Will be held as soon as it is approved")]


class Reviewed(BaseModel):
    stage: Annotated[Stage, Field(description="By rules, then 初审, 复审, 终审")]
    rows: Annotated[int, Field(description="How many doubtful rows it looked at")]


_POOLED = {
    **get_claims.SUMS,
    "claimed": "2100000.37",
    "approved": "2070769.82",
    "p1": "1890000.33",
    "fund": "310100",
    "fund_name": samples.FUNDS["310100"],
}
CLAIM: examples.Json = {
    **get_claims.BATCH_IN_A_LIST,
    "working_days": None,
    "policy": samples.POLICY,
    "lead": samples.BATCH,
    "funds": [_POOLED],
    "totals": get_claims.SUMS,
    "payments": [paid.PAYMENT],
    "offsets": [
        {
            "taken_from": "2102",
            "account": "1104",
            "item": samples.BATCH,
            "step": 1,
            "amounts": samples.funds({"310100": "1890000.33"}),
            "total": "1890000.33",
        }
    ],
    "holds": [],
    "findings": [
        {
            "batch": samples.BATCH,
            "finding": "F-202601-000815",
            "rule": "R-0117",
            "ground": "RULE",
            "ground_name": examples.name("违反审核规则", "against a rule"),
            "stage": "FIRST",
            "state": "ANSWERED",
            "state_name": examples.name("申诉已答复", "the appeal is answered"),
            "settlement": "9f2c6a0de3b14785a1c05e7739d84bf2",
            "line": "3",
            "amounts": samples.funds({"310100": "29230.55"}),
            "deducted": samples.funds({"310100": "29230.55"}),
            "undone": [],
            "appeals": [
                {
                    "appeal": "SS-2026-0031",
                    "reason": "项目与病程记录一致",
                    "contested": samples.funds({"310100": "41230.55"}),
                    "upheld": samples.funds({"310100": "12000.00"}),
                    "answer": "部分采纳",
                }
            ],
            "late": False,
        }
    ],
    "findings_total": 1,
    "stages": [{"stage": "FIRST", "rows": 41}],
    "positions": samples.POSITIONS,
}


class Answer(Batch):
    model_config = examples.of(CLAIM)

    policy: Annotated[
        str | None, Field(description="Hash of the policy it was judged by; null where none holds on its day")
    ]
    lead: Annotated[str | None, Field(description="The batch that carries its payable, once it is approved")]
    funds: list[OfFund]
    totals: Annotated[Amounts, Field(description="The sums of the funds of this answer")]
    payments: list[paid.Paid]
    offsets: list[Taken]
    holds: list[Held]
    findings: Annotated[list[Found], Field(description=f"The first {reading.FINDINGS_MAX} of them")]
    findings_total: int
    stages: Annotated[list[Reviewed], Field(description="The stages of audit that are over")]
    positions: Positions


@router.get(
    "/v1/claims/{provider}/{batch:path}",
    responses=answers.or_problems("not_found", "question_too_slow"),
    summary="One claim batch, by fund",
)
async def claim(
    provider: Annotated[Party, Path()], batch: Annotated[Ref, Path()], caller: Caller, here: Here
) -> Answer:
    """What was claimed, deducted, approved, kept, paid and held, with its payments, offsets and findings; of one that
    was rejected, what is wrong with it.
    """
    within = reach.of(caller, area=None, party=provider, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        if rejected := await named.rejected(connection, within, batch):
            return await _rejected(connection, *rejected)
        month = await reading.month_of(connection, within, batch, findings_of="BATCH")
    claim = month.claim
    return Answer(
        **get_claims.batch(claim, None, month.institution.name, month.rejection).model_dump(),
        positions=month.positions,
        policy=claim.policy_ref,
        lead=claim.lead or None,
        funds=_funds(month),
        totals=Amounts(**{name: answers.total(amounts) for name, amounts in _amounts(month).items()}),
        payments=[paid.told(payment) for payment in month.payments if payment.payable_ref == claim.ref],
        offsets=[taken(offset) for offset in claim.offsets],
        holds=[
            Held(
                hold=hold,
                reason=(claim.held_because or {}).get(hold),
                amounts=answers.by_fund(claim.held.get(hold, {})),
                to_come=answers.by_fund(claim.to_hold.get(hold, {})),
            )
            for hold in sorted({*claim.held, *claim.to_hold})
        ],
        findings=[_found(finding) for finding in month.findings],
        findings_total=month.findings_total,
        stages=[Reviewed(stage=one.stage, rows=one.rows) for one in month.stages],
    )


async def _rejected(connection: Connection, lane: int, event: ClaimBatchRejected) -> Answer:
    """Nothing of it is claimed, decided or paid."""
    institution = await reading.institution(connection, lane, event.provider)
    return Answer(
        **get_claims.rejected(event, institution.name).model_dump(),
        positions=await answers.positions(connection, [lane]),
        policy=None if event.policy_ref == NO_POLICY else event.policy_ref,
        lead=None,
        funds=[],
        totals=Amounts(**dict.fromkeys(Amounts.model_fields, answers.total({}))),
        payments=[],
        offsets=[],
        holds=[],
        findings=[],
        findings_total=0,
        stages=[],
    )


def _amounts(month: Month) -> dict[str, Fens]:
    claim = month.claim
    return {
        "claimed": claim.claimed,
        "in_review": claim.in_review,
        "deducted": claim.deducted,
        "undone": claim.undone,
        "approved": claim.approved,
        "bond": claim.bond,
        "p1": claim.p1 or {},
        "advance": claim.advance,
        "payable": claim.payable,
        "held": total(claim.held.values()),
        "ordered": added(claim.ordered, claim.pending),
    }


def _funds(month: Month) -> list[OfFund]:
    amounts = _amounts(month)
    return [
        OfFund(
            fund=fund,
            fund_name=answers.fund_name(fund),
            **{name: money.yuan(fens.get(fund, 0)) for name, fens in amounts.items()},
        )
        for fund in sorted({fund for fens in amounts.values() for fund in fens})
    ]


def taken(offset: Offset) -> Taken:
    return Taken(
        taken_from=offset.taken_from,
        account=offset.account,
        item=offset.item,
        step=offset.step,
        amounts=answers.by_fund(offset.amounts),
        total=answers.total(offset.amounts),
    )


def _found(finding: Finding) -> Found:
    return Found(
        batch=finding.batch,
        finding=finding.finding_ref,
        rule=finding.rule_code,
        ground=finding.ground,
        ground_name=statement.GROUNDS[finding.ground],
        stage=finding.stage,
        state=finding.status,
        state_name=FOUND[finding.status],
        settlement=finding.settlement_ref,
        line=finding.line_ref,
        amounts=answers.by_fund(finding.amounts),
        deducted=answers.by_fund(finding.deducted),
        undone=answers.by_fund(finding.undone),
        appeals=[appealed(appeal) for appeal in finding.appeals or ()],
        late=finding.late,
    )


def appealed(appeal: Appeal) -> Appealed:
    return Appealed(
        appeal=appeal.appeal_ref,
        reason=appeal.reason,
        contested=answers.by_fund(fens(appeal.contested)),
        upheld=None if appeal.upheld is None else answers.by_fund(fens(appeal.upheld)),
        answer=appeal.answer,
    )
