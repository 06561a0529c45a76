"""Prepayments in the database, read and written in a fixed number of statements."""

from collections.abc import Iterable

import asyncpg
import msgspec

from clearing import rows
from clearing.names import Name
from clearing.prepayment.prepayment import Prepayment
from clearing.state import Draft
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "prepayments.sql")

_prepayment = msgspec.json.Decoder(Prepayment).decode


async def read(
    connection: asyncpg.Connection,
    lane: int,
    draft: Draft,
    named: Iterable[Name],
    providers: Iterable[str],
    *,
    every: bool,
) -> None:
    """Those that are named, those of some providers that matter still, or all that do."""
    for row in await connection.fetch(SQL.prepayments, lane, *rows.named(named), sorted(providers), every):
        prepayment = _prepayment(row["body"])
        draft.prepayments[prepayment.name] = prepayment


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if changed := [draft.prepayments[name] for name in sorted(draft.changed & draft.prepayments.keys())]:
        found = [
            (
                *one.name, one.dimensions.area, one.fund, one.kind, str(one.year), one.status,
                rows.flag(one.matters), rows.text(one),
            )
            for one in changed
        ]  # fmt: skip
        await connection.execute(SQL.save_prepayments, lane, *columns(found))
    if draft.steps:
        steps = [
            (
                step.provider, step.ref, str(step.number), step.what, step.day and step.day.isoformat(), str(step.fen),
                str(step.left), step.about,
            )
            for step in draft.steps
        ]  # fmt: skip
        await connection.execute(SQL.tell_steps, lane, *columns(steps))
