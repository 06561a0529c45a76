"""Commands: what people ask for becomes an event, which the service answers as it answers any other fact.

The event's id is made of what the command is about (its business keys), so that asking twice is asking once. A row
keeps what was asked first: the same keys with other content are refused at once, whoever asks, however many at a time.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn, get_args

import msgspec
from fastapi import Request
from pydantic import BaseModel

from clearing.api import foreseeing
from clearing.office import proposals
from medfund.events import envelope
from medfund.events.codec import Accepted
from medfund.events.envelope import Envelope
from medfund.events.kinds import KINDS
from medfund.http import answers, auditing, bodies, examples, problems, reach
from medfund.http.appending import Message
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.tokens import EVERYTHING, Principal
from medfund.lanes import partition
from medfund.postgres import queries
from medfund.publish import drafts

SQL = queries.load(__file__, "commands.sql")
SOURCE = "/clearing/commands"
BODY_BYTES_MAX = 64 << 10
Kind = Literal[
    "withdraw",
    "appeal",
    "hold",
    "release",
    "approve",
    "retry",
    "receive",
    "confirm",
    "run",
    "place",
    "request",
    "apply",
    "recall",
    "mandate",
    "source",
    "policy",
    "balance",
    "item",
]
ID_PATTERN = rf"^({'|'.join(get_args(Kind))})-[0-9a-f]{{32}}$"
TYPES: dict[Kind, str] = {
    "withdraw": "claim.batch.withdrawal.requested.v1",
    "appeal": "audit.appeal.filed.v1",
    "hold": "payment.hold.placed.v1",
    "release": "payment.hold.released.v1",
    "approve": "payment.approval.given.v1",
    "retry": "payment.retry.requested.v1",
    "receive": "payment.confirmed.v1",
    "confirm": "provider.account.confirmed.v1",
    "run": "payment.run.opened.v1",
    "place": "suspense.placing.requested.v1",
    "request": "treasury.funds.requested.v1",
    "apply": "prepayment.applied.v1",
    "recall": "prepayment.recall.ordered.v1",
    "mandate": proposals.TYPES["mandate"],
    "source": proposals.TYPES["source"],
    "policy": proposals.TYPES["policy"],
    "balance": proposals.TYPES["balance"],
    "item": proposals.TYPES["item"],
}
LEARNED: frozenset[Kind] = frozenset({"run", "request", "mandate", "source", "policy", "balance"})
"""What these ask for is done as soon as every lane that it goes to has read it: no decision needs to answer it."""

CODES = (
    "body_malformed", "body_too_large", "body_too_slow", "media_type_unsupported", "not_found", "event_refused",
    "command_conflict", "would_be_declined", "log_unavailable", "question_too_slow",
)  # fmt: skip
PROBLEMS = answers.or_problems(*CODES)


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

    @property
    def id(self) -> str:
        digest = hashlib.sha256(msgspec.json.encode((self.kind, *self.keys)))
        return f"{self.kind}-{digest.hexdigest()[:32]}"

    @property
    def type(self) -> str:
        return TYPES[self.kind]

    @property
    def about(self) -> list[str]:
        """By which auditors find it."""
        return [*map(str, self.keys), *self.named]

    @property
    def area(self) -> str:
        return proposals.filed_under(self.data)


ID = "hold-5f0c1d2e3a4b59687786a5b4c3d2e1f0"
GIVEN: examples.Json = {
    "command": ID,
    "kind": "hold",
    "source": "/clearing/commands",
    "type": "payment.hold.placed.v1",
    "look": f"/v1/commands/{ID}",
}


class Given(BaseModel):
    """Where to look for the outcome; the same however often it is given."""

    model_config = examples.of(GIVEN)

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


async def give(request: Request, caller: Principal, here: Context, command: Command) -> Given:
    """Audited, kept, and on the log when this returns. Raises `Problem`; then it may be given again."""
    check(command)
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
    return given(command)


async def conflict(request: Request, here: Context, about: Sequence[str]) -> NoReturn:
    await here.access.refuse(request, "command_conflict", "Ask with other keys, or with the same content", about=about)


def given(command: Command) -> Given:
    return Given(
        command=command.id, kind=command.kind, source=SOURCE, type=command.type, look=f"/v1/commands/{command.id}"
    )


def of_area(caller: Principal, here: Context, area: str) -> int:
    """The lane of what belongs to a whole area, for those who speak for all of it. Raises `Problem`."""
    if not caller.may_see_area(area) or EVERYTHING not in caller.organisations:
        raise problems.unknown("area")
    return partition.lane_of(area.encode(), here.lanes)


def _event(command: Command, at: datetime) -> Envelope:
    """The same bytes for the same command: the time is that of the first asking."""
    data = msgspec.json.encode(command.data, order="sorted")
    return Envelope(id=command.id, source=SOURCE, type=command.type, time=at.astimezone(UTC).isoformat(), data=data)


def check(command: Command) -> None:
    """What the contract says of the event. Raises `Problem`."""
    document = envelope.to_json(_event(command, datetime.now(UTC)))
    if wrong := drafts.check(document, now_ms=time.time_ns() // 1_000_000):
        raise Problem("event_refused", wrong.detail, reason=wrong.reason.value, reason_zh=wrong.reason.zh)


async def foresee(request: Request, here: Context, command: Command) -> None:
    """What its lane is certain to decline is not kept, but for who asked. Raises `Problem`."""
    if command.lane is None:
        return
    now = datetime.now(UTC)
    event = _event(command, now)
    message = _message(command, event, command.lane, here.lanes)
    declined = await foreseeing.declined(
        here,
        Accepted(
            record=foreseeing.record(
                topic=f"{here.prefix}.{message.family}", lane=command.lane, key=message.key, value=message.value,
                headers=message.headers, at_ms=round(now.timestamp() * 1000),
            ),
            source=SOURCE, id=command.id, type=command.type, time=event.time, identity=identity(command.id), digest=b"",
            event=KINDS[command.type].decoder.decode(event.data),
        ),
    )  # fmt: skip
    if declined is not None:
        await here.access.refuse(
            request, "would_be_declined", declined.detail, about=command.about, reason=declined.reason,
            detail_zh=declined.detail_zh,
        )  # fmt: skip


async def keep(connection: Connection, caller: Principal, here: Context, command: Command) -> Any:
    """The row of the command: this one, or the one that was given before."""
    await connection.execute(
        SQL.keep, command.id, datetime.now(UTC), caller.subject, caller.role.value, command.kind, command.lane,
        KINDS[command.type].family, command.data.get("provider"), command.area,
        msgspec.json.encode(command.data).decode(), msgspec.json.encode(command.asked).decode(),
    )  # fmt: skip
    row = await kept(connection, caller, here, command.id)
    if row is None:
        raise problems.unknown("command")
    return row


async def kept(connection: Connection, caller: Principal, here: Context, id: str) -> Any:
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    return await connection.fetchrow(SQL.kept, id, within.lanes, within.areas, within.parties)


async def deliver(here: Context, command: Command, at: datetime) -> None:
    """To each lane that has not accepted it: whatever kept it from the log before, asking again puts it there."""
    lanes = lanes_of(here, command.lane)
    rows = await here.database.rows(SQL.accepted, lanes, [identity(command.id)])
    if missing := set(lanes) - {row["lane"] for row in rows}:
        event = _event(command, at)
        await here.appending.append([_message(command, event, lane, here.lanes) for lane in sorted(missing)])


def _message(command: Command, event: Envelope, lane: int, lanes: int) -> Message:
    kind = KINDS[command.type]
    key = partition.lane_key(lane, lanes) if kind.key == "lane" else command.data[kind.key].encode()
    return Message(kind.family, lane, key, event.data, envelope.headers(event))


def lanes_of(here: Context, lane: int | None) -> list[int]:
    """Where a command goes."""
    return list(range(here.lanes)) if lane is None else [lane]


def identity(id: str) -> bytes:
    """Of a command's event."""
    return envelope.identity_of(SOURCE.encode(), id.encode())
