"""Whether an event may go to the log: what the contract says of it, and what its publisher's token says. Pure."""

import re
from typing import Any, NamedTuple

from ledger.api.roles import FAMILIES
from medfund.events import codec
from medfund.events.codec import Accepted, Refused
from medfund.events.envelope import Outgoing
from medfund.events.kinds import KINDS
from medfund.events.refusals import Problem, Reason
from medfund.http.appending import Message
from medfund.http.problems import KINDS as PROBLEMS
from medfund.http.tokens import Principal
from medfund.publish import drafts
from medfund.publish.drafts import Draft

_OWN = re.compile(r"/(ledger|clearing|direct-pay)(/|$)").match
"""Sources of our own services, for which nobody else speaks: their ids are made of what they answer or are about."""


class Passed(NamedTuple):
    """An event that may go, as one record, or one for each lane."""

    id: str
    source: str
    messages: list[Message]


class Turned(NamedTuple):
    """An event that may not, and why: a reason of the contract, or a problem of the token (`forbidden`)."""

    id: str | None
    source: str | None
    reason: str
    zh: str
    detail: str
    forbidden: bool = False


def check(document: bytes, principal: Principal, *, lanes: int, now_ms: int) -> Passed | Turned:
    """Judge one event in structured form, first by the contract, then by the token."""
    sketch = drafts.draft(document)
    if isinstance(sketch, Problem):
        return _turned(None, None, sketch.reason, sketch.detail)
    messages = [Message(sketch.family, lane, key, sketch.value, sketch.headers) for lane, key in sketch.keys(lanes)]
    verdict = _decode(messages[0], lanes, now_ms)
    if isinstance(verdict, Refused):
        return _turned(verdict.id, verdict.source, verdict.reason, verdict.detail)
    if problem := _forbidden(verdict, sketch, principal):
        code, detail = problem
        return Turned(verdict.id, verdict.source, code, PROBLEMS[code].zh, detail, forbidden=True)
    return Passed(verdict.id, verdict.source, messages)


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


def _forbidden(accepted: Accepted, sketch: Draft, principal: Principal) -> tuple[str, str] | None:
    """The problem of a caller who may not say this. The codec has checked that the key is the organisation's."""
    if sketch.family not in FAMILIES.get(principal.role, ()):
        return "role_not_allowed", f"A {principal.role} does not publish {sketch.family}"
    if _OWN(accepted.source) or not principal.may_speak_as(accepted.source):
        return "scope_not_allowed", "The token does not speak as this source"
    event: Any = accepted.event
    if not principal.may_see_area(getattr(event, "area", None)):
        return "scope_not_allowed", "The token does not speak for this area"
    if KINDS[accepted.type].key == "provider" and not principal.may_see_organisation(event.provider):
        return "scope_not_allowed", "The token does not speak for this organisation"
    return None
