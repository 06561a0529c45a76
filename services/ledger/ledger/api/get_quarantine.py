"""GET /v1/quarantine: what was refused, and how often for which reason."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from ledger.api import examples
from medfund.events.refusals import Reason
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Positions
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.examples import of as example_of
from medfund.http.questions import Area, Party, Topic
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "quarantine.sql")
ORDER = {"lane": int, "topic": str, "offset": int}


class Question(questions.Page, questions.Waiting):
    reason: Annotated[Reason | None, Field(description="Stable code of the refusal")] = None
    source: Annotated[str | None, Field(max_length=256, pattern=r"^[ -~]+$", examples=["/gateway/152500"])] = None
    topic: Topic | None = None
    area: Area | None = None
    party: Party | None = None
    since: Annotated[AwareDatetime | None, Field(description="Recorded at or after this instant")] = None


class Refused(BaseModel):
    lane: int
    topic: str
    offset: int
    recorded_at: datetime
    reason: str
    reason_zh: str
    reason_en: str
    detail: str
    source: str | None
    id: str | None
    type: str | None
    area: str | None
    party: str | None


class Answer(BaseModel):
    model_config = example_of(examples.QUARANTINE)

    reasons: Annotated[dict[str, int], Field(description="How many ids each reason refused, under these filters")]
    total: Annotated[int, Field(description="How many ids; what has none that could be read counts by itself")]
    deliveries: Annotated[int, Field(description="How many records: the same id may be refused again and again")]
    records: list[Refused]
    next: str | None
    positions: Positions


@router.get("/v1/quarantine", responses=answers.or_problems(*answers.PAGING), summary="Refused events")
async def quarantine(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Records of the log that were refused, by place. Nothing of them is in the books; every byte of them is kept."""
    pages = Pages(here.cursor_key, questions.sealed("quarantine", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.refused(caller, area=question.area, party=question.party, source=question.source)
    # A record in the wrong lane is its party's all the same: every lane is looked at.
    lanes = list(range(here.lanes))
    narrowed = (lanes, *within, question.reason, question.topic, question.since)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(SQL.refused, *narrowed, *after, question.limit + 1)
        *reasons, whole = await connection.fetch(SQL.reasons, *narrowed)
        positions = await answers.positions(connection, lanes)
    rows, following = pages.cut(found, question.limit)
    return Answer(
        positions=positions,
        reasons={row["reason"]: row["events"] for row in reasons},
        total=whole["events"],
        deliveries=whole["deliveries"],
        records=[Refused(**members(row)) for row in rows],
        next=following,
    )


def members(row: Any) -> dict[str, Any]:
    """What the list and the detail say of a refused record."""
    reason = Reason(row["reason"])
    names = ("lane", "topic", "offset", "detail", "source", "id", "type", "area", "party")
    said = {"recorded_at": row["appended_at"], "reason": reason.value, "reason_zh": reason.zh, "reason_en": reason.en}
    return {**said, **{name: row[name] for name in names}}
