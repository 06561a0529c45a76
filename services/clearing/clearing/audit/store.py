"""Findings in the database, and the settlements they are about, read and written in a fixed number of statements."""

from collections.abc import Iterable, Sequence

import asyncpg
import msgspec

from clearing import rows
from clearing.agreements import EMERGENCY
from clearing.audit.finding import Finding, Found
from clearing.names import Name, Part
from clearing.state import Draft
from medfund.events.audit import AuditFindingRaised
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "findings.sql")

_finding = msgspec.json.Decoder(Finding).decode


async def read(
    connection: asyncpg.Connection, lane: int, draft: Draft, claims: Iterable[Name], named: Iterable[Part],
    settlements: Iterable[Name], *, reversals: bool = True,
) -> None:  # fmt: skip
    """The findings of some claims, those that are named, and those on some settlements; and which of their settlements
    were reversed."""
    found = await connection.fetch(
        SQL.findings, lane, *rows.named(claims), *rows.named(named, 3), *rows.named(settlements)
    )
    for row in found:
        finding = _finding(row["body"])
        draft.findings[finding.place] = finding
    if reversals:
        await _read_reversed(connection, lane, draft, {one.settlement for one in draft.findings.values()})


async def read_found(
    connection: asyncpg.Connection, lane: int, draft: Draft, raised: Sequence[AuditFindingRaised]
) -> None:
    """The settlements of new findings, and which of them, or of the sales that they rest on, were reversed."""
    wanted = {Part(event.provider, event.batch, event.settlement_ref) for event in raised if event.settlement_ref}
    if not wanted:
        return
    first = {Name(event.provider, event.trace.sold_first) for event in raised if event.trace}
    await _read_reversed(connection, lane, draft, {Name(one.provider, one.ref) for one in wanted} | first)
    for row in await connection.fetch(SQL.found, lane, *rows.named(wanted, 3)):
        draft.found[Part(row["provider"], row["batch"], row["ref"])] = Found(
            day=row["service_date"],
            offset=row["offset"],
            amounts=dict(zip(row["funds"], row["fens"], strict=True)),
            emergency=row["med_type"] == EMERGENCY,
        )


async def _read_reversed(
    connection: asyncpg.Connection, lane: int, draft: Draft, settlements: Iterable[Name | None]
) -> None:
    if wanted := [name for name in settlements if name]:
        found = await connection.fetch(SQL.reversed, lane, *rows.named(wanted))
        draft.reversed.update(Name(*row) for row in found)


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    kept = [draft.findings[place] for place in sorted(draft.changed_findings & draft.findings.keys())]
    if kept:
        found = [(*one.place, one.settlement_ref, rows.text(one)) for one in kept]
        await connection.execute(SQL.save_findings, lane, *columns(found))
    if forgotten := sorted(draft.changed_findings - draft.findings.keys()):
        await connection.execute(SQL.forget_findings, lane, *columns(forgotten))
