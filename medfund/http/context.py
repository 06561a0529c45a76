"""What every endpoint works with, made once per process and passed down."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, TypeAlias

from fastapi import Depends, Request

from medfund.events.codec import Accepted
from medfund.events.kinds import Event
from medfund.http import access, auditing, tokens
from medfund.http.access import Access, Roles
from medfund.http.appending import Appending
from medfund.http.database import Database
from medfund.http.log_reading import LogReading
from medfund.http.probe import Probe
from medfund.http.tokens import Principal
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.service import Service


@dataclass(frozen=True)
class Context:
    lanes: int
    prefix: str
    """Of the topics."""
    cursor_key: bytes
    access: Access
    database: Database
    reading: LogReading
    appending: Appending
    probe: Probe
    service: Service
    foresee: "Foresee | None" = None
    """What the rules would answer to a command now."""


class Declined(NamedTuple):
    """Why nothing of a command would count."""

    detail: str
    detail_zh: str
    reason: str | None


Foresee: TypeAlias = Callable[[Context, Accepted], Awaitable[Declined | None]]
"""None: something of it would. Raises `Problem`."""


class Settings(Protocol):
    """What an API is told; each service says under which names."""

    kafka_bootstrap: str
    topic_prefix: str
    lanes: int
    database_url: str
    public_key: Path
    pool_size: int

    @property
    def identity(self) -> Mapping[str, Any]: ...


def made_of(
    settings: Settings,
    *,
    service: Service,
    roles: Roles,
    moves: Callable[[Event], int],
    foresee: Foresee | None = None,
) -> Context:
    """Connects later. `moves(event)`: the fen that an unread event stands for, shown by /healthz."""
    database = Database(settings.database_url, connections_max=settings.pool_size, name=f"{service.name} api")
    bootstrap, prefix, identity = settings.kafka_bootstrap, settings.topic_prefix, settings.identity

    async def record_refusal(request: Request, principal: Principal, code: str, told: dict[str, Any]) -> None:
        await auditing.record(request, database, principal, code, {"method": request.method, **told})

    return Context(
        lanes=settings.lanes,
        prefix=prefix,
        cursor_key=secrets.token_bytes(32),
        access=Access(tokens.load_key(settings.public_key), roles, record_refusal),
        database=database,
        reading=LogReading(KafkaLog(bootstrap, prefix=prefix, identity=identity)),
        appending=Appending(bootstrap, prefix=prefix, identity=identity),
        probe=Probe(database, service, bootstrap=bootstrap, prefix=prefix, moves=moves, identity=identity),
        service=service,
        foresee=foresee,
    )


async def _context(request: Request) -> Context:
    made: Context = request.app.state.context
    return made


Here = Annotated[Context, Depends(_context)]
Caller = Annotated[Principal, Depends(access.principal)]
