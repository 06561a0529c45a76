"""Recoveries in the database, read and written in a fixed number of statements."""

import asyncpg
import msgspec

from clearing import rows
from clearing.claims.checks import UNDONE
from clearing.payments.making_way import DUE
from clearing.supervision.recovery import RECOVERIES, Recovery
from medfund.events.supervision import RecoveryDecided
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "recoveries.sql")

_recovery = msgspec.json.Decoder(Recovery).decode


class Recoveries(Shelf):
    """Those that are named, those with something open of some providers, or of all on a day, and those of settlements
    that are reversed."""

    keeps = "payable"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        named, providers = batch.named["payable"], batch.named["provider"]
        if named or providers or batch.day:
            for row in await connection.fetch(
                SQL.recoveries, lane, *rows.named(named), sorted(providers), batch.day, *rows.named(draft[UNDONE])
            ):
                recovery = _recovery(row["body"])
                draft[RECOVERIES][recovery.name] = recovery
        draft[DUE].update(event.provider for event in batch.of(RecoveryDecided))

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        recoveries = draft[RECOVERIES]
        if changed := [recoveries[name] for name in sorted(recoveries.changed)]:
            found = [
                (*one.name, one.dimensions.area, rows.flag(one.open), one.settlement_ref, rows.text(one))
                for one in changed
            ]
            await connection.execute(SQL.save_recoveries, lane, *columns(found))
