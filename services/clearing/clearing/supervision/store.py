"""Recoveries in the database, read and written in a fixed number of statements."""

from collections.abc import Iterable

import asyncpg
import msgspec

from clearing import rows
from clearing.names import Name
from clearing.state import Draft
from clearing.supervision.recovery import Recovery
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "recoveries.sql")

_recovery = msgspec.json.Decoder(Recovery).decode


async def read(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[Name], providers: Iterable[str], *,
    day: bool, settlements: Iterable[Name],
) -> None:  # fmt: skip
    """The recoveries that are named, those with something open of some providers, or of all on a day, and those of
    settlements that are reversed."""
    found = await connection.fetch(
        SQL.recoveries, lane, *rows.named(named), sorted(providers), day, *rows.named(settlements)
    )
    for row in found:
        recovery = _recovery(row["body"])
        draft.recoveries[recovery.name] = recovery


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if changed := [draft.recoveries[name] for name in sorted(draft.changed & draft.recoveries.keys())]:
        found = [
            (*one.name, one.dimensions.area, rows.flag(one.open), one.settlement_ref, rows.text(one)) for one in changed
        ]
        await connection.execute(SQL.save_recoveries, lane, *columns(found))
