"""GET /v1/doubtful-settlements: what a provider recorded more than once, or took back more often than that."""

from calendar import monthrange
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import samples
from medfund import money
from medfund.http import answers, examples, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.questions import Party
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "doubtful.sql")
ORDER = {"settlement": str}
SCAN_TIMEOUT_S = 20.0
Kind = Literal["RECORDED_TWICE", "REVERSED_TWICE", "REVERSES_NOTHING"]
KINDS: dict[Kind, Name] = {
    "RECORDED_TWICE": Name(zh="同一结算重复上传", en="recorded more than once, and not taken back as often"),
    "REVERSED_TWICE": Name(zh="同一结算重复冲销", en="taken back more often than it was recorded"),
    "REVERSES_NOTHING": Name(zh="冲销的结算不存在", en="taken back, and never recorded"),
}


class Question(questions.Waiting, questions.Page):
    provider: Party
    month: Annotated[
        str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="Of service", examples=["2026-01"])
    ]


class Doubtful(BaseModel):
    settlement: Annotated[str, Field(description="Its `settlement_ref`, which is the `reverses_ref` of its reversals")]
    kind: Kind
    kind_name: Name
    recorded: Annotated[int, Field(description="How often it was recorded, under whatever event ids")]
    reversed: Annotated[int, Field(description="How often it was taken back")]
    amount: Annotated[Yuan, Field(description="What the funds bear of all of these together")]
    first: Annotated[date, Field(description="The first day of service among them")]
    last: date


DOUBTFUL: examples.Json = {
    "provider": samples.PROVIDER,
    "month": "2026-01",
    "settlements": [
        {
            "settlement": "9f2c6a0de3b14785a1c05e7739d84bf2",
            "kind": "RECORDED_TWICE",
            "kind_name": examples.name("同一结算重复上传", "recorded more than once, and not taken back as often"),
            "recorded": 3,
            "reversed": 0,
            "amount": "23266.98",
            "first": "2026-01-15",
            "last": "2026-01-15",
        }
    ],
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(DOUBTFUL)

    provider: str
    month: str
    settlements: list[Doubtful]
    next: str | None
    positions: Positions


@router.get(
    "/v1/doubtful-settlements",
    responses=answers.or_problems(*answers.PAGING),
    summary="Settlements that were recorded or taken back too often",
)
async def doubtful_settlements(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Of what was served, or taken back, in a month: a settlement is there once, or was taken back as often as it was
    recorded; what is not so is listed. An event counts by its source and id alone: one settlement under two ids is
    booked twice, and a claim that holds both is rejected.
    """
    pages = Pages(here.cursor_key, questions.sealed("doubtful_settlements", caller, question), ORDER)
    [after] = pages.after(question.cursor)
    within = reach.of(caller, area=None, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    first = date.fromisoformat(f"{question.month}-01")
    last = first.replace(day=monthrange(first.year, first.month)[1])
    async with here.database.snapshot(caller, statement_timeout_s=SCAN_TIMEOUT_S) as connection:
        found = await connection.fetch(
            SQL.doubtful, within.lanes, within.areas, question.provider, first, last, after, question.limit + 1,
            timeout=SCAN_TIMEOUT_S + 1,
        )  # fmt: skip
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    return Answer(
        provider=question.provider,
        month=question.month,
        settlements=[_told(row) for row in rows],
        next=following,
        positions=positions,
    )


def _told(row: Any) -> Doubtful:
    kind = _kind(row["recorded"], row["reversed"])
    return Doubtful(
        settlement=row["settlement"],
        kind=kind,
        kind_name=KINDS[kind],
        recorded=row["recorded"],
        reversed=row["reversed"],
        amount=money.yuan(int(row["fen"])),
        first=row["first"],
        last=row["last"],
    )


def _kind(recorded: int, taken_back: int) -> Kind:
    if recorded > taken_back:
        return "RECORDED_TWICE"
    return "REVERSED_TWICE" if recorded else "REVERSES_NOTHING"
