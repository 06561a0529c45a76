"""GET /v1/payments: what was ordered and what the bank confirmed, by due date."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import examples, filters, get_claim, reading
from clearing.api.filters import DueBetween, OfProvider, Ref
from clearing.api.get_claim import Paid
from clearing.payments.payment import Status
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.examples import of as example_of

router = APIRouter()
ORDER = {"due": str, "lane": int, "payment_ref": str}


class Question(questions.Waiting, questions.Page, OfProvider, DueBetween):
    state: Status | None = None
    payable: Annotated[Ref | None, Field(description="The batch, or the case of a recovery, that it pays")] = None


class Payment(Paid):
    provider: str
    area: str | None


class Answer(BaseModel):
    model_config = example_of(examples.PAYMENTS)

    positions: Positions
    payments: list[Payment]
    total: Annotated[Yuan, Field(description="The sum of the payments of this answer")]
    next: str | None


@router.get("/v1/payments", responses=answers.or_problems(*answers.PAGING), summary="Payments by due date")
async def payments(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """What was ordered for claims, at once (INSTANT) or after audit (PAYABLE), and the bank's day of what it paid."""
    pages = Pages(here.cursor_key, questions.sealed("payments", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            reading.PAYMENTS.payments, within.lanes, within.areas, within.parties, question.state, question.payable,
            filters.day_text(question.due_before) or None, filters.day_text(question.due_after) or None, *after,
            question.limit + 1,
        )  # fmt: skip
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    paid = [(row["area"], reading.payment_of(row["body"])) for row in rows]
    return Answer(
        positions=positions,
        payments=[Payment(**get_claim.paid(one).model_dump(), provider=one.provider, area=area) for area, one in paid],
        total=filters.total_of(one.amounts for _, one in paid),
        next=following,
    )
