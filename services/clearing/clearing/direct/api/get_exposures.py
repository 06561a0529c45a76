"""GET /v1/exposures: what suppliers were paid for each hospital and it has not given back, and up to what (R3.6)."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.direct.api.get_supplier_payables import SQL, statement_of
from clearing.direct.limits import with_cap
from clearing.direct.statement import Statement
from medfund import money
from medfund.events.suppliers import DirectCapSet
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.exports import Exported
from medfund.http.questions import OfProvider
from medfund.http.tables import Column, Table

router = APIRouter()
_cap = msgspec.json.Decoder(DirectCapSet).decode


class Question(questions.Waiting, OfProvider, Exported):
    pass


EXPOSURES: examples.Json = {
    "exposures": [
        {
            "area": samples.AREA,
            "provider": samples.PROVIDER,
            "provider_name": samples.PROVIDER_NAME,
            "to_pay": "115749.20",
            "exposure": "10704732.43",
            "cap": "10704732.42",
            "above_cap": True,
        }
    ],
    "to_pay": "115749.20",
    "exposure": "10704732.43",
    "positions": samples.POSITIONS,
}


class Exposure(BaseModel):
    area: str
    provider: str
    provider_name: ProviderName
    to_pay: Annotated[Yuan, Field(description="To its suppliers, not paid yet (2105)")]
    exposure: Annotated[Yuan, Field(description="Paid to its suppliers and not given back, over all funds")]
    cap: Annotated[Yuan | None, Field(description="Above it nothing more is ordered; null where none was set")]
    above_cap: bool


class Answer(BaseModel):
    model_config = examples.of(EXPOSURES)

    exposures: list[Exposure]
    to_pay: Yuan
    exposure: Yuan
    positions: Positions


@router.get(
    "/v1/exposures",
    response_model=Answer,
    responses=exports.responses("not_booked_yet", "question_too_slow"),
    summary="What was paid for hospitals and is not given back",
)
async def exposures(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Hospital by hospital, those of which something is open."""
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(SQL.open, within.lanes, within.areas, within.parties)
        said = await connection.fetch(SQL.caps, within.lanes)
        names = await naming.names(connection, within.lanes, (row["provider"] for row in rows))
        positions = await answers.positions(connection, within.lanes)
    caps: Mapping[tuple[str, str], int] = {}
    for row in said:
        caps = with_cap(caps, _cap(row["body"]))
    found = [
        _told(provider, area, [statement_of(row["body"]) for row in some], caps.get((provider, area)), names)
        for (area, provider), some in groupby(rows, key=lambda row: (row["area"], row["provider"]))
    ]
    if question.format != "json":
        table = Table(TITLE, COLUMNS, exports.cut([_row(one) for one in found]))
        return await exports.file(request, caller, here, question, "exposures", table)
    return Answer(
        exposures=found,
        to_pay=money.yuan(sum(money.fen(one.to_pay) for one in found)),
        exposure=money.yuan(sum(money.fen(one.exposure) for one in found)),
        positions=positions,
    )


def _told(
    provider: str, area: str, statements: Iterable[Statement], cap: int | None, names: Mapping[str, str]
) -> Exposure:
    open = [*statements]
    out = sum(sum(one.due.values()) for one in open)
    return Exposure(
        area=area,
        provider=provider,
        provider_name=names.get(provider),
        to_pay=answers.total_of(one.payable for one in open),
        exposure=money.yuan(out),
        cap=None if cap is None else money.yuan(cap),
        above_cap=cap is not None and out > cap,
    )


# -- to take away

TITLE = Name(zh="直接结算代付余额", en="Exposures")
COLUMNS = (
    Column("定点机构", "provider"), Column("机构名称", "provider name"), Column("统筹区", "area"),
    Column("待支付", "to pay", "money"), Column("代付未收回", "exposure", "money"), Column("上限", "cap", "money"),
    Column("超出上限", "above the cap"),
)  # fmt: skip


def _row(one: Exposure) -> tuple[str | int | None, ...]:
    cap = None if one.cap is None else money.fen(one.cap)
    return (
        one.provider, one.provider_name, one.area, money.fen(one.to_pay), money.fen(one.exposure), cap,
        "是 yes" if one.above_cap else "否 no",
    )  # fmt: skip
