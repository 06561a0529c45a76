"""GET /v1/commands/{id}: what became of a command."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from clearing.api import commands, examples
from clearing.api.commands import ID_PATTERN, SOURCE, SQL, Kind
from medfund.events import envelope
from medfund.events.clearing import FactDisputed
from medfund.events.codec import Accepted
from medfund.http import answers, reach
from medfund.http.answers import Name
from medfund.http.context import Caller, Context, Here
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem

router = APIRouter()
ANSWERS_MAX = 300
"""Decisions that one fact can have; they are found by the ids that these would have."""
State = Literal["PENDING", "DONE", "DISPUTED", "REFUSED"]
STATES: dict[State, Name] = {
    "PENDING": Name(zh="处理中", en="pending"),
    "DONE": Name(zh="已完成", en="done"),
    "DISPUTED": Name(zh="有争议，未执行", en="disputed: nothing follows from it"),
    "REFUSED": Name(zh="已拒绝", en="refused"),
}


class Decided(BaseModel):
    type: str
    position: str
    data: dict[str, Any]


class Answer(BaseModel):
    model_config = example_of(examples.COMMAND)

    command: str
    kind: Kind
    provider: str
    source: str
    type: str
    asked_at: datetime
    state: State
    state_name: Name
    position: Annotated[str | None, Field(description="Where its event stands, once it was read")]
    decisions: Annotated[list[Decided], Field(description="What followed from it, in order")]
    reason: Annotated[str | None, Field(description="Of a refusal, its stable code")]
    detail: Annotated[str | None, Field(description="Of a dispute or a refusal, what is wrong")]


class Place(NamedTuple):
    topic: str
    lane: int
    offset: int


@router.get(
    "/v1/commands/{id}",
    responses=answers.or_problems("not_found", "log_unavailable", "question_too_slow"),
    summary="What became of a command",
)
async def command(
    id: Annotated[str, Path(pattern=ID_PATTERN, examples=["hold-0123456789abcdef0123456789abcdef"])],
    caller: Caller,
    here: Here,
) -> Answer:
    """PENDING until it was decided; DONE with the decisions that answered it; DISPUTED where it contradicts what was
    decided before; REFUSED where the event itself was.
    """
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.kept, id, within.lanes, within.areas, within.parties)
        if row is None:
            raise Problem("not_found")
        identity = envelope.identity_of(SOURCE.encode(), id.encode())
        accepted = await connection.fetchrow(SQL.accepted, row["lane"], [identity])
        refused = await connection.fetchrow(SQL.refused, row["lane"], identity, row["provider"])
    if accepted is None:
        return _answer(row, "REFUSED" if refused else "PENDING", None, [], refused)
    place = Place(accepted["topic"], row["lane"], accepted["offset"])
    decided = await _decisions(here, place)
    disputed = next((one.event for one in decided if isinstance(one.event, FactDisputed)), None)
    state: State = "DISPUTED" if disputed else "DONE" if decided else "PENDING"
    detail = {"reason": None, "detail": disputed.detail} if disputed else None
    return _answer(row, state, place, decided, detail)


async def _decisions(here: Context, place: Place) -> list[Accepted]:
    """The whole answer to a fact, from the log; nothing while part of it is not there."""
    first = {_identity(place, 1, of): of for of in range(1, ANSWERS_MAX + 1)}
    rows = await here.database.rows(SQL.accepted, place.lane, list(first))
    if not rows:
        return []
    of = first[rows[0]["identity"]]
    wanted = [_identity(place, number, of) for number in range(1, of + 1)]
    offsets = {row["offset"] for row in await here.database.rows(SQL.accepted, place.lane, wanted)}
    if len(offsets) < of:
        return []
    own = here.service.own or ""
    records = [
        record
        async for run in here.reading.stretch(place.lane, own, min(offsets), max(offsets))
        for record in run
        if record.offset in offsets
    ]
    return [one for one in here.service.decode(records, own) if isinstance(one, Accepted)]


def _identity(cause: Place, number: int, of: int) -> bytes:
    """Of a decision: its id is made of its cause and its place in the answer."""
    return envelope.identity_of(b"/clearing", f"{cause.topic}/{cause.lane}/{cause.offset}/{number}-{of}".encode())


def _answer(row: Any, state: State, place: Place | None, decided: list[Accepted], wrong: Any) -> Answer:
    return Answer(
        command=row["id"],
        kind=row["kind"],
        provider=row["provider"],
        source=SOURCE,
        type=commands.TYPES[row["kind"]],
        asked_at=row["at"],
        state=state,
        state_name=STATES[state],
        position=":".join(map(str, place)) if place else None,
        decisions=[
            Decided(
                type=one.type,
                position=f"clearing:{one.record.partition}:{one.record.offset}",
                data=msgspec.to_builtins(one.event),
            )
            for one in decided
        ],
        reason=wrong["reason"] if wrong else None,
        detail=wrong["detail"] if wrong else None,
    )
