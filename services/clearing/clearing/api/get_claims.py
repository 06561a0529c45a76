"""GET /v1/claims: claim batches by due date: what is overdue, what soon will be, how old it is."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator

from clearing.api import examples, filters, naming, reading
from clearing.api.filters import DueBetween, OfProvider, ProviderName
from clearing.api.working_days import Ageing, WorkedDays, horizon
from clearing.claims.claim import Claim
from medfund import codes
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem
from medfund.http.questions import Day
from medfund.http.wording import Wrong

router = APIRouter()
ORDER = {"due": date, "lane": int, "provider": str, "ref": str}
State = Literal["IN_REVIEW", "APPROVED", "WITHDRAWN"]
STATES: dict[State, Name] = {
    "IN_REVIEW": Name(zh="待审", en="in review"),
    "APPROVED": Name(zh="已审定", en="approved"),
    "WITHDRAWN": Name(zh="已撤回", en="withdrawn"),
}


class Question(questions.Waiting, questions.Page, OfProvider, DueBetween):
    state: State | None = None
    as_of: Annotated[
        Day | None, Field(description="The day that `overdue`, `at_risk` and `ageing` look from: the API has no clock")
    ] = None
    overdue: Annotated[bool | None, Field(description="Whether it was due before `as_of` and is not paid in full")] = (
        None
    )
    at_risk: Annotated[
        int | None,
        Field(ge=0, le=30, description="Not paid in full, and due in at most so many working days, `as_of` included"),
    ] = None
    ageing: Annotated[
        Ageing | None, Field(description="Not paid in full, and so many working days after its cut-off")
    ] = None

    @model_validator(mode="after")
    def _a_day_to_look_from(self) -> "Question":
        asked = [name for name in ("overdue", "at_risk", "ageing") if getattr(self, name) is not None]
        if asked and self.as_of is None:
            raise Wrong(f"give `as_of` with `{asked[0]}`", f"`{asked[0]}` 须同时给出 `as_of`")
        return self


class Batch(BaseModel):
    batch: str
    provider: str
    provider_name: ProviderName
    area: str
    insured_area: str
    insutype: str
    clr_type: str
    clr_type_name: Name
    clr_way: str
    mode: Literal["MONTH", "WEEK", "DAY"]
    period_from: date
    period_to: date
    settlements: int
    submitted_on: date
    cut_off: Annotated[date, Field(description="Its clock runs from the day after")]
    due: Annotated[date, Field(description="15 working days; the first day it can be while `latest` is given")]
    latest: date | None
    due_limit: Annotated[date, Field(description="20 working days")]
    state: State
    state_name: Name
    paid: Annotated[bool, Field(description="Nothing of it is in review, on its way or left to be paid")]
    paid_on: Annotated[date | None, Field(description="The bank's day of its last payment, once it is paid")]
    working_days: Annotated[int | None, Field(description="After its cut-off, up to `as_of`; null without it")]
    claimed: Yuan
    in_review: Yuan
    deducted: Yuan
    approved: Yuan
    payable: Annotated[Yuan, Field(description="Approved and not paid yet, what is ordered included")]


class Answer(BaseModel):
    model_config = example_of(examples.CLAIMS)

    as_of: date | None
    claims: list[Batch]
    claimed: Annotated[Yuan, Field(description="The sum of what was claimed in this answer")]
    payable: Annotated[Yuan, Field(description="The sum of what is approved and not paid in this answer")]
    next: str | None
    positions: Positions


@router.get("/v1/claims", responses=answers.or_problems(*answers.PAGING), summary="Claim batches by due date")
async def claims(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Claim batches, the first that is due first.

    What is late or soon will be is judged as of a day that you give. Its money is what stands at the positions named.
    """
    pages = Pages(here.cursor_key, questions.sealed("claims", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        calendar = await reading.calendar_of(connection, next(iter(within.lanes), 0))
        found = await connection.fetch(
            reading.SQL.claims, within.lanes, within.areas, within.parties, *_narrowing(question, calendar), *after,
            question.limit + 1,
        )  # fmt: skip
        names = await naming.names(connection, within.lanes, (row["provider"] for row in found))
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    batches = [reading.claim_of(row["body"]) for row in rows]
    worked = _worked(calendar, question.as_of)
    return Answer(
        as_of=question.as_of,
        positions=positions,
        claims=[batch(claim, worked, names.get(claim.dimensions.provider)) for claim in batches],
        claimed=filters.total_of(claim.claimed for claim in batches),
        payable=filters.total_of(claim.payable for claim in batches),
        next=following,
    )


def _worked(calendar: Calendar, as_of: date | None) -> WorkedDays | None:
    try:
        return None if as_of is None else WorkedDays.until(calendar, as_of)
    except CalendarNotLoaded:
        return None


def _narrowing(question: Question, calendar: Calendar) -> tuple[Any, ...]:
    """Parameters of the query from the state on. Raises `Problem` where no calendar covers `as_of`."""
    due_before, due_after, first, last = question.due_before, question.due_after, None, None
    unpaid = question.at_risk is not None or question.ageing is not None
    as_of = question.as_of
    try:
        if question.at_risk is not None and as_of is not None:
            soon = horizon(calendar, as_of, question.at_risk) + questions.ONE_DAY
            due_before = min(due_before or soon, soon)
            due_after = max(due_after or as_of - questions.ONE_DAY, as_of - questions.ONE_DAY)
        if question.ageing is not None and as_of is not None:
            first, last = WorkedDays.until(calendar, as_of).cut_offs(question.ageing)
    except CalendarNotLoaded as error:
        raise Problem("parameter_invalid", f"as_of: {error}") from error
    return (
        question.state, due_before, due_after, None if question.overdue is None else as_of, question.overdue, unpaid,
        filters.day_text(first) or None, filters.day_text(last) or None,
    )  # fmt: skip


def batch(claim: Claim, worked: WorkedDays | None, provider_name: str | None) -> Batch:
    mine, paid = claim.dimensions, claim.live and not claim.unpaid
    return Batch(
        batch=claim.ref,
        provider=mine.provider,
        provider_name=provider_name,
        area=mine.area,
        insured_area=mine.insured_area,
        insutype=mine.insutype,
        clr_type=mine.clr_type,
        clr_type_name=Name(**codes.label(codes.CLR_TYPES, mine.clr_type)._asdict()),
        clr_way=claim.clr_way,
        mode=claim.mode,
        period_from=claim.period_from,
        period_to=claim.period_to,
        settlements=claim.settlements,
        submitted_on=claim.submitted_on,
        cut_off=claim.cut_off,
        due=claim.due,
        latest=claim.latest,
        due_limit=claim.due_limit,
        state=claim.status,
        state_name=STATES[claim.status],
        paid=paid,
        paid_on=claim.last_paid if paid else None,
        working_days=worked.since(claim.cut_off) if worked else None,
        claimed=filters.total(claim.claimed),
        in_review=filters.total(claim.in_review),
        deducted=filters.total(claim.deducted),
        approved=filters.total(claim.approved),
        payable=filters.total(claim.payable),
    )
