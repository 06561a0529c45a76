"""Whether an event may go to the log: what the contract says of it, its publisher's token, and the registry of sources.

Pure. What a lane would refuse for its source is refused here first, by the same rule.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from medfund.events import codec, speakers
from medfund.events.codec import Accepted, Refused
from medfund.events.envelope import Envelope, Outgoing
from medfund.events.kinds import KINDS
from medfund.events.refusals import Problem, Reason
from medfund.http.appending import Message
from medfund.http.problems import KINDS as PROBLEMS
from medfund.http.tokens import Principal
from medfund.lanes.sources import Sources
from medfund.publish import drafts


class Passed(NamedTuple):
    """An event that may go, as one record, or one for each lane."""

    event: Accepted
    messages: list[Message]

    @property
    def id(self) -> str:
        return self.event.id

    @property
    def source(self) -> str:
        return self.event.source

    @property
    def lane(self) -> int:
        return self.messages[0].lane


class Turned(NamedTuple):
    """An event that may not, and why: a reason of the contract, or a problem of the token (`forbidden`)."""

    id: str | None
    source: str | None
    reason: str
    zh: str
    detail: str
    forbidden: bool = False


def check(event: Envelope | Problem, principal: Principal, *, lanes: int, now_ms: int) -> Passed | Turned:
    """Judge one event as it was read, first by the contract, then by the token; `said` judges what passes."""
    if isinstance(event, Problem):
        return _turned(None, None, event.reason, event.detail)
    sketch = drafts.of(event)
    messages = [Message(sketch.family, lane, key, sketch.value, sketch.headers) for lane, key in sketch.keys(lanes)]
    verdict = _decode(messages[0], lanes, now_ms)
    if isinstance(verdict, Refused):
        return _turned(verdict.id, verdict.source, verdict.reason, verdict.detail)
    if speakers.is_reserved(verdict.source):
        return _forbidden(verdict, "not_yours_to_say", f"Nobody speaks as {verdict.source} over HTTP")
    if lacks := _beyond_token(verdict, principal):
        return _forbidden(verdict, "scope_not_allowed", f"The token does not speak {lacks}")
    return Passed(verdict, messages)


def said(passed: Passed, known: Mapping[int, Sources]) -> Passed | Turned:
    """Judge by what the lane of an event has heard of its source."""
    event = passed.event
    found = known[passed.lane].may_say(event.source, event.type, event.event, event.record.timestamp)
    return _forbidden(event, "not_yours_to_say", found) if isinstance(found, str) else passed


def _decode(message: Message, lanes: int, now_ms: int) -> Accepted | Refused:
    record = Outgoing(
        topic=message.family,
        partition=message.lane,
        offset=0,
        timestamp=now_ms,
        key=message.key,
        value=message.value,
        headers=message.headers,
    )
    return codec.decode(record, family=message.family, lanes=lanes)


def _turned(id: str | None, source: str | None, reason: Reason, detail: str) -> Turned:
    return Turned(id, source, reason.value, reason.zh, detail)


def _forbidden(event: Accepted, code: str, detail: str) -> Turned:
    return Turned(event.id, event.source, code, PROBLEMS[code].zh, detail, forbidden=True)


def _beyond_token(accepted: Accepted, principal: Principal) -> str | None:
    """For whom the caller may not speak. The codec has checked that the key is the organisation's."""
    event: Any = accepted.event
    if not principal.may_speak_as(accepted.source):
        return "as this source"
    if not principal.may_see_area(getattr(event, "area", None)):
        return "for this area"
    kind = KINDS[accepted.type]
    said_by = speakers.said_by(kind)
    speaking = speakers.spoken_for(event, said_by & speakers.REGISTRABLE or said_by)
    if kind.key == "provider" and not principal.may_see_organisation(*speaking):
        return "for this organisation"
    return None
