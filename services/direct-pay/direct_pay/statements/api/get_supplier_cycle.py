"""GET /v1/supplier-cycle: how long suppliers wait from acceptance to payment, money-weighted (R3.3)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import samples
from direct_pay.api.naming import OfBoth
from direct_pay.statements.api.reading import SQL
from medfund import money
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.exports import Exported
from medfund.http.tables import Column, Table

router = APIRouter()
MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
Month = Annotated[str, Field(pattern=MONTH, examples=["2026-10"])]
By = Literal["area", "provider", "supplier", "month"]
YuanDays = Annotated[
    Yuan, Field(description="Each yuan paid times its days: exact, to be added up and divided by `paid`")
]
HUNDREDTHS = 100


class Question(questions.Waiting, OfBoth, Exported):
    by: Annotated[By, Field(description="A row for each area, hospital, supplier or month")] = "month"
    month_from: Annotated[Month | None, Field(description="Paid in this month or later")] = None
    month_to: Annotated[Month | None, Field(description="Paid in this month or before")] = None


CYCLE: examples.Json = {
    "by": "month",
    "rows": [{"month": "2026-10", "paid": "115749.20", "yuan_days": "3125228.40", "days": "27.00"}],
    "paid": "115749.20",
    "yuan_days": "3125228.40",
    "days": "27.00",
    "positions": samples.POSITIONS,
}
for _row in CYCLE["rows"]:
    _row |= {"area": None, "provider": None, "supplier": None}


class CycleTold(BaseModel):
    area: str | None
    provider: str | None
    supplier: str | None
    month: Annotated[str | None, Field(description="In which it was paid, by the bank's day")]
    paid: Yuan
    yuan_days: YuanDays
    days: Annotated[str, Field(description="Calendar days from acceptance to payment, each fen counting once")]


class Answer(BaseModel):
    model_config = examples.of(CYCLE)

    by: By
    rows: list[CycleTold]
    paid: Yuan
    yuan_days: YuanDays
    days: Annotated[str | None, Field(description="Over all rows; null where nothing was paid")]
    positions: Positions


@router.get(
    "/v1/supplier-cycle",
    response_model=Answer,
    responses=exports.responses("not_booked_yet", "question_too_slow"),
    summary="How long suppliers wait to be paid",
)
async def supplier_cycle(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Of all that was paid or netted, less what came back. What hospitals owe from before direct payment is in none of
    it."""
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.cycle, within.lanes, *within.predicates, question.supplier, question.month_from, question.month_to,
            question.by,
        )  # fmt: skip
        positions = await answers.positions(connection, within.lanes)
    if question.format != "json":
        found = [(row["whose"], int(row["fen"]), int(row["weighted"]), days(row)) for row in exports.cut(rows)]
        return await exports.file(request, caller, here, question, "supplier-cycle", Table(TITLE, COLUMNS, found))
    whole = {"fen": sum(row["fen"] for row in rows), "weighted": sum(row["weighted"] for row in rows)}
    nobody = dict.fromkeys(("area", "provider", "supplier", "month"))
    return Answer(
        by=question.by,
        rows=[
            CycleTold(
                **{**nobody, question.by: row["whose"]},
                paid=money.yuan(int(row["fen"])),
                yuan_days=money.yuan(int(row["weighted"])),
                days=days(row),
            )
            for row in rows
        ],
        paid=money.yuan(int(whole["fen"])),
        yuan_days=money.yuan(int(whole["weighted"])),
        days=days(whole) if whole["fen"] else None,
        positions=positions,
    )


def days(row: Any) -> str:
    """To two decimals, a half upwards."""
    fen, weighted = int(row["fen"]), int(row["weighted"])
    hundredths = (2 * HUNDREDTHS * weighted + fen) // (2 * fen)
    return f"{hundredths // HUNDREDTHS}.{hundredths % HUNDREDTHS:02d}"


TITLE = Name(zh="结算周期", en="Cycle")
COLUMNS = (
    Column("统计对象", "whose"),
    Column("已支付", "paid", "money"),
    Column("金额乘天数", "yuan days", "money"),
    Column("加权天数", "days"),
)
