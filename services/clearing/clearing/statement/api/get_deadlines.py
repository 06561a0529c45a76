"""GET /v1/claims/{provider}/{batch}/deadlines: when a claim is to be paid, and the days that were counted for it."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from clearing import clock
from clearing.api import samples
from clearing.statement.api import reading, targets
from medfund.calendar import Calendar, CalendarNotLoaded
from medfund.events.claims import Target
from medfund.http import answers, examples
from medfund.http.answers import Name, Positions, ProviderName
from medfund.http.context import Caller, Here
from medfund.http.questions import Party, Ref

router = APIRouter()
SATURDAY = 5
Reason = Literal["WEEKDAY", "MAKE_UP_DAY", "WEEKEND", "HOLIDAY"]
REASONS: dict[Reason, Name] = {
    "WEEKDAY": Name(zh="工作日", en="working day"),
    "MAKE_UP_DAY": Name(zh="调休上班", en="weekend day that is worked by the notice"),
    "WEEKEND": Name(zh="周末", en="weekend"),
    "HOLIDAY": Name(zh="放假", en="day off by the notice"),
}


class Deadline(BaseModel):
    target: Target
    target_name: Name
    working_days: int | None
    due: date
    latest: Annotated[date | None, Field(description="Given while no calendar covers the span: it lies between both")]
    state: targets.State
    state_name: Name
    paid_on: Annotated[date | None, Field(description="The bank's day of the last payment, once it is paid in full")]


class Counted(BaseModel):
    day: date
    counted: bool
    number: Annotated[int | None, Field(description="The how manieth working day it is")]
    reason: Reason
    reason_name: Name


DEADLINE: examples.Json = {
    "target": "WD_15",
    "target_name": examples.name("15个工作日", "15 working days"),
    "working_days": 15,
    "due": "2026-03-09",
    "latest": None,
    "state": "MET",
    "state_name": examples.name("按时", "met"),
    "paid_on": "2026-03-05",
}
DEADLINES: examples.Json = {
    "batch": samples.BATCH,
    "provider": samples.PROVIDER,
    "provider_name": samples.PROVIDER_NAME,
    "period_to": "2026-01-31",
    "submitted_on": "2026-02-06",
    "cut_off": "2026-02-10",
    "clock_start": "2026-02-11",
    "calendar_version": "cn-2024-2026-30451dc4",
    "deadlines": [DEADLINE],
    "days": [
        {
            "day": "2026-02-14",
            "counted": True,
            "number": 4,
            "reason": "MAKE_UP_DAY",
            "reason_name": examples.name("调休上班", "weekend day that is worked by the notice"),
        }
    ],
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(DEADLINES)

    batch: str
    provider: str
    provider_name: ProviderName
    period_to: date
    submitted_on: date
    cut_off: date
    clock_start: Annotated[date, Field(description="The day after the cut-off")]
    calendar_version: str
    deadlines: list[Deadline]
    days: Annotated[
        list[Counted] | None,
        Field(description="Every day from the clock's start to the 20th working day; null where no calendar covers it"),
    ]
    positions: Positions


@router.get(
    "/v1/claims/{provider}/{batch:path}/deadlines",
    responses=answers.or_problems("not_found", "question_too_slow"),
    summary="The deadlines of a claim batch, with their evidence",
)
async def deadlines(
    provider: Annotated[Party, Path()], batch: Annotated[Ref, Path()], caller: Caller, here: Here
) -> Answer:
    """15 and 20 working days after the cut-off, and the end of the next month: when each was met or passed.

    Each day of the span is there with whether it counted and why, by the calendar whose version is named.
    """
    month = await reading.month(caller, here, provider, batch, findings_of="NONE")
    claim = month.claim
    return Answer(
        batch=claim.ref,
        provider=claim.dimensions.provider,
        provider_name=month.institution.name,
        period_to=claim.period_to,
        submitted_on=claim.submitted_on,
        cut_off=claim.cut_off,
        clock_start=clock.next_day(claim.cut_off),
        calendar_version=month.calendar.version,
        positions=month.positions,
        deadlines=[told(one) for one in targets.of(month)],
        days=_days(month.calendar, claim.cut_off, claim.due_limit),
    )


def told(one: targets.Deadline) -> Deadline:
    return Deadline(
        **one._asdict(), target_name=targets.NAMES[one.target], state_name=targets.state_name(one.target, one.state)
    )


def _days(calendar: Calendar, cut_off: date, until: date) -> list[Counted] | None:
    try:
        evidence = clock.evidence(calendar, cut_off, until)
    except CalendarNotLoaded:
        return None
    return list(_numbered(set(evidence.counted), sorted([*evidence.counted, *evidence.not_counted])))


def _numbered(counted: set[date], days: list[date]) -> Iterator[Counted]:
    number = 0
    for day in days:
        number += day in counted
        reason = _reason(day, counted=day in counted)
        yield Counted(
            day=day,
            counted=day in counted,
            number=number if day in counted else None,
            reason=reason,
            reason_name=REASONS[reason],
        )


def _reason(day: date, *, counted: bool) -> Reason:
    weekend = day.weekday() >= SATURDAY
    if counted:
        return "MAKE_UP_DAY" if weekend else "WEEKDAY"
    return "WEEKEND" if weekend else "HOLIDAY"
