"""The register in the database, read and written in a fixed number of statements."""

import asyncpg
import msgspec

from direct_pay import names, rows
from direct_pay.arrears.arrears import ARREARS, Arrears
from direct_pay.names import Name
from medfund.events import statements
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "arrears.sql")
ABOUT = (
    statements.ArrearsRegistered, statements.ArrearsCleared, statements.ArrearsNoted, statements.ArrearsLowered,
)  # fmt: skip

_arrears = msgspec.json.Decoder(Arrears).decode


class Register(Shelf):
    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if named := {names.arrears(event) for event in batch.of(*ABOUT)}:
            for row in await connection.fetch(SQL.arrears, lane, *rows.named(named)):
                draft[ARREARS][Name(row["provider"], row["supplier"], row["ref"])] = _arrears(row["body"])

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        known = draft[ARREARS]
        if changed := sorted(known.changed):
            found = [
                (*name, one.area, one.since and one.since.isoformat(), rows.flag(bool(one.left)), rows.text(one))
                for name in changed
                if (one := known[name])
            ]
            await connection.execute(SQL.save_arrears, lane, *columns(found))
