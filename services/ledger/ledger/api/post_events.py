"""POST /v1/events: facts over HTTP, checked before anything is sent, each with its own outcome."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ledger.api import event_schemas, examples, publishing
from ledger.api.publishing import Passed, Turned
from medfund.events import envelope
from medfund.http import answers, auditing, bodies
from medfund.http.appending import Placed
from medfund.http.context import Caller, Context, Here
from medfund.http.examples import of as example_of
from medfund.http.openapi import COMPONENTS
from medfund.http.problems import Problem
from medfund.lanes import sources
from medfund.lanes.sources import Sources

router = APIRouter()

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"
ONE_BYTES_MAX = 1 << 20
BATCH_BYTES_MAX = 16 << 20
EVENTS_MAX = 10_000
"""Per request: above that, `medfund publish` is the tool."""

MISSING = {
    "not_acknowledged": ("日志未及时确认", "It may be on the log or not. Send it again: it is not doubled"),
    "not_sent": ("未及时发送", "Time ran out before it was sent: it is not on the log. Send it again"),
}

_documents = msgspec.json.Decoder(list[msgspec.Raw])


class Outcome(BaseModel):
    """What became of one event, in the order in which they came."""

    id: str | None
    source: str | None
    accepted: Annotated[bool, Field(description="The log has it, and said so in time")]
    topic: str | None = None
    lane: int | None = None
    offset: int | None = None
    position: Annotated[str | None, Field(description="For `wait_for` when reading")] = None
    positions: Annotated[list[str] | None, Field(description="Of an event that goes to every lane")] = None
    reason: Annotated[str | None, Field(description="Stable code of the refusal, or of what was not told in time")] = (
        None
    )
    reason_zh: str | None = None
    detail: str | None = None


class Answer(BaseModel):
    model_config = example_of(examples.PUBLISHED)

    accepted: int
    refused: int
    missing: Annotated[int, Field(description="Not refused, and in time the log did not say that it has them")]
    events: list[Outcome]


_EVENT = {"$ref": f"{COMPONENTS}{event_schemas.EVENT}"}
_BODY = {
    ONE: {"schema": _EVENT, "example": examples.SETTLEMENT},
    BATCH: {"schema": {"type": "array", "items": _EVENT, "maxItems": EVENTS_MAX}, "example": [examples.SETTLEMENT]},
    LINES: {"schema": {"type": "string"}, "example": examples.SETTLEMENT_LINE},
}


@router.post(
    "/v1/events",
    status_code=202,
    openapi_extra={"requestBody": {"required": True, "content": _BODY}},
    responses={
        207: {"model": Answer, "description": "Each says whether the log has it: some were refused, or time ran out"},
        **answers.or_problems(
            "body_malformed", "scope_not_allowed", "not_yours_to_say", "body_too_slow", "body_too_large",
            "media_type_unsupported", "event_refused", "too_much", "log_unavailable",
        ),
    },
    summary="Publish events",
)  # fmt: skip
async def publish(request: Request, response: Response, caller: Caller, here: Here) -> Answer:
    """One CloudEvent in structured or in binary form (`ce-` headers, `data` as the body), a JSON array of them, or one
    on each line.

    Each is checked as the ledger will check it; what passes is on the log when this answers. `data` goes to the log as
    the bytes you sent. What only the books know (an unregistered provider, a conflict with another event of this id) is
    judged when it is booked: ask `GET /v1/events/{source}/{id}`. Sending an event again is harmless.
    """
    single, documents = await _documents_of(request)
    now_ms = time.time_ns() // 1_000_000
    events = (
        map(envelope.from_json, documents)
        if not _is_binary(request)
        else [envelope.from_http(request.headers.items(), documents[0])]
    )
    read = [publishing.check(event, caller, lanes=here.lanes, now_ms=now_ms) for event in events]
    known = await _sources(here, [one for one in read if isinstance(one, Passed)])
    checked = [publishing.said(one, known) if isinstance(one, Passed) else one for one in read]
    refused = [one for one in checked if isinstance(one, Turned)]
    if single and refused:
        await _refuse(request, here, refused[0])
    await auditing.record(request, here.database, caller, "asked", _summary(documents, refused))
    passed = [one for one in checked if isinstance(one, Passed)]
    placed = iter(await here.appending.place([message for one in passed for message in one.messages]))
    outcomes = [_told(one, placed) if isinstance(one, Passed) else _refused(one) for one in checked]
    accepted = sum(outcome.accepted for outcome in outcomes)
    response.status_code = 202 if accepted == len(outcomes) else 207
    return Answer(
        accepted=accepted,
        refused=len(refused),
        missing=len(outcomes) - accepted - len(refused),
        events=outcomes,
    )


async def _sources(here: Context, passed: Sequence[Passed]) -> Mapping[int, Sources]:
    """By lane: what it has heard of the sources of some events."""
    lanes, named = sorted({one.lane for one in passed}), sorted({one.source for one in passed})
    rows = await here.database.rows(sources.SQL.registered, lanes, named) if passed else []
    return {lane: sources.heard(tuple(row)[1:] for row in rows if row["lane"] == lane) for lane in lanes}


async def _refuse(request: Request, here: Context, turned: Turned) -> None:
    """A request of one event ends with that event's refusal."""
    if turned.forbidden:
        await here.access.refuse(request, turned.reason, turned.detail)
    raise Problem("event_refused", turned.detail, reason=turned.reason, reason_zh=turned.zh)


def _told(passed: Passed, placed: Iterator[Placed]) -> Outcome:
    """What the log told of an event; of one for every lane, whether it has all of it."""
    places = [next(placed) for _ in passed.messages]
    if any(place.offset is None for place in places):
        code = "not_acknowledged" if any(place.sent for place in places) else "not_sent"
        zh, detail = MISSING[code]
        return Outcome(id=passed.id, source=passed.source, accepted=False, reason=code, reason_zh=zh, detail=detail)
    positions = [
        f"{message.family}:{message.lane}:{place.offset}"
        for message, place in zip(passed.messages, places, strict=True)
    ]
    topic, lane, offset = positions[0].split(":")
    return Outcome(
        id=passed.id,
        source=passed.source,
        accepted=True,
        topic=topic,
        lane=int(lane),
        offset=int(offset),
        position=positions[0],
        positions=positions if len(positions) > 1 else None,
    )


def _refused(turned: Turned) -> Outcome:
    return Outcome(
        id=turned.id,
        source=turned.source,
        accepted=False,
        reason=turned.reason,
        reason_zh=turned.zh,
        detail=turned.detail,
    )


def _summary(documents: Sequence[bytes], refused: Sequence[Turned]) -> dict[str, Any]:
    """For the audit: how many, and a digest by which a body can be recognised. Not what they say."""
    digest = hashlib.sha256(b"\n".join(documents)).hexdigest()
    return {"events": len(documents), "refused": Counter(one.reason for one in refused), "sha256": digest}


async def _documents_of(request: Request) -> tuple[bool, Sequence[bytes]]:
    """The events of a body, each as the bytes that were sent, and whether it can only be one."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in (ONE, "application/json") or _is_binary(request):
        return True, [await bodies.read(request, bytes_max=ONE_BYTES_MAX)]
    if media_type == BATCH:
        documents = _array(await bodies.read(request, bytes_max=BATCH_BYTES_MAX))
        if not documents:
            return False, []
    elif media_type in (LINES, "application/jsonl"):
        body = await bodies.read(request, bytes_max=BATCH_BYTES_MAX)
        documents = [line for line in body.split(b"\n") if line.strip()]
    else:
        raise Problem("media_type_unsupported", f"Send {ONE}, {BATCH}, {LINES}, or ce- headers and the data")
    if not 0 < len(documents) <= EVENTS_MAX:
        raise Problem("too_much" if documents else "body_malformed", f"1 to {EVENTS_MAX} events are taken at once")
    return False, documents


def _is_binary(request: Request) -> bool:
    """By CloudEvents' rule: what is no other mode, with attributes in its headers."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type not in (ONE, BATCH, LINES, "application/jsonl") and any(
        name.startswith(envelope.HTTP_PREFIX) for name in request.headers
    )


def _array(body: bytes) -> list[bytes]:
    try:
        return [bytes(document) for document in _documents.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("body_malformed", "The body is not a JSON array") from error
