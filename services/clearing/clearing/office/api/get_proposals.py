"""GET /v1/proposals: what waits for a second person, and what two have agreed to."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.office.api import proposals
from clearing.office.api.proposals import SQL, Proposal
from clearing.office.proposals import Kind
from medfund.http import answers, examples, questions, reach
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.questions import Area

router = APIRouter()
ORDER = {"proposed_at": str, "area": str, "proposal_ref": str}


class Question(questions.Page):
    area: Area | None = None
    kind: Kind | None = None
    open: Annotated[bool | None, Field(description="Whether it waits for a second person")] = None


PROPOSALS: examples.Json = {"proposals": [proposals.PROPOSED], "next": None}


class Answer(BaseModel):
    model_config = examples.of(PROPOSALS)

    proposals: list[Proposal]
    next: str | None


@router.get(
    "/v1/proposals",
    responses=answers.or_problems(*answers.PAGING),
    summary="What was proposed to another person of the office",
)
async def proposals_of_the_office(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """The oldest first, each with who asked, who agreed and, while it waits, what it would change now."""
    pages = Pages(here.cursor_key, questions.sealed("proposals", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.several, reach.whole_areas(within), question.kind, question.open, *after, question.limit + 1
        )
        found, following = pages.cut(rows, question.limit)
        told = [await proposals.told(connection, here, row) for row in found]
    return Answer(proposals=told, next=following)
