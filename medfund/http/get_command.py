"""GET /v1/commands/{id}: what became of a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from medfund.events import envelope
from medfund.events.codec import Accepted
from medfund.events.disputes import FactDisputed
from medfund.events.kinds import Event
from medfund.http import answers, commands, problems
from medfund.http.answers import Name
from medfund.http.api import Api, Kind
from medfund.http.commands import SQL, KindName
from medfund.http.context import Caller, Context, Here
from medfund.http.tokens import Principal
from medfund.lanes import decisions

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


class Answer(BaseModel):
    command: str
    kind: KindName
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


@dataclass(frozen=True)
class Outcomes:
    """The endpoint, for the commands of one service."""

    router: APIRouter


def of(api: Api) -> Outcomes:
    router = APIRouter()
    kinds = {kind.name: kind for kind in api.commands}

    @router.get(
        "/v1/commands/{id}",
        responses=answers.or_problems("not_found", "log_unavailable", "question_too_slow"),
        summary="What became of a command",
    )
    async def command(
        id: Annotated[
            str,
            Path(pattern=rf"^({'|'.join(kinds)})-[0-9a-f]{{32}}$", examples=["hold-0123456789abcdef0123456789abcdef"]),
        ],
        caller: Caller,
        here: Here,
    ) -> Answer:
        """PENDING until it was decided; DONE with the decisions that answered it; DECLINED where what a person said
        does not count, for a reason of each decision; DISPUTED where it contradicts what was decided before; REFUSED
        where the event itself was. What goes to every lane is DONE when all of them have read it.
        """
        return await _found(caller, here, id, kinds, tuple(api.declines))

    return Outcomes(router)


async def _found(
    caller: Principal, here: Context, id: str, kinds: Mapping[str, Kind], declines: tuple[type[Event], ...]
) -> Answer:
    async with here.database.snapshot(caller) as connection:
        row = await commands.kept(connection, caller, here, id)
        if row is None:
            raise problems.unknown("command")
        identity, lanes = commands.identity(here, id), commands.lanes_of(here, row["lane"])
        found = await connection.fetch(SQL.accepted, lanes, [identity])
        refused = await connection.fetchrow(SQL.refused, lanes, identity, row["provider"])
    kind = kinds[row["kind"]]
    if len(found) < len(lanes):
        return _answer(here, row, kind, Outcome("REFUSED", **refused) if refused else Outcome("PENDING"), None, [])
    place = Place(found[0]["topic"], row["lane"], found[0]["offset"]) if row["lane"] is not None else None
    if kind.learned or place is None:
        return _answer(here, row, kind, Outcome("DONE"), place, [])
    decided = await _decisions(here, place)
    return _answer(here, row, kind, _outcome([one.event for one in decided], declines), place, decided)


def _outcome(decisions: Sequence[Event], declines: tuple[type[Event], ...]) -> Outcome:
    if disputed := next((one for one in decisions if isinstance(one, FactDisputed)), None):
        return Outcome("DISPUTED", detail=disputed.detail)
    declined: list[Any] = [one for one in decisions if isinstance(one, declines)]
    if not declined:
        return Outcome("DONE" if decisions else "PENDING")
    of = f"{len(declined)} of {len(decisions)}: " if len(decisions) > 1 else ""
    return Outcome("DECLINED", getattr(declined[0], "code", None), f"{of}{declined[0].detail}")


async def _decisions(here: Context, place: Place) -> list[Accepted]:
    """The whole answer to a fact, from the log; nothing while part of it is not there."""
    first = {_identity(here, place, 1, of): of for of in range(1, ANSWERS_MAX + 1)}
    rows = await here.database.rows(SQL.accepted, [place.lane], list(first))
    if not rows:
        return []
    of = first[rows[0]["identity"]]
    wanted = [_identity(here, place, number, of) for number in range(1, of + 1)]
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


def _identity(here: Context, cause: Place, number: int, of: int) -> bytes:
    """Of a decision: its id is made of its cause and its place in the answer."""
    return envelope.identity_of(f"/{here.service.name}".encode(), decisions.id_of(*cause, number, of).encode())


def _answer(
    here: Context, row: Any, kind: Kind, outcome: Outcome, place: Place | None, decided: list[Accepted]
) -> Answer:
    return Answer(
        command=row["id"],
        kind=kind.name,
        provider=row["provider"],
        area=row["area"],
        source=commands.source(here),
        type=kind.type,
        asked_at=row["at"],
        state=outcome.state,
        state_name=STATES[outcome.state],
        position=":".join(map(str, place)) if place else None,
        decisions=[
            Decided(
                type=one.type,
                position=f"{here.service.own}:{one.record.partition}:{one.record.offset}",
                data=msgspec.to_builtins(one.event),
            )
            for one in decided
        ],
        reason=outcome.reason,
        detail=outcome.detail,
    )
