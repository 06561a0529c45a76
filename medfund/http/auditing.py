"""The audit trail: one row before a command is carried out, one for each refusal of a known caller.

A command that cannot be recorded is not carried out. Callers whom no token proves are counted and logged, not recorded:
a stranger must not be able to fill a table.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
import uuid_utils
from fastapi import Request

from medfund.http import access
from medfund.http.database import Connection, Database
from medfund.http.tokens import Principal
from medfund.postgres import queries

SQL = queries.load(__file__, "audit.sql")


async def record(
    request: Request, database: Database, principal: Principal, outcome: str, detail: dict[str, Any]
) -> None:
    """Committed when this returns. Raises `Problem`."""
    await database.record(SQL.record, *_row(request, principal, outcome, detail))


async def note(
    request: Request, connection: Connection, principal: Principal, outcome: str, detail: dict[str, Any]
) -> None:
    """In the transaction of what it speaks of: neither is there without the other."""
    await connection.execute(SQL.record, *_row(request, principal, outcome, detail))


def _row(request: Request, principal: Principal, outcome: str, detail: dict[str, Any]) -> tuple[object, ...]:
    return (
        str(uuid_utils.uuid7()), datetime.now(UTC), principal.subject, principal.role.value, access.operation(request),
        outcome, msgspec.json.encode(_storable({"request": request.state.request_id, **detail})).decode(),
    )  # fmt: skip


def _storable(said: Any) -> Any:
    """The database keeps every character but NUL: whoever sends one is recorded like anybody else."""
    match said:
        case str():
            return said.replace("\0", "\ufffd")
        case dict():
            return {name: _storable(one) for name, one in said.items()}
        case list() | tuple():
            return [_storable(one) for one in said]
        case _:
            return said
