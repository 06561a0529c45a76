"""GET /v1/commands/{id}: what became of a command."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from clearing.api import commands, samples
from clearing.api.commands import ID_PATTERN, SOURCE, SQL, Kind
from medfund.events import envelope
from medfund.events.codec import Accepted
from medfund.events.disputes import FactDisputed
from medfund.events.kinds import Event
from medfund.events.payments import PaymentApprovalRefused, SuspensePlacingRefused
from medfund.http import answers, examples, problems, reach
from medfund.http.answers import Name
from medfund.http.context import Caller, Context, Here
from medfund.lanes import decisions

router = APIRouter()
ANSWERS_MAX = 600
"""Decisions that one fact can have; they are found by the ids that these would have."""
State = Literal["PENDING", "DONE", "DECLINED", "DISPUTED", "REFUSED"]
STATES: dict[State, Name] = {
    "PENDING": Name(zh="处理中", en="pending"),
    "DONE": Name(zh="已完成", en="done"),
    "DECLINED": Name(zh="未予认可", en="declined, in whole or in part"),
    "DISPUTED": Name(zh="与系统记录不符，未执行", en="not as our records have it: nothing follows from it"),
    "REFUSED": Name(zh="已拒绝", en="refused"),
}


class Decided(BaseModel):
    type: str
    position: str
    data: dict[str, Any]


COMMAND: examples.Json = {
    "command": commands.ID,
    "kind": "hold",
    "provider": samples.PROVIDER,
    "area": samples.AREA,
    "source": "/clearing/commands",
    "type": "payment.hold.placed.v1",
    "asked_at": "2026-03-02T01:15:30.250000Z",
    "state": "DISPUTED",
    "state_name": examples.name("与系统记录不符，未执行", "not as our records have it: nothing follows from it"),
    "position": "reviews:3:5200",
    "decisions": [
        {
            "type": "fact.disputed.v1",
            "position": "clearing:3:97",
            "data": {
                "provider": samples.PROVIDER,
                "area": samples.AREA,
                "cause": {"topic": "reviews", "lane": 3, "offset": 5200},
                "detail": "hold case-2026-0042 is placed already",
            },
        }
    ],
    "reason": None,
    "detail": "hold case-2026-0042 is placed already",
}


class Answer(BaseModel):
    model_config = examples.of(COMMAND)

    command: str
    kind: Kind
    provider: Annotated[str | None, Field(description="Null where it is about a whole area")]
    area: str
    source: str
    type: str
    asked_at: datetime
    state: State
    state_name: Name
    position: Annotated[str | None, Field(description="Where its event stands, once it was read")]
    decisions: Annotated[list[Decided], Field(description="What followed from it, in order")]
    reason: Annotated[str | None, Field(description="Of a refusal, its stable code")]
    detail: Annotated[str | None, Field(description="Of what was declined, disputed or refused, what is wrong")]


class Outcome(NamedTuple):
    state: State
    reason: str | None = None
    detail: str | None = None


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
    """PENDING until it was decided; DONE with the decisions that answered it; DECLINED where what a person said does
    not count, for a reason of each decision; DISPUTED where it contradicts what was decided before; REFUSED where the
    event itself was. A run is DONE when every lane has decided it: `GET /v1/payment-runs/{run}` says what became of it.
    """
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.kept, id, within.lanes, within.areas, within.parties)
        if row is None:
            raise problems.unknown("command")
        identity, lanes = commands.identity(id), commands.lanes_of(here, row["lane"])
        found = await connection.fetch(SQL.accepted, lanes, [identity])
        refused = await connection.fetchrow(SQL.refused, row["lane"], identity, row["provider"])
    if len(found) < len(lanes):
        return _answer(row, Outcome("REFUSED", **refused) if refused else Outcome("PENDING"), None, [])
    place = Place(found[0]["topic"], row["lane"], found[0]["offset"]) if row["lane"] is not None else None
    if row["kind"] in commands.LEARNED or place is None:
        return _answer(row, Outcome("DONE"), place, [])
    decided = await _decisions(here, place)
    return _answer(row, _outcome([one.event for one in decided]), place, decided)


def _outcome(decisions: Sequence[Event]) -> Outcome:
    if disputed := next((one for one in decisions if isinstance(one, FactDisputed)), None):
        return Outcome("DISPUTED", detail=disputed.detail)
    declined = [one for one in decisions if isinstance(one, PaymentApprovalRefused | SuspensePlacingRefused)]
    if not declined:
        return Outcome("DONE" if decisions else "PENDING")
    of = f"{len(declined)} of {len(decisions)}: " if len(decisions) > 1 else ""
    return Outcome("DECLINED", getattr(declined[0], "code", None), f"{of}{declined[0].detail}")


async def _decisions(here: Context, place: Place) -> list[Accepted]:
    """The whole answer to a fact, from the log; nothing while part of it is not there."""
    first = {_identity(place, 1, of): of for of in range(1, ANSWERS_MAX + 1)}
    rows = await here.database.rows(SQL.accepted, [place.lane], list(first))
    if not rows:
        return []
    of = first[rows[0]["identity"]]
    wanted = [_identity(place, number, of) for number in range(1, of + 1)]
    offsets = {row["offset"] for row in await here.database.rows(SQL.accepted, [place.lane], wanted)}
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
    return envelope.identity_of(b"/clearing", decisions.id_of(*cause, number, of).encode())


def _answer(row: Any, outcome: Outcome, place: Place | None, decided: list[Accepted]) -> Answer:
    return Answer(
        command=row["id"],
        kind=row["kind"],
        provider=row["provider"],
        area=row["area"],
        source=SOURCE,
        type=commands.TYPES[row["kind"]],
        asked_at=row["at"],
        state=outcome.state,
        state_name=STATES[outcome.state],
        position=":".join(map(str, place)) if place else None,
        decisions=[
            Decided(
                type=one.type,
                position=f"clearing:{one.record.partition}:{one.record.offset}",
                data=msgspec.to_builtins(one.event),
            )
            for one in decided
        ],
        reason=outcome.reason,
        detail=outcome.detail,
    )
