"""Commands: what people ask of a deciding service becomes an event, which it answers as it answers any other fact.

The event's id is made of what the command is about (its business keys), so that asking twice is asking once. A row
keeps what was asked first: the same keys with other content are refused at once, whoever asks, however many at a time.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel, Field

from medfund.events import envelope
from medfund.events.codec import Accepted
from medfund.events.envelope import Envelope, Outgoing
from medfund.events.kinds import KINDS
from medfund.http import answers, auditing, bodies, openapi, problems, reach
from medfund.http.api import Kind
from medfund.http.appending import Message
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.tokens import EVERYTHING, Principal
from medfund.lanes import partition
from medfund.postgres import queries
from medfund.publish import drafts

SQL = queries.load(__file__, "commands.sql")
BODY_BYTES_MAX = 64 << 10
CODES = (
    "body_malformed", "body_too_large", "body_too_slow", "media_type_unsupported", "not_found", "event_refused",
    "command_conflict", "would_be_declined", "log_unavailable", "question_too_slow",
)  # fmt: skip
PROBLEMS = answers.or_problems(*CODES)
NEWEST = 10**15
"""The offset of what is not on the log yet."""
KindName = Annotated[str, Field(json_schema_extra={"enum": [openapi.COMMANDS]})]


@dataclass(frozen=True)
class Command:
    """`keys` say which command it is, `data` what the event says."""

    kind: Kind
    keys: tuple[str | int, ...]
    lane: int | None
    """None: a copy goes to every lane."""
    data: dict[str, Any]
    asked: dict[str, Any] | None = None
    """What was asked for, where the event was made of more than that."""
    named: tuple[str, ...] = ()
    """What it is about besides its keys."""
    filed: str | None = None
    """In which area it is found, where its event names no single one."""

    @property
    def id(self) -> str:
        digest = hashlib.sha256(msgspec.json.encode((self.kind.name, *self.keys)))
        return f"{self.kind.name}-{digest.hexdigest()[:32]}"

    @property
    def about(self) -> list[str]:
        """By which auditors find it."""
        return [*map(str, self.keys), *self.named]

    @property
    def area(self) -> str:
        return self.filed or self.data["area"]


class Given(BaseModel):
    """Where to look for the outcome; the same however often it is given."""

    command: str
    kind: KindName
    source: str
    type: str
    look: str


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI's description of a command's body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


async def read(request: Request, model: type[bodies.Model]) -> bodies.Model:
    return await bodies.read_as(request, model, bytes_max=BODY_BYTES_MAX)


async def give(request: Request, response: Response, caller: Principal, here: Context, command: Command) -> Given:
    """Audited, kept, and on the log when this returns. Raises `Problem`; then it may be given again."""
    check(here, command)
    async with here.database.snapshot(caller) as connection:
        before = await kept(connection, caller, here, command.id)
    if before is None:
        await foresee(request, here, command)
    await auditing.record(request, here.database, caller, "asked", {"command": command.id, "about": command.about})
    async with here.database.change(caller) as connection:
        row = await keep(connection, caller, here, command)
    if msgspec.json.decode(row["body"]) != command.data:
        await conflict(request, here, command.about)
    await deliver(here, command, row["at"])
    return given(here, command, response)


async def conflict(request: Request, here: Context, about: Sequence[str]) -> NoReturn:
    await here.access.refuse(request, "command_conflict", "Ask with other keys, or with the same content", about=about)


def given(here: Context, command: Command, response: Response) -> Given:
    look = response.headers["location"] = f"/v1/commands/{command.id}"
    return Given(command=command.id, kind=command.kind.name, source=source(here), type=command.kind.type, look=look)


def source(here: Context) -> str:
    """Who says what people ask of a service."""
    return f"/{here.service.name}/commands"


def of_area(caller: Principal, here: Context, area: str) -> int:
    """The lane of what belongs to a whole area, for those who speak for all of it. Raises `Problem`."""
    if not caller.may_see_area(area) or EVERYTHING not in caller.organisations:
        raise problems.unknown("area")
    return partition.lane_of(area.encode(), here.lanes)


def _event(here: Context, command: Command, at: datetime) -> Envelope:
    """The same bytes for the same command: the time is that of the first asking."""
    data = msgspec.json.encode(command.data, order="sorted")
    return Envelope(
        id=command.id, source=source(here), type=command.kind.type, time=at.astimezone(UTC).isoformat(), data=data
    )


def check(here: Context, command: Command) -> None:
    """What the contract says of the event. Raises `Problem`."""
    document = envelope.to_json(_event(here, command, datetime.now(UTC)))
    if wrong := drafts.check(document, now_ms=time.time_ns() // 1_000_000):
        raise Problem("event_refused", wrong.detail, reason=wrong.reason.value, reason_zh=wrong.reason.zh)


async def foresee(request: Request, here: Context, command: Command) -> None:
    """What its lane is certain to decline is not kept, but for who asked. Raises `Problem`."""
    if command.lane is None or here.foresee is None:
        return
    if declined := await here.foresee(here, _accepted(here, command, command.lane, datetime.now(UTC))):
        await here.access.refuse(
            request, "would_be_declined", declined.detail, about=command.about, reason=declined.reason,
            detail_zh=declined.detail_zh,
        )  # fmt: skip


def _accepted(here: Context, command: Command, lane: int, at: datetime) -> Accepted:
    """As it would be read from the log."""
    event = _event(here, command, at)
    message = _message(command, event, lane, here.lanes)
    record = Outgoing(
        topic=f"{here.prefix}.{message.family}", partition=lane, offset=NEWEST, timestamp=round(at.timestamp() * 1000),
        key=message.key, value=message.value, headers=message.headers,
    )  # fmt: skip
    return Accepted(
        record=record, source=event.source, id=command.id, type=event.type, time=event.time,
        identity=identity(here, command.id), digest=b"", event=KINDS[event.type].decoder.decode(event.data),
    )  # fmt: skip


async def keep(connection: Connection, caller: Principal, here: Context, command: Command) -> Any:
    """The row of the command: this one, or the one that was given before."""
    await connection.execute(
        SQL.keep, command.id, datetime.now(UTC), caller.subject, caller.role.value, command.kind.name, command.lane,
        KINDS[command.kind.type].family, command.data.get("provider"), command.area,
        msgspec.json.encode(command.data).decode(), msgspec.json.encode(command.asked).decode(),
    )  # fmt: skip
    row = await kept(connection, caller, here, command.id)
    if row is None:
        raise problems.unknown("command")
    return row


async def kept(connection: Connection, caller: Principal, here: Context, id: str) -> Any:
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    return await connection.fetchrow(SQL.kept, id, within.lanes, *within.predicates)


async def deliver(here: Context, command: Command, at: datetime) -> None:
    """To each lane that has not accepted it: whatever kept it from the log before, asking again puts it there."""
    lanes = lanes_of(here, command.lane)
    rows = await here.database.rows(SQL.accepted, lanes, [identity(here, command.id)])
    if missing := set(lanes) - {row["lane"] for row in rows}:
        event = _event(here, command, at)
        await here.appending.append([_message(command, event, lane, here.lanes) for lane in sorted(missing)])


def _message(command: Command, event: Envelope, lane: int, lanes: int) -> Message:
    kind = KINDS[command.kind.type]
    key = partition.lane_key(lane, lanes) if kind.key == "lane" else command.data[kind.key].encode()
    return Message(kind.family, lane, key, event.data, envelope.headers(event))


def lanes_of(here: Context, lane: int | None) -> list[int]:
    """Where a command goes."""
    return list(range(here.lanes)) if lane is None else [lane]


def identity(here: Context, id: str) -> bytes:
    """Of a command's event."""
    return envelope.identity_of(source(here).encode(), id.encode())
