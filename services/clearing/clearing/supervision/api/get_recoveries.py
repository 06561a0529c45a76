"""GET /v1/recoveries: what providers have to give back, and how much of it is open."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.supervision.recovery import Recovery
from medfund.http import answers, examples, questions, reach, waiting
from medfund.http.answers import ByFund, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.questions import OfProvider
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "recoveries.sql")
ORDER = {"lane": int, "provider": str, "ref": str}
_recovery = msgspec.json.Decoder(Recovery).decode


class Question(questions.Waiting, questions.Page, OfProvider):
    open: Annotated[bool | None, Field(description="Whether something of it is still owed by the provider")] = None


class Case(BaseModel):
    case: str
    provider: str
    provider_name: ProviderName
    area: str
    insutype: str
    clr_type: str
    year: Annotated[Literal["CURRENT", "PRIOR"], Field(description="Of the expense that it takes back")]
    decided_on: date
    settlement: str | None
    reason: Annotated[str | None, Field(description="As it was decided; null of what the books began with")]
    decided: list[ByFund]
    due: Annotated[list[ByFund], Field(description="Still owed by the provider (1107)")]
    taken: Annotated[list[ByFund], Field(description="Given back, in cash or by offset")]
    payable: Annotated[list[ByFund], Field(description="Owed to the provider: it was taken wrongly (2102)")]
    decided_total: Yuan
    due_total: Yuan


RECOVERIES: examples.Json = {
    "recoveries": [
        {
            "case": "case-2026-0017",
            "provider": samples.PROVIDER,
            "provider_name": samples.PROVIDER_NAME,
            "area": samples.AREA,
            "insutype": "310",
            "clr_type": "21",
            "year": "CURRENT",
            "decided_on": "2026-02-27",
            "settlement": None,
            "reason": "飞行检查：重复收费",
            "decided": samples.funds({"310100": "219947.40"}),
            "due": samples.funds({"310100": "19947.40"}),
            "taken": samples.funds({"310100": "200000.00"}),
            "payable": [],
            "decided_total": "219947.40",
            "due_total": "19947.40",
        }
    ],
    "due": "19947.40",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(RECOVERIES)

    recoveries: list[Case]
    due: Annotated[Yuan, Field(description="The sum of what is still owed in this answer")]
    next: str | None
    positions: Positions


@router.get("/v1/recoveries", responses=answers.or_problems(*answers.PAGING), summary="Recoveries")
async def recoveries(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """What was paid wrongly and is to be given back, case by case: what is open, and what was taken from payables."""
    pages = Pages(here.cursor_key, questions.sealed("recoveries", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            SQL.recoveries, within.lanes, within.areas, within.parties, question.open, *after, question.limit + 1
        )
        names = await naming.names(connection, within.lanes, (row["provider"] for row in found))
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    cases = [_recovery(row["body"]) for row in rows]
    return Answer(
        positions=positions,
        recoveries=[_case(one, names) for one in cases],
        due=answers.total_of(one.due for one in cases),
        next=following,
    )


def _case(one: Recovery, names: Mapping[str, str]) -> Case:
    return Case(
        case=one.ref,
        provider=one.dimensions.provider,
        provider_name=names.get(one.dimensions.provider),
        area=one.dimensions.area,
        insutype=one.dimensions.insutype,
        clr_type=one.dimensions.clr_type,
        year=one.year,
        decided_on=one.decided_on,
        settlement=one.settlement_ref,
        reason=one.reason or None,
        decided=answers.by_fund(one.decided),
        due=answers.by_fund(one.due),
        taken=answers.by_fund(one.taken),
        payable=answers.by_fund(one.payable),
        decided_total=answers.total(one.decided),
        due_total=answers.total(one.due),
    )
