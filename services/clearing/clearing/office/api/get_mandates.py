"""GET /v1/mandates: who may approve what up to which amount on a day."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import knowledge, samples
from clearing.office.api.proposals import LANE
from medfund.events.treasury import StaffMandated
from medfund.http import answers, examples, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.questions import Area, Day
from medfund.lanes.mandates import Mandates, last_said
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "mandates.sql")
ORDER = {"area": str, "person": str}
ROLES: dict[str, Name] = {"finance": Name(zh="财务岗", en="finance"), "approver": Name(zh="审批岗", en="approver")}
_mandated = msgspec.json.Decoder(StaffMandated).decode


class Question(questions.Waiting, questions.Page):
    area: Area | None = None
    as_of: Annotated[Day | None, Field(description="The day; without it, the one that was opened last")] = None


class Mandate(BaseModel):
    area: str
    staff: str
    role: Literal["finance", "approver"]
    role_name: Name
    limit: Annotated[Yuan, Field(description="For all that the person approves for one payee on one day")]
    valid_from: date
    valid_to: Annotated[date | None, Field(description="The last day; null where none was said")]
    approvers: Annotated[list[str], Field(description="The two people of the office who said it")]


MANDATES: examples.Json = {
    "as_of": "2026-03-02",
    "mandates": [
        {
            "area": samples.AREA,
            "staff": "staff-7c41",
            "role": "approver",
            "role_name": examples.name("审批岗", "approver"),
            "limit": "800000.00",
            "valid_from": "2026-03-01",
            "valid_to": None,
            "approvers": ["staff-5d03", "staff-88b6"],
        }
    ],
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(MANDATES)

    as_of: Annotated[date | None, Field(description="Null while no day was opened: then nobody may approve")]
    mandates: list[Mandate]
    next: str | None
    positions: Positions


@router.get("/v1/mandates", responses=answers.or_problems(*answers.PAGING), summary="Who may approve payments")
async def mandates(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """By area and person, those whose mandate holds on a day: what was said of each person last decides, as it does
    when somebody approves. What was said before that, and who agreed to it, is in `GET /v1/proposals`.
    """
    pages = Pages(here.cursor_key, questions.sealed("mandates", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(SQL.mandates, LANE, reach.whole_areas(within))
        day = question.as_of or await knowledge.today(connection)
        positions = await answers.positions(connection, [LANE])
    rows = _holding(last_said(_mandated(row["body"]) for row in found), day)
    later = [row for row in rows if question.cursor is None or (row["area"], row["person"]) > after]
    shown, following = pages.cut(later[: question.limit + 1], question.limit)
    return Answer(as_of=day, mandates=[_told(row["said"]) for row in shown], next=following, positions=positions)


def _holding(known: Mandates, day: date | None) -> Sequence[dict[str, object]]:
    """By area and person, on a day."""
    return [
        {"area": area, "person": person, "said": said}
        for area, person in sorted(known.known)
        if day is not None and (said := known.of(area, person, day)) is not None
    ]


def _told(said: StaffMandated) -> Mandate:
    return Mandate(
        area=said.area,
        staff=said.staff_ref,
        role=said.role,
        role_name=ROLES[said.role],
        limit=said.limit,
        valid_from=said.valid_from,
        valid_to=said.valid_to,
        approvers=said.approvers or [],
    )
