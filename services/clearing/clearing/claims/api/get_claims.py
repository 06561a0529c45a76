"""GET /v1/claims: claim batches by due date: what is overdue, what soon will be, how old it is."""

from datetime import date
from operator import itemgetter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator

from clearing.api import knowledge, naming, samples
from clearing.claims.api import named
from clearing.claims.api.working_days import Ageing, WorkedDays, horizon
from clearing.claims.claim import Claim
from clearing.funds import fens
from medfund import codes
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.events.claims import ClaimBatchRejected, Submission
from medfund.http import answers, examples, questions, reach, waiting
from medfund.http.answers import ByFund, Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.problems import Problem
from medfund.http.questions import Day, DueBetween, OfProvider
from medfund.http.wording import Wrong

router = APIRouter()
ORDER = {"due": date, "lane": int, "provider": str, "ref": str}
State = Literal["IN_REVIEW", "APPROVED", "WITHDRAWN", "REJECTED"]
STATES: dict[State, Name] = {
    "IN_REVIEW": Name(zh="待审", en="in review"),
    "APPROVED": Name(zh="已审定", en="approved"),
    "WITHDRAWN": Name(zh="已撤回", en="withdrawn"),
    "REJECTED": Name(zh="校验未通过", en="rejected"),
}
ERRORS: dict[str, Name] = {
    "BATCH_KNOWN": Name(zh="批次号已使用", en="the name is taken"),
    "PERIOD": Name(zh="申报日期早于费用期间结束", en="it was submitted before its period was over"),
    "NO_SETTLEMENTS": Name(zh="没有结算记录", en="it has no settlements"),
    "COUNT": Name(zh="结算人次不符", en="the number of settlements differs"),
    "AMOUNT": Name(zh="基金金额不符或超限", en="the amount of a fund differs, or is too large"),
    "DAY": Name(zh="该日已记录金额", en="what is recorded on a day"),
    "ROOT": Name(zh="结算明细不符", en="they are not the same settlements"),
    "TWICE": Name(zh="同一结算重复记录", en="a settlement was recorded more than once"),
    "ADVANCED": Name(zh="垫付基金不符", en="the funds that others bear differ"),
    "NO_POLICY": Name(zh="当日无适用政策", en="no policy holds on its day"),
    "NOT_ACTIVE": Name(zh="该日协议未生效", en="the hospital was not under agreement on a day"),
}
"""What is wrong with a claim that is rejected."""


class Question(questions.Waiting, questions.Page, OfProvider, DueBetween):
    state: State | None = None
    rejected: Annotated[
        bool | None,
        Field(description="Whether the last submission under its name was rejected, also where a claim of it lives"),
    ] = None
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

    @property
    def of_rejected(self) -> bool:
        """Whether claims that were rejected are asked for: they are due on no day."""
        days = ("due_before", "due_after", "overdue", "at_risk", "ageing")
        if self.rejected is False:
            return False
        return self.state in (None, "REJECTED") and all(getattr(self, name) is None for name in days)

    @model_validator(mode="after")
    def _a_day_to_look_from(self) -> "Question":
        asked = [name for name in ("overdue", "at_risk", "ageing") if getattr(self, name) is not None]
        if asked and self.as_of is None:
            raise Wrong(f"give `as_of` with `{asked[0]}`", f"`{asked[0]}` 须同时给出 `as_of`")
        return self


class Flaw(BaseModel):
    code: str
    code_name: Name
    detail: str
    fund: Annotated[str | None, Field(description="Where it is about one")]
    day: Annotated[date | None, Field(description="Where it is about one")]


class Rejection(BaseModel):
    """A submission that was rejected: nothing of it is claimed."""

    submitted_on: date
    amounts: Annotated[list[ByFund], Field(description="What it said, by fund")]
    total: Yuan
    errors: Annotated[list[Flaw], Field(description="Everything that is wrong with it, but for ends of long lists")]


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
    cut_off: Annotated[date | None, Field(description="Its clock runs from the day after; null where it never ran")]
    due: Annotated[date | None, Field(description="15 working days; the first day it can be while `latest` is given")]
    latest: date | None
    due_limit: Annotated[date | None, Field(description="20 working days")]
    state: State
    state_name: Name
    rejection: Annotated[
        Rejection | None, Field(description="What was submitted last under this name, where that was rejected")
    ]
    paid: Annotated[bool, Field(description="Nothing of it is in review, on its way or left to be paid")]
    paid_on: Annotated[date | None, Field(description="The bank's day of its last payment, once it is paid")]
    working_days: Annotated[int | None, Field(description="After its cut-off, up to `as_of`; null without it")]
    claimed: Yuan
    in_review: Yuan
    deducted: Yuan
    approved: Yuan
    payable: Annotated[Yuan, Field(description="Approved and not paid yet, what is ordered included")]


SUMS = {
    "claimed": "2556789.49",
    "in_review": "0.00",
    "deducted": "29230.55",
    "undone": "0.00",
    "approved": "2527558.94",
    "bond": "103538.49",
    "p1": "2301110.54",
    "advance": "0.00",
    "payable": "0.00",
    "held": "0.00",
    "ordered": "0.00",
}
BATCH_IN_A_LIST: examples.Json = {
    "batch": samples.BATCH,
    "provider": samples.PROVIDER,
    "provider_name": samples.PROVIDER_NAME,
    "area": samples.AREA,
    "insured_area": samples.AREA,
    "insutype": "310",
    "clr_type": "21",
    "clr_type_name": examples.name("住院", "Inpatient"),
    "clr_way": "3",
    "mode": "MONTH",
    "period_from": "2026-01-01",
    "period_to": "2026-01-31",
    "settlements": 4211,
    "submitted_on": "2026-02-06",
    "cut_off": "2026-02-10",
    "due": "2026-03-09",
    "latest": None,
    "due_limit": "2026-03-16",
    "state": "APPROVED",
    "state_name": examples.name("已审定", "approved"),
    "rejection": None,
    "paid": True,
    "paid_on": "2026-03-05",
    "working_days": 16,
    **{item: SUMS[item] for item in ("claimed", "in_review", "deducted", "approved", "payable")},
}
_NOTHING = dict.fromkeys(("claimed", "in_review", "deducted", "approved", "payable"), "0.00")
REJECTED_IN_A_LIST: examples.Json = {
    **BATCH_IN_A_LIST,
    **dict.fromkeys(("cut_off", "due", "due_limit", "paid_on", "working_days")),
    **_NOTHING,
    "batch": "H15250200017-310-21-202602",
    "period_from": "2026-02-01",
    "period_to": "2026-02-28",
    "settlements": 3790,
    "submitted_on": "2026-03-05",
    "state": "REJECTED",
    "state_name": examples.name("校验未通过", "rejected"),
    "paid": False,
    "rejection": {
        "submitted_on": "2026-03-05",
        "amounts": samples.funds({"310100": "1900000.38"}),
        "total": "1900000.38",
        "errors": [
            {
                "code": "AMOUNT",
                "code_name": examples.name("基金金额不符或超限", "the amount of a fund differs, or is too large"),
                "detail": "claimed 1900000.38, recorded 1900000.37, a difference of 0.01",
                "fund": "310100",
                "day": None,
            }
        ],
    },
}
CLAIMS: examples.Json = {
    "as_of": "2026-03-10",
    "claims": [REJECTED_IN_A_LIST, BATCH_IN_A_LIST],
    "claimed": "2556789.49",
    "payable": "0.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(CLAIMS)

    as_of: date | None
    claims: list[Batch]
    claimed: Annotated[Yuan, Field(description="The sum of what was claimed in this answer")]
    payable: Annotated[Yuan, Field(description="The sum of what is approved and not paid in this answer")]
    next: str | None
    positions: Positions


@router.get("/v1/claims", responses=answers.or_problems(*answers.PAGING), summary="Claim batches by due date")
async def claims(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Claim batches, the first that is due first; those that were rejected by the day on which they were submitted.

    What is late or soon will be is judged as of a day that you give. Its money is what stands at the positions named.
    """
    pages = Pages(here.cursor_key, questions.sealed("claims", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        calendar = await knowledge.calendar(connection, next(iter(within.lanes), 0))
        whose, page = (within.lanes, within.areas, within.parties), (*after, question.limit + 1)
        found = await connection.fetch(named.SQL.claims, *whose, *_narrowing(question, calendar), *page)
        if question.of_rejected:
            found += await connection.fetch(named.SQL.rejections, *whose, None, *page)
            found = sorted(found, key=itemgetter(*ORDER))[: question.limit + 1]
        names = await naming.names(connection, within.lanes, (row["provider"] for row in found))
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    batches = [named.claim_of(row["body"]) for row in rows if row["body"] is not None]
    worked = _worked(calendar, question.as_of)
    return Answer(
        as_of=question.as_of,
        positions=positions,
        claims=[_listed(row, worked, names.get(row["provider"])) for row in rows],
        claimed=answers.total_of(claim.claimed for claim in batches),
        payable=answers.total_of(claim.payable for claim in batches),
        next=following,
    )


def _listed(row: Any, worked: WorkedDays | None, provider_name: str | None) -> Batch:
    rejection = named.rejection_of(row["rejection"])
    if rejection is not None and row["body"] is None:
        return rejected(rejection, provider_name)
    return batch(named.claim_of(row["body"]), worked, provider_name, rejection)


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
        answers.day_text(first) or None, answers.day_text(last) or None, question.rejected,
    )  # fmt: skip


def batch(
    claim: Claim, worked: WorkedDays | None, provider_name: str | None, rejection: ClaimBatchRejected | None
) -> Batch:
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
        rejection=None if rejection is None else _rejection(rejection),
        paid=paid,
        paid_on=claim.last_paid if paid else None,
        working_days=worked.since(claim.cut_off) if worked else None,
        claimed=answers.total(claim.claimed),
        in_review=answers.total(claim.in_review),
        deducted=answers.total(claim.deducted),
        approved=answers.total(claim.approved),
        payable=answers.total(claim.payable),
    )


def rejected(event: ClaimBatchRejected, provider_name: str | None) -> Batch:
    """A submission that was rejected, under whose name no claim lives."""
    said, nothing = _said(event), answers.total({})
    return Batch(
        batch=event.batch,
        provider=event.provider,
        provider_name=provider_name,
        area=event.area,
        insured_area=event.insured_area,
        insutype=event.insutype,
        clr_type=event.clr_type,
        clr_type_name=Name(**codes.label(codes.CLR_TYPES, event.clr_type)._asdict()),
        clr_way=said.clr_way,
        mode=said.mode,
        period_from=said.period_from,
        period_to=said.period_to,
        settlements=said.settlements,
        submitted_on=said.submitted_on,
        cut_off=None,
        due=None,
        latest=None,
        due_limit=None,
        state="REJECTED",
        state_name=STATES["REJECTED"],
        rejection=_rejection(event),
        paid=False,
        paid_on=None,
        working_days=None,
        claimed=nothing,
        in_review=nothing,
        deducted=nothing,
        approved=nothing,
        payable=nothing,
    )


def _said(event: ClaimBatchRejected) -> Submission:
    if event.submission is None:
        raise ValueError(f"{event.batch}: kept without what was submitted")
    return event.submission


def _rejection(event: ClaimBatchRejected) -> Rejection:
    said = _said(event)
    amounts = fens(said.amounts)
    return Rejection(
        submitted_on=said.submitted_on,
        amounts=answers.by_fund(amounts),
        total=answers.total(amounts),
        errors=[
            Flaw(code=one.code, code_name=ERRORS[one.code], detail=one.detail, fund=one.fund, day=one.day)
            for one in event.errors
        ],
    )
