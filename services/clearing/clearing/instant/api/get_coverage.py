"""GET /v1/coverage: how much of an area's settlement goes the instant way, by money and by institutions (R1.1)."""

from calendar import monthrange
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import samples
from medfund import money
from medfund.http import answers, examples, questions, reach, waiting
from medfund.http.answers import Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.questions import Area
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "coverage.sql")
SCAN_TIMEOUT_S = 20.0
TARGET = "0.80"
"""By the end of 2026, of both [W1]."""
PLACES = Decimal("0.000001")

Ratio = Annotated[
    str | None, Field(description="Six decimals, the last one rounded; null where there is nothing to divide by")
]


class Question(questions.Waiting):
    area: Area
    month: Annotated[
        str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="Of service", examples=["2026-01"])
    ]


class OfMoney(BaseModel):
    instant: Annotated[Yuan, Field(description="Fund money of settlements whose claim was paid in part at once")]
    settled: Annotated[Yuan, Field(description="Fund money of all settlements of the month, local insured only")]
    ratio: Ratio


class OfInstitutions(BaseModel):
    instant: Annotated[int, Field(description="Institutions with such a claim of the month")]
    designated: Annotated[int, Field(description="Registered institutions; pharmacies are none")]
    ratio: Ratio


COVERAGE: examples.Json = {
    "area": samples.AREA,
    "month": "2026-01",
    "money": {"instant": "3456789.12", "settled": "4000000.00", "ratio": "0.864197"},
    "institutions": {"instant": 41, "designated": 48, "ratio": "0.854167"},
    "target": "0.80",
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(COVERAGE)

    area: str
    month: str
    money: OfMoney
    institutions: OfInstitutions
    target: Annotated[str, Field(description="What both ratios are to reach by the end of 2026")]
    positions: Positions


@router.get(
    "/v1/coverage",
    responses=answers.or_problems("question_too_slow", "not_booked_yet"),
    summary="Coverage of instant settlement",
)
async def coverage(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Both ratios of a month of service with the two numbers of each, for the pooling area's own insured."""
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    asked = (within.lanes, within.areas, question.area, *_days(question.month))
    async with here.database.snapshot(caller, statement_timeout_s=SCAN_TIMEOUT_S) as connection:
        [paid] = await connection.fetch(SQL.money, *asked, timeout=SCAN_TIMEOUT_S + 1)
        [places] = await connection.fetch(SQL.institutions, *asked, timeout=SCAN_TIMEOUT_S + 1)
        positions = await answers.positions(connection, within.lanes)
    return Answer(
        area=question.area,
        month=question.month,
        positions=positions,
        money=OfMoney(
            instant=money.yuan(paid["instant"]),
            settled=money.yuan(paid["settled"]),
            ratio=ratio(paid["instant"], paid["settled"]),
        ),
        institutions=OfInstitutions(
            instant=places["instant"],
            designated=places["designated"],
            ratio=ratio(places["instant"], places["designated"]),
        ),
        target=TARGET,
    )


def ratio(part: int, whole: int) -> str | None:
    """Six decimals; None where there is nothing to divide by."""
    return None if whole == 0 else str((Decimal(part) / whole).quantize(PLACES, ROUND_HALF_UP))


def _days(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=monthrange(first.year, first.month)[1])
