"""Findings in the database, and the settlements they are about, read and written in a fixed number of statements."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import asyncpg
import msgspec

from clearing import names, rows
from clearing.agreements import EMERGENCY
from clearing.audit.finding import FINDINGS, FOUND, REVERSED, Finding, Found
from clearing.claims.checks import UNDONE
from clearing.claims.claim import CLAIMS
from clearing.names import InBatch, Name
from clearing.payments.making_way import DUE, ORDERED
from medfund.events.audit import (
    AuditAppealDecided,
    AuditAppealFiled,
    AuditDeductionFinalised,
    AuditDeductionUndone,
    AuditFindingRaised,
    AuditFindingReviewed,
    ClaimDeducted,
    ClaimFindingNoted,
)
from medfund.events.claims import ClaimBatchWithdrawalRequested, ClaimBatchWithdrawn
from medfund.events.kinds import Event
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf, named
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "findings.sql")

_finding = msgspec.json.Decoder(Finding).decode

WHOLE_BATCHES: tuple[type[Event], ...] = (AuditDeductionFinalised, ClaimBatchWithdrawalRequested, ClaimBatchWithdrawn)
"""Events that are about every finding of the batches that they name."""


def _deducted(event: ClaimDeducted) -> Iterable[InBatch]:
    return [InBatch(event.provider, part.batch, part.finding_ref) for part in event.deductions]


FINDINGS_OF: Mapping[type[Event], Callable[[Any], Iterable[InBatch]]] = {
    AuditFindingRaised: lambda event: [names.finding(event)],
    AuditFindingReviewed: lambda event: [names.finding(event)],
    AuditAppealFiled: lambda event: [names.finding(event)],
    AuditAppealDecided: lambda event: [names.finding(event)],
    ClaimFindingNoted: lambda event: [names.finding(event)],
    AuditDeductionUndone: lambda event: [InBatch(event.provider, event.of_batch, event.finding_ref)],
    ClaimDeducted: _deducted,
}
"""The findings that an event names."""


class Findings(Shelf):
    """Those of some claims, those that are named, and those on some settlements; and which of their settlements were
    reversed."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        whole = {name for event in batch.of(*WHOLE_BATCHES) for name in named(event, "payable")}
        whole.update(_unfinished(draft, batch))
        each = {place for type_, of in FINDINGS_OF.items() for event in batch.of(type_) for place in of(event)}
        if whole or each or draft[UNDONE]:
            for row in await connection.fetch(
                SQL.findings, lane, *rows.named(whole), *rows.named(each, 3), *rows.named(draft[UNDONE])
            ):
                finding = _finding(row["body"])
                draft[FINDINGS][finding.place] = finding
            if not batch.foreseen:
                await _read_reversed(connection, lane, draft, {one.settlement for one in draft[FINDINGS].values()})

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        findings = draft[FINDINGS]
        if kept := [findings[place] for place in sorted(findings.changed & findings.keys())]:
            found = [(*one.place, one.settlement_ref, rows.text(one)) for one in kept]
            await connection.execute(SQL.save_findings, lane, *columns(found))
        if forgotten := sorted(findings.changed - findings.keys()):
            await connection.execute(SQL.forget_findings, lane, *columns(forgotten))


def _unfinished(draft: Draft, batch: Batch) -> Iterable[Name]:
    """On a day, what of a claim is approved though its audit has not ended."""
    if not batch.day:
        return []
    return [claim.name for claim in draft[CLAIMS].values() if claim.status == "IN_REVIEW" and not claim.lead]


class Audited(Shelf):
    """Claims of which more may be approved: what was ordered for them at once may make way, and, where less is approved
    than they had, what else their providers are to be paid."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        audited = {event.provider for event in batch.of(AuditDeductionFinalised)}
        for claim in draft[CLAIMS].values():
            if claim.reviewed and claim.p1 is not None and (batch.day or claim.dimensions.provider in audited):
                draft[ORDERED].add(claim.name)
                if not claim.lead:
                    draft[DUE].add(claim.dimensions.provider)


class Settlements(Shelf):
    """The settlements of new findings, and which of them, or of the sales that they rest on, were reversed."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        raised = batch.of(AuditFindingRaised)
        wanted = {
            InBatch(event.provider, event.batch, event.settlement_ref) for event in raised if event.settlement_ref
        }
        if not wanted:
            return
        first = {Name(event.provider, event.trace.sold_first) for event in raised if event.trace}
        await _read_reversed(connection, lane, draft, {Name(one.provider, one.ref) for one in wanted} | first)
        for row in await connection.fetch(SQL.found, lane, *rows.named(wanted, 3)):
            draft[FOUND][InBatch(row["provider"], row["batch"], row["ref"])] = Found(
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
        draft[REVERSED].update(Name(*row) for row in found)
