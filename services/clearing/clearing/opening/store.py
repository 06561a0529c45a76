"""Items that the books began with and nothing is decided about yet, read and kept in a fixed number of statements."""

from collections.abc import Iterable

import asyncpg
import msgspec

from clearing import rows
from clearing.names import Name
from clearing.opening.items import Kept
from clearing.state import Draft
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "openings.sql")

_kept = msgspec.json.Decoder(Kept).decode


async def read(connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[Name]) -> None:
    for row in await connection.fetch(SQL.openings, lane, *rows.named(named)):
        kept = _kept(row["body"])
        draft.openings[kept.name] = kept


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if draft.openings:
        found = [(*name, one.area, one.account, rows.text(one)) for name, one in sorted(draft.openings.items())]
        await connection.execute(SQL.keep_openings, lane, *columns(found))
