"""Plans of prepayments: as they were made, who said yes, and what is published of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from pydantic import BaseModel, Field

from clearing.api import declining, knowledge, naming, samples
from clearing.policy import POLICIES, NoPolicy
from clearing.prepayment import planning
from clearing.prepayment.planning import Became, Line, Plan, Wanted
from clearing.prepayment.prepayment import Status as PrepaymentState
from medfund import money
from medfund.events.prepayments import PrepaymentKind
from medfund.http import answers, examples, runs
from medfund.http.answers import ByFund, Name, ProviderName, Yuan
from medfund.http.context import Declined
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.lanes.mandates import MANDATES

APPENDED_AT_ONCE = 500


class Approval(BaseModel):
    staff: str
    role: str
    at: datetime


class Grant(BaseModel):
    provider: str
    provider_name: ProviderName
    prepayment: str
    fund: str
    base: Annotated[Yuan, Field(description="The mean of the base period's months; of a bulk purchase what was agreed")]
    ratio: str
    wanted: Annotated[Yuan, Field(description="Base times ratio")]
    amount: Annotated[Yuan, Field(description="What it gets, inside the limit of its fund")]
    before: Annotated[Yuan, Field(description="What an earlier plan gave")]
    months_missing: Annotated[
        list[date],
        Field(description="Months of the base period of which nothing of the fund is approved: they count as nothing"),
    ]
    last_year: Annotated[Yuan, Field(description="What the provider was granted in the fund in the year before")]
    state: Annotated[PrepaymentState | None, Field(description="Of the prepayment, now")]
    disbursed: Yuan
    outstanding: Yuan


PLAN: examples.Json = {
    "plan": "YF-152500-2026-1",
    "hash": runs.HASH,
    "area": samples.AREA,
    "year": 2026,
    "kind": "ANNUAL",
    "base_from": "2025-01-01",
    "base_to": "2025-12-01",
    "months": 12,
    "months_missing": ["2025-11-01"],
    "replaces": None,
    "policy": "9c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f6070f6a3c81d2e4b597a",
    "state": "WAITING",
    "state_name": examples.name("待审批", "to be approved"),
    "grants": 1,
    "to_publish": 1,
    "published": 0,
    "limits": [{"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "8000000000.00"}],
    "wanted": [{"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "9634259.18"}],
    "amount": [{"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "9634259.18"}],
    "before": [],
    "last_year": [{"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "8700000.00"}],
    "disbursed": [],
    "outstanding": [],
    "total": "9634259.18",
    "made_by": "staff-3b18",
    "approvals": [],
}
PLAN_WITH_LINES: examples.Json = {
    **PLAN,
    "lines": [
        {
            "provider": samples.PROVIDER,
            "provider_name": samples.PROVIDER_NAME,
            "prepayment": f"{samples.PROVIDER}/YF-2026/310100",
            "fund": "310100",
            "base": "10704732.42",
            "ratio": "0.9",
            "wanted": "9634259.18",
            "amount": "9634259.18",
            "before": "0.00",
            "months_missing": ["2025-11-01"],
            "last_year": "8700000.00",
            "state": "CHECKED",
            "disbursed": "0.00",
            "outstanding": "0.00",
        }
    ],
}


class PlanTold(BaseModel):
    plan: str
    hash: Annotated[str, Field(description="Of all that is in it: what is approved is this")]
    area: str
    year: int
    kind: PrepaymentKind
    base_from: date
    base_to: date
    months: int
    months_missing: Annotated[
        list[date],
        Field(
            description="Months of the base period that count as nothing in some grant, for nothing is approved of them"
        ),
    ]
    replaces: str | None
    policy: str
    state: runs.State
    state_name: Name
    grants: int
    to_publish: Annotated[int, Field(description="Grants that say something new")]
    published: Annotated[int, Field(description="Of these, on the log and read from there; ask again for the rest")]
    limits: list[ByFund]
    wanted: list[ByFund]
    amount: list[ByFund]
    before: list[ByFund]
    last_year: Annotated[list[ByFund], Field(description="All that was granted in the area in the year before")]
    disbursed: list[ByFund]
    outstanding: list[ByFund]
    total: Yuan
    made_by: Annotated[str, Field(description="Who cannot be one of the two that approve it")]
    approvals: list[Approval]


class Beside(NamedTuple):
    """What people see with a plan."""

    became: Became
    names: Mapping[str, str]
    """Of its providers, as far as they were told."""


Kept: TypeAlias = runs.Kept[Plan, Beside]


async def _beside(connection: Connection, plan: Plan) -> Beside:
    lanes = sorted({line.lane for line in plan.lines})
    return Beside(
        await planning.became(connection, plan.wanted),
        await naming.names(connection, lanes, (line.provider for line in plan.lines)),
    )


async def _made(connection: Connection, wanted: Wanted) -> Plan:
    """By the policy of the area on the first day of the year. Raises `Problem`."""
    known = await knowledge.of(connection, 0)
    try:
        policy = known[POLICIES].on(wanted.area, date(wanted.year, 1, 1))
    except NoPolicy as error:
        raise Problem("parameter_invalid", f"area: {error}") from error
    try:
        return await planning.plan(connection, wanted, policy)
    except ValueError as error:
        raise Problem("parameter_invalid", f"base_from: {error}") from error


async def _role(connection: Connection, plan: Plan, person: str, others: Sequence[str]) -> str | Declined:
    known, today = await knowledge.of(connection, 0), await knowledge.today(connection)
    people, gives = (person, *others), planning.gives(plan)
    return runs.mandated(known[MANDATES], today, plan.wanted, gives, people, declining.declined)


KIND = runs.Kind(
    source="/clearing/plans",
    type="prepayment.granted.v1",
    roles=("finance", "approver"),  # one of the agency and one of the finance department (R2.4)
    sql=planning.SQL,
    decode=msgspec.json.Decoder(Plan).decode,
    made=_made,
    changes=planning.changes,
    role=_role,
    ids=planning.ids,
    events=planning.events,
    beside=_beside,
)


def told(found: Kept) -> PlanTold:
    plan, became, wanted = found.plan, found.beside.became, found.plan.wanted
    amount = planning.totals((line.fund, line.amount) for line in plan.lines)
    return PlanTold(
        plan=wanted.plan_ref,
        hash=plan.hash,
        area=wanted.area,
        year=wanted.year,
        kind=wanted.kind,
        base_from=wanted.base_from,
        base_to=wanted.base_to,
        months=wanted.months,
        months_missing=sorted({month for line in plan.lines for month in line.missing or ()}),
        replaces=wanted.replaces,
        policy=plan.policy_ref,
        state=found.state,
        state_name=runs.STATES[found.state],
        grants=len(plan.lines),
        to_publish=len(plan.published),
        published=len(found.published),
        limits=answers.by_fund(wanted.limits),
        wanted=answers.by_fund(planning.totals((line.fund, line.wanted) for line in plan.lines)),
        amount=answers.by_fund(amount),
        before=answers.by_fund(planning.totals((line.fund, line.before) for line in plan.lines)),
        last_year=answers.by_fund(planning.totals((fund, fen) for (_, fund), fen in became.last_year.items())),
        disbursed=answers.by_fund(_became(plan, became.disbursed)),
        outstanding=answers.by_fund(_became(plan, became.outstanding)),
        total=answers.total(amount),
        made_by=found.made_by,
        approvals=[Approval(staff=row["staff_ref"], role=row["role"], at=row["at"]) for row in found.approvals],
    )


def _became(plan: Plan, fens: Mapping[str, int]) -> Mapping[str, int]:
    return planning.totals((line.fund, fens.get(line.prepayment_ref, 0)) for line in plan.lines)


def grants(found: Kept) -> list[Grant]:
    return [_grant(line, found.beside.became, found.beside.names.get(line.provider)) for line in found.plan.lines]


def _grant(line: Line, became: Became, name: str | None) -> Grant:
    ref = line.prepayment_ref
    return Grant(
        provider=line.provider,
        provider_name=name,
        prepayment=ref,
        fund=line.fund,
        base=money.yuan(line.base),
        ratio=line.ratio,
        wanted=money.yuan(line.wanted),
        amount=money.yuan(line.amount),
        before=money.yuan(line.before),
        months_missing=line.missing or [],
        last_year=money.yuan(became.last_year.get((line.provider, line.fund), 0)),
        state=became.status.get(ref),
        disbursed=money.yuan(became.disbursed.get(ref, 0)),
        outstanding=money.yuan(became.outstanding.get(ref, 0)),
    )
