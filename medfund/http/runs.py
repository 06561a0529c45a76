"""Runs over an area: planned as a whole, kept with a hash, agreed to by people, and published in each lane.

What stays true: people agree to what is kept, while it would be planned the same again; nobody agrees who made it, and
nobody counts twice; every event has an id that follows from the plan, so that asking again finishes what a crash broke
off, and doubles nothing.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec
from fastapi import Request
from pydantic import BaseModel, Field

from medfund import faults, people
from medfund.calendar import SHANGHAI
from medfund.events import envelope
from medfund.events.envelope import Envelope
from medfund.events.kinds import KINDS, Event
from medfund.http import answers, auditing, commands, examples, problems
from medfund.http.answers import Name
from medfund.http.appending import Message
from medfund.http.context import Context, Declined
from medfund.http.database import Connection, looking_again
from medfund.http.foreseeing import Words
from medfund.http.tokens import Principal
from medfund.lanes import mandates, partition
from medfund.lanes.mandates import Mandates, Refusal
from medfund.postgres.queries import Queries

SHOWN_MAX = 20
PROBLEMS = answers.or_problems(
    "body_malformed", "body_too_large", "body_too_slow", "media_type_unsupported", "not_found", "command_conflict",
    "log_unavailable", "question_too_slow", "plan_changed", "would_be_declined", "not_for_one_alone",
)  # fmt: skip
HASH = "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607"

State = Literal["WAITING", "APPROVED", "PUBLISHED"]
STATES: dict[State, Name] = {
    "WAITING": Name(zh="待审批", en="to be approved"),
    "APPROVED": Name(zh="已批准，发布中", en="approved, being published"),
    "PUBLISHED": Name(zh="已发布", en="published"),
}


class Yes(BaseModel):
    model_config = {**examples.of({"hash": HASH}), "extra": "forbid"}

    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the plan that the person has seen")]


class Wanted(Protocol):
    """What a plan is asked for."""

    @property
    def plan_ref(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def replaces(self) -> str | None: ...


class Planned(Protocol):
    @property
    def wanted(self) -> Wanted: ...
    @property
    def hash(self) -> str: ...


Plan = TypeVar("Plan", bound=Planned)
Beside = TypeVar("Beside")


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Plan, Beside]):
    """What one kind of run does otherwise than the others."""

    source: str
    type: str
    """Of the events that are published."""
    roles: Collection[str]
    """As many people have to agree, of all of these by their mandates."""
    sql: Queries
    """`keep`, `kept`, `approve` and `approvals`, of tables of its own."""
    decode: Callable[[str], Plan]
    made: Callable[[Connection, Any], Awaitable[Plan]]
    """Of what is wanted, now. Raises `Problem`."""
    changes: Callable[[Plan, Plan], Sequence[str]]
    """What would be another one today, for people; nothing where money follows from none of it."""
    role: Callable[[Connection, Plan, str, Sequence[str]], Awaitable[str | Declined]]
    """In which somebody agrees, beside those who did before, or why not."""
    ids: Callable[[Plan], Sequence[tuple[int, str]]]
    """Lane and id of each event that is published."""
    events: Callable[[Plan, Sequence[str], date], Iterable[Event]]
    """In the same order, by those who agreed, on a day; the same however often they are made."""
    beside: Callable[[Connection, Plan], Awaitable[Beside]]
    """What people see with a plan, of the same moment."""


class Kept(NamedTuple, Generic[Plan, Beside]):
    kind: Kind[Plan, Beside]
    plan: Plan
    made_by: str
    approvals: Sequence[Any]
    published: Collection[bytes]
    """The identities of its events that the lanes have read."""
    beside: Beside

    @property
    def people(self) -> list[str]:
        """Who said yes."""
        return [row["staff_ref"] for row in self.approvals]

    @property
    def approved(self) -> bool:
        roles = {row["role"] for row in self.approvals}
        return people.count(self.people) >= len(self.kind.roles) and roles >= set(self.kind.roles)

    @property
    def state(self) -> State:
        if not self.approved:
            return "WAITING"
        return "PUBLISHED" if len(self.published) == len(self.kind.ids(self.plan)) else "APPROVED"


async def kept(connection: Connection, kind: Kind[Plan, Beside], area: str, plan_ref: str) -> Kept[Plan, Beside]:
    """Raises `Problem`."""
    if found := await _kept(connection, kind, area, plan_ref):
        return found
    raise problems.unknown("plan")


async def _kept(
    connection: Connection, kind: Kind[Plan, Beside], area: str, plan_ref: str
) -> Kept[Plan, Beside] | None:
    row = await connection.fetchrow(kind.sql.kept, area, plan_ref)
    return await _beside(connection, kind, kind.decode(row["body"]), row["made_by"]) if row else None


async def _beside(connection: Connection, kind: Kind[Plan, Beside], plan: Plan, made_by: str) -> Kept[Plan, Beside]:
    """A plan, and what became of it so far."""
    ids = kind.ids(plan)
    lanes, identities = sorted({lane for lane, _ in ids}), [_identity(kind, id) for _, id in ids]
    return Kept(
        kind,
        plan,
        made_by,
        await connection.fetch(kind.sql.approvals, plan.wanted.area, plan.wanted.plan_ref),
        {row["identity"] for row in await connection.fetch(commands.SQL.accepted, lanes, identities)},
        await kind.beside(connection, plan),
    )


async def plan(
    request: Request, caller: Principal, here: Context, kind: Kind[Plan, Beside], wanted: Wanted, *, dry_run: bool
) -> Kept[Plan, Beside]:
    """As it was made, now or before; a dry run is made now, and is not kept. Raises `Problem`."""
    commands.of_area(caller, here, wanted.area)
    found = await looking_again(lambda: _kept_or_made(caller, here, kind, wanted, dry_run=dry_run))
    if found.plan.wanted != wanted:
        await commands.conflict(request, here, [wanted.plan_ref])
    told = {"plan": wanted.plan_ref} | ({"dry_run": True} if dry_run else {})
    await auditing.record(request, here.database, caller, "asked", told)
    return found


async def _kept_or_made(
    caller: Principal, here: Context, kind: Kind[Plan, Beside], wanted: Wanted, *, dry_run: bool
) -> Kept[Plan, Beside]:
    async with here.database.change(caller, isolation="repeatable_read") as connection:
        if wanted.replaces is not None:
            await kept(connection, kind, wanted.area, wanted.replaces)
        found = None if dry_run else await _kept(connection, kind, wanted.area, wanted.plan_ref)
        if found is None:
            made = await kind.made(connection, wanted)
            if not dry_run:
                await _keep(connection, kind, made, caller.subject)
            found = await _beside(connection, kind, made, caller.subject)
        return found


async def _keep(connection: Connection, kind: Kind[Plan, Beside], plan: Plan, made_by: str) -> None:
    wanted, body = plan.wanted, msgspec.json.encode(plan).decode()
    await connection.execute(kind.sql.keep, wanted.plan_ref, wanted.area, plan.hash, made_by, datetime.now(UTC), body)


async def agree(
    request: Request,
    caller: Principal,
    here: Context,
    kind: Kind[Plan, Beside],
    area: str,
    plan_ref: str,
    *,
    at_once: int,
) -> tuple[Kept[Plan, Beside], int]:
    """Somebody says yes, and the last who has to publishes it, some events `at_once`: the plan as it was then, and how
    many there were to publish. Raises `Problem`."""
    asked = await commands.read(request, Yes)
    commands.of_area(caller, here, area)
    found = await looking_again(lambda: _said_yes(request, caller, here, kind, area, plan_ref, asked.hash))
    faults.point("plan.approved")
    async with here.database.snapshot(caller) as connection:  # what the other one has said meanwhile is in it
        found = await _beside(connection, kind, found.plan, found.made_by)
    sent = await _publish(here, found, at_once) if found.approved else 0
    faults.point("plan.published")
    return found, sent


async def _said_yes(
    request: Request, caller: Principal, here: Context, kind: Kind[Plan, Beside], area: str, plan_ref: str, hash: str
) -> Kept[Plan, Beside]:
    """The plan as it was before. Raises `Problem`."""
    async with here.database.change(caller, isolation="repeatable_read") as connection:
        found = await kept(connection, kind, area, plan_ref)
        if hash != found.plan.hash:
            await here.access.refuse(
                request, "plan_changed", f"the plan that is kept is {found.plan.hash}", about=[plan_ref]
            )
        # Said, and written down who said it: together or not at all.
        await auditing.note(request, connection, caller, "asked", {"approved plan": plan_ref, "area": area})
        if not found.approved:
            await _agree(request, connection, caller, here, found)
            faults.point("plan.approving")
        return found


async def _agree(
    request: Request, connection: Connection, caller: Principal, here: Context, found: Kept[Plan, Beside]
) -> None:
    """Raises `Problem`."""
    kind, wanted = found.kind, found.plan.wanted
    refuse = partial(here.access.refuse, request, about=[wanted.plan_ref])
    if people.same(caller.subject, found.made_by):
        await refuse("not_for_one_alone", f"{found.made_by} made the plan: two others approve it")
    if changed := kind.changes(found.plan, await kind.made(connection, wanted)):
        await refuse("plan_changed", "; ".join(changed[:SHOWN_MAX]))
    role = await kind.role(connection, found.plan, caller.subject, found.people)
    if isinstance(role, Declined):
        await refuse("would_be_declined", role.detail, reason=role.reason, detail_zh=role.detail_zh)
    if not people.among(caller.subject, found.people):
        about = wanted.area, wanted.plan_ref, caller.subject, role, datetime.now(UTC)
        await connection.execute(kind.sql.approve, *about)


def mandated(
    known: Mandates, today: date | None, wanted: Wanted, gives: Mapping[str, int], people: Sequence[str], words: Words
) -> str | Declined:
    """The role of the mandate with which the first of some people approves a plan that gives so many fen, by payee; who
    has approved it before still has one."""
    if today is None:
        return words("no day has been opened: nobody can say who has a mandate", "MANDATE")
    found = [mandates.of_plan(known, wanted.area, wanted.plan_ref, gives, person, today) for person in people]
    if refusal := next((one for one in found if isinstance(one, Refusal)), None):
        return words(refusal.detail, refusal.code)
    return next(one.role for one in found if not isinstance(one, Refusal))


async def _publish(here: Context, found: Kept[Plan, Beside], at_once: int) -> int:
    missing = list(messages(found, lanes=here.lanes))
    for first in range(0, len(missing), at_once):
        await here.appending.append(missing[first : first + at_once])
    return len(missing)


def messages(found: Kept[Plan, Beside], *, lanes: int) -> Iterator[Message]:
    """What people have agreed to and the log has not; the time is that of the last yes."""
    kind, at = found.kind, max(row["at"] for row in found.approvals)
    events = kind.events(found.plan, found.people, at.astimezone(SHANGHAI).date())
    for (lane, id), event in zip(kind.ids(found.plan), events, strict=True):
        if _identity(kind, id) not in found.published:
            yield _message(kind, lane, id, event, at, lanes)


def _message(kind: Kind[Plan, Beside], lane: int, id: str, event: Event, at: datetime, lanes: int) -> Message:
    of, data = KINDS[kind.type], msgspec.json.encode(event, order="sorted")
    told = Envelope(id=id, source=kind.source, type=kind.type, time=at.astimezone(UTC).isoformat(), data=data)
    key = envelope.key_of(of, event) or partition.lane_key(lane, lanes)
    return Message(of.family, lane, key, data, envelope.headers(told))


def _identity(kind: Kind[Plan, Beside], id: str) -> bytes:
    return envelope.identity_of(kind.source.encode(), id.encode())
