"""Commands: what people ask for becomes an event, which the service answers as it answers any other fact.

The event's id is made of what the command is about (its business keys), so that asking twice is asking once. A row
keeps what was asked first: the same keys with other content are refused at once, whoever asks, however many at a time.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from fastapi import Request
from pydantic import BaseModel

from clearing.api import examples
from clearing.dimensions import Dimensions
from medfund.events import envelope
from medfund.events.envelope import Envelope
from medfund.events.kinds import KINDS
from medfund.http import answers, auditing, bodies, reach
from medfund.http.appending import Message
from medfund.http.context import Context
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem
from medfund.http.tokens import Principal
from medfund.postgres import queries
from medfund.publish import drafts

SQL = queries.load(__file__, "commands.sql")
SOURCE = "/clearing/commands"
BODY_BYTES_MAX = 64 << 10
ID_PATTERN = r"^(withdraw|appeal|hold|release)-[0-9a-f]{32}$"
Kind = Literal["withdraw", "appeal", "hold", "release"]
TYPES: dict[Kind, str] = {
    "withdraw": "claim.batch.withdrawal.requested.v1",
    "appeal": "audit.appeal.filed.v1",
    "hold": "payment.hold.placed.v1",
    "release": "payment.hold.released.v1",
}

PROBLEMS = answers.or_problems(
    "body_malformed", "body_too_large", "body_too_slow", "media_type_unsupported", "not_found", "ambiguous",
    "event_refused", "command_conflict", "log_unavailable", "question_too_slow",
)  # fmt: skip

_dimensions = msgspec.json.Decoder(Dimensions).decode


@dataclass(frozen=True)
class Command:
    """`keys` say which command it is, `data` what the event says."""

    kind: Kind
    keys: tuple[str | int, ...]
    lane: int
    data: dict[str, Any]

    @property
    def id(self) -> str:
        digest = hashlib.sha256(msgspec.json.encode((self.kind, *self.keys)))
        return f"{self.kind}-{digest.hexdigest()[:32]}"

    @property
    def type(self) -> str:
        return TYPES[self.kind]


class Given(BaseModel):
    """Where to look for the outcome; the same however often it is given."""

    model_config = example_of(examples.GIVEN)

    command: str
    kind: Kind
    source: str
    type: str
    look: str


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI's description of a command's body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


async def read(request: Request, model: type[bodies.Model]) -> bodies.Model:
    return await bodies.read_as(request, model, bytes_max=BODY_BYTES_MAX)


async def payable(caller: Principal, here: Context, ref: str, provider: str | None) -> tuple[int, Dimensions]:
    """The lane and the dimensions of a claim or a recovery that the caller may see. Raises `Problem`."""
    within = reach.of(caller, area=None, party=provider, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(SQL.payable, within.lanes, within.areas, within.parties, ref)
    if not rows:
        raise Problem("not_found")
    if len(rows) > 1:
        raise Problem("ambiguous", "Several payables have this name: give `provider`")
    return rows[0]["lane"], _dimensions(rows[0]["dimensions"])


async def give(request: Request, caller: Principal, here: Context, command: Command) -> Given:
    """Audited, kept, and on the log when this returns. Raises `Problem`; then it may be given again."""
    _check(command)
    await auditing.record(request, here.database, caller, "asked", {"command": command.id})
    kept = await _keep(caller, here, command)
    if msgspec.json.decode(kept["body"]) != command.data:
        await here.access.refuse(request, "command_conflict", "Ask with other keys, or with the same content")
    if not await _is_accepted(here, command):
        await here.appending.append([_message(command, kept["at"])])
    return Given(
        command=command.id, kind=command.kind, source=SOURCE, type=command.type, look=f"/v1/commands/{command.id}"
    )


def _event(command: Command, at: datetime) -> Envelope:
    """The same bytes for the same command: the time is that of the first asking."""
    data = msgspec.json.encode(command.data, order="sorted")
    return Envelope(id=command.id, source=SOURCE, type=command.type, time=at.astimezone(UTC).isoformat(), data=data)


def _check(command: Command) -> None:
    """What the contract says of the event. Raises `Problem`."""
    document = envelope.to_json(_event(command, datetime.now(UTC)))
    if wrong := drafts.check(document, now_ms=time.time_ns() // 1_000_000):
        raise Problem("event_refused", wrong.detail, reason=wrong.reason.value, reason_zh=wrong.reason.zh)


def _message(command: Command, at: datetime) -> Message:
    event, kind = _event(command, at), KINDS[command.type]
    key = command.data["provider"].encode()
    return Message(kind.family, command.lane, key, event.data, envelope.headers(event))


async def _keep(caller: Principal, here: Context, command: Command) -> Any:
    """The row of the command: this one, or the one that was given before."""
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    async with here.database.change(caller) as connection:
        await connection.execute(
            SQL.keep, command.id, datetime.now(UTC), caller.subject, caller.role.value, command.kind, command.lane,
            KINDS[command.type].family, command.data["provider"], command.data["area"],
            msgspec.json.encode(command.data).decode(),
        )  # fmt: skip
        row = await connection.fetchrow(SQL.kept, command.id, within.lanes, within.areas, within.parties)
    if row is None:
        raise Problem("not_found")
    return row


async def _is_accepted(here: Context, command: Command) -> bool:
    identity = envelope.identity_of(SOURCE.encode(), command.id.encode())
    return bool(await here.database.rows(SQL.accepted, command.lane, [identity]))
