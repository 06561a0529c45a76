"""Items that the books began with and nothing is decided about yet, read and kept in a fixed number of statements."""

import asyncpg
import msgspec

from clearing import names, rows
from clearing.opening.items import OPENINGS, Kept, suspense_refs
from clearing.payments.making_way import DUE
from medfund.events.openings import OpeningItemRecorded, OpeningItemTaken
from medfund.events.treasury import OpeningBalanceRecorded
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "openings.sql")

_kept = msgspec.json.Decoder(Kept).decode


class Openings(Shelf):
    keeps = "payable"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if named := {names.item(event) for event in batch.of(OpeningItemRecorded, OpeningItemTaken)}:
            for row in await connection.fetch(SQL.openings, lane, *rows.named(named)):
                kept = _kept(row["body"])
                draft[OPENINGS][kept.name] = kept
        draft[DUE].update(event.provider for event in batch.of(OpeningItemRecorded))

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if openings := draft[OPENINGS]:
            found = [(*name, one.area, one.account, rows.text(one)) for name, one in sorted(openings.items())]
            await connection.execute(SQL.keep_openings, lane, *columns(found))


class Lines(Shelf):
    """Lines that the bank accounts begin with: what they would be called in suspense is read with what is named."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        batch.named["suspense"].update(
            ref for event in batch.of(OpeningBalanceRecorded) for ref in suspense_refs(event).values()
        )
