"""GET /v1/events/{source}/{id}: what became of an event."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from ledger.api import examples
from medfund.events import envelope
from medfund.events.codec import Accepted
from medfund.events.disputes import FactDisputed
from medfund.events.refusals import Reason
from medfund.http import answers, questions, reach, waiting
from medfund.http.context import Caller, Context, Here
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem
from medfund.http.tokens import Principal
from medfund.lanes import decisions
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "events.sql")
PREFIX = "/v1/events/"
SHOWN_MAX = 20


class Question(questions.Waiting):
    pass


class Place(BaseModel):
    lane: int
    topic: str
    offset: int


class Disputed(BaseModel):
    """What the event says contradicts what was decided before it: nothing follows from it."""

    position: Annotated[str, Field(description="Where clearing says so")]
    detail: str


class AcceptedAt(Place):
    recorded_at: Annotated[datetime, Field(description="When the log took it, by the broker's clock")]
    type: str
    effect: Annotated[Literal["applied", "none_by_rule"], Field(description="Whether it moved the books")]
    disputed: Annotated[
        Disputed | None, Field(description="Where clearing has answered that nothing follows from it, and why")
    ]


class Repeats(BaseModel):
    count: int
    places: Annotated[list[Place], Field(description=f"The first {SHOWN_MAX} of them")]


class Refusal(Place):
    recorded_at: datetime
    reason: str
    reason_zh: str
    reason_en: str
    detail: str


class Refusals(BaseModel):
    count: int
    places: Annotated[list[Refusal], Field(description=f"The last {SHOWN_MAX} of them")]


class Answer(BaseModel):
    model_config = example_of(examples.EVENT)

    source: str
    id: str
    outcome: Literal["accepted", "refused"]
    accepted: Annotated[AcceptedAt | None, Field(description="The delivery that counts")]
    duplicates: Annotated[Repeats, Field(description="Further deliveries of the same content: no effect")]
    refusals: Annotated[Refusals, Field(description="Deliveries that were refused, e.g. other content under this id")]


@router.get(
    "/v1/events/{source:path}/{id}",
    responses=answers.or_problems("event_unknown", "log_unavailable", "question_too_slow", "not_booked_yet"),
    summary="What became of an event",
)
async def event(
    request: Request,
    source: Annotated[
        str, Path(description="As in the event, its slashes as they are or as %2F", examples=["/gateway/152500"])
    ],
    id: Annotated[
        str, Path(description="As in the event; a slash in it as %2F", examples=["152500202503041015300001"])
    ],
    question: Annotated[Question, Query()],
    caller: Caller,
    here: Here,
) -> Answer:
    """Accepted and where, delivered again, or refused and why. An event that nobody has seen yet is a 404 with the
    outcome `unknown`; with `wait_for` the answer comes after that position is booked.
    """
    source, id = _named(request)
    if not caller.may_speak_as(source):
        raise _unknown()
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    accepted, repeats, refused = await _deliveries(source, id, caller, here)
    taken = await _taken(accepted[0], caller, here) if accepted else None
    if taken is None and not refused:
        raise _unknown()
    return Answer(
        source=source,
        id=id,
        outcome="accepted" if taken else "refused",
        accepted=taken,
        duplicates=Repeats(count=_count(repeats), places=[Place(**_place(row)) for row in repeats] if taken else []),
        refusals=Refusals(count=_count(refused), places=[_refusal(row) for row in refused]),
    )


def _named(request: Request) -> tuple[str, str]:
    """Source and id from the path as it was sent: a slash inside an id is only there told from one between them."""
    _, _, rest = request.scope["raw_path"].decode("ascii").partition(PREFIX)
    source, _, id = rest.rpartition("/")
    return unquote(source), unquote(id)


def _unknown() -> Problem:
    return Problem("event_unknown", "Nothing was read from the log under this source and id", outcome="unknown")


async def _deliveries(source: str, id: str, caller: Principal, here: Context) -> tuple[Sequence[Any], ...]:
    if envelope.named("source", source) or envelope.named("id", id):
        return (), (), ()
    identity = envelope.identity_of(source.encode(), id.encode())
    lanes = list(range(here.lanes))
    async with here.database.snapshot(caller) as connection:
        return (
            await connection.fetch(SQL.accepted, lanes, identity),
            await connection.fetch(SQL.repeats, lanes, identity, SHOWN_MAX),
            await connection.fetch(SQL.refused, lanes, identity, SHOWN_MAX, *reach.refused(caller)),
        )


async def _taken(row: Any, caller: Principal, here: Context) -> AcceptedAt | None:
    """The delivery that counts, where the caller may see it: its record on the log says what it is."""
    record = await here.reading.record(row["lane"], row["topic"], row["offset"])
    decoded = here.service.decode([record], row["topic"])[0]
    if not isinstance(decoded, Accepted) or not reach.accepted(caller, decoded.event):
        return None
    return AcceptedAt(
        **_place(row),
        recorded_at=_instant(record.timestamp),
        type=decoded.type,
        effect="none_by_rule" if decoded.type in here.service.silent else "applied",
        disputed=await _disputed(row, caller, here),
    )


async def _disputed(row: Any, caller: Principal, here: Context) -> Disputed | None:
    """Where nothing follows from a fact, its dispute is the whole answer, so that its id is known."""
    id = decisions.id_of(row["topic"], row["lane"], row["offset"], 1, 1)
    identity = envelope.identity_of(b"/clearing", id.encode())
    async with here.database.snapshot(caller) as connection:
        answer = await connection.fetchrow(SQL.accepted, [row["lane"]], identity)
    if answer is None:
        return None
    record = await here.reading.record(answer["lane"], answer["topic"], answer["offset"])
    decoded = here.service.decode([record], answer["topic"])[0]
    if not isinstance(decoded, Accepted) or not isinstance(decoded.event, FactDisputed):
        return None
    return Disputed(position="{topic}:{lane}:{offset}".format(**answer), detail=decoded.event.detail)


def _refusal(row: Any) -> Refusal:
    reason = Reason(row["reason"])
    return Refusal(
        **_place(row),
        recorded_at=row["appended_at"],
        reason=reason.value,
        reason_zh=reason.zh,
        reason_en=reason.en,
        detail=row["detail"],
    )


def _place(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in ("lane", "topic", "offset")}


def _count(rows: Sequence[Any]) -> int:
    return rows[0]["deliveries"] if rows else 0


def _instant(appended_ms: int) -> datetime:
    return datetime.fromtimestamp(appended_ms / 1000, UTC)
