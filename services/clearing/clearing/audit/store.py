"""Findings in the database, and the settlements they are about, read and written in a fixed number of statements."""

from collections.abc import Iterable, Sequence

import asyncpg
import msgspec

from clearing import rows
from clearing.audit.finding import Finding, Found
from clearing.state import Draft
from clearing.supervision.agreements import EMERGENCY
from medfund.events.reviews import AuditFindingRaised
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "findings.sql")

_finding = msgspec.json.Decoder(Finding).decode


async def read(
    connection: asyncpg.Connection, lane: int, draft: Draft, batches: Iterable[str], named: Iterable[tuple[str, str]],
    settlements: Iterable[str],
) -> None:  # fmt: skip
    """The findings of some batches, those that are named (batch, finding), and those on some settlements; and which of
    their settlements were reversed."""
    pairs = sorted(named)
    found = await connection.fetch(
        SQL.findings, lane, sorted(batches), [batch for batch, _ in pairs], [ref for _, ref in pairs],
        sorted(settlements),
    )  # fmt: skip
    for row in found:
        finding = _finding(row["body"])
        draft.findings[finding.batch, finding.finding_ref] = finding
    await _read_reversed(connection, lane, draft, {one.settlement_ref for one in draft.findings.values()})


async def read_found(
    connection: asyncpg.Connection, lane: int, draft: Draft, raised: Sequence[AuditFindingRaised]
) -> None:
    """The settlements of new findings, and which of them, or of the sales that they rest on, were reversed."""
    wanted = sorted({(event.batch, event.settlement_ref) for event in raised if event.settlement_ref is not None})
    if not wanted:
        return
    first = {event.trace.sold_first for event in raised if event.trace}
    await _read_reversed(connection, lane, draft, {ref for _, ref in wanted} | first)
    for row in await connection.fetch(SQL.found, lane, *columns(wanted)):
        draft.found[row["batch"], row["ref"]] = Found(
            day=row["service_date"],
            offset=row["offset"],
            amounts=dict(zip(row["funds"], row["fens"], strict=True)),
            emergency=row["med_type"] == EMERGENCY,
        )


async def _read_reversed(connection: asyncpg.Connection, lane: int, draft: Draft, refs: Iterable[str | None]) -> None:
    if wanted := sorted(ref for ref in refs if ref):
        draft.reversed.update(row["ref"] for row in await connection.fetch(SQL.reversed, lane, wanted))


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    kept = [draft.findings[place] for place in sorted(draft.changed_findings & draft.findings.keys())]
    if kept:
        found = [(one.batch, one.finding_ref, one.provider, one.settlement_ref, rows.text(one)) for one in kept]
        await connection.execute(SQL.save_findings, lane, *columns(found))
    if forgotten := sorted(draft.changed_findings - draft.findings.keys()):
        await connection.execute(SQL.forget_findings, lane, *columns(forgotten))
