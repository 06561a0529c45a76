"""Recoveries in the database, read and written in a fixed number of statements."""

from collections.abc import Iterable

import asyncpg
import msgspec

from clearing import rows
from clearing.state import Draft
from clearing.supervision.recovery import Recovery
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "recoveries.sql")

_recovery = msgspec.json.Decoder(Recovery).decode


async def read(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[str], providers: Iterable[str], *,
    day: bool, settlements: Iterable[str],
) -> None:  # fmt: skip
    """The recoveries that are named, those with something open of some providers, or of all on a day, and those of
    settlements that are reversed."""
    found = await connection.fetch(
        SQL.recoveries, lane, sorted(named), sorted(providers), day, sorted(settlements)
    )  # fmt: skip
    for row in found:
        recovery = _recovery(row["body"])
        draft.recoveries[recovery.ref] = recovery


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if changed := [draft.recoveries[ref] for ref in sorted(draft.changed & draft.recoveries.keys())]:
        found = [
            (one.ref, one.dimensions.provider, rows.flag(one.open), one.settlement_ref, rows.text(one))
            for one in changed
        ]
        await connection.execute(SQL.save_recoveries, lane, *columns(found))
