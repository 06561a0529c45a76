"""Statements in the database, read and written in a fixed number of statements."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import msgspec

from direct_pay import names, rows
from direct_pay.invoices.invoice import INVOICES, OWNERS, WHOLE
from direct_pay.names import Name
from direct_pay.statements.paying import CYCLES
from direct_pay.statements.statement import ALWAYS, EARLY_DAYS, LOOKED_AT, REMATCHED_DAYS, STATEMENTS, Statement
from medfund.events import statements as events
from medfund.events.direct import SupplierPaymentSettled
from medfund.events.kinds import Event
from medfund.events.time import DayOpened
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "statements.sql")
MATCHED_ANEW: tuple[type[Event], ...] = (
    events.StatementSubmitted, events.StatementConfirmed, events.StatementWithdrawn, events.StatementEnded,
    events.StatementLineDisputed, events.StatementLineResolved,
)  # fmt: skip
"""What may have to know what all invoices of its statement come to."""
ABOUT: tuple[type[Event], ...] = (
    *MATCHED_ANEW, SupplierPaymentSettled, events.StatementMatched, events.StatementRefused,
    events.StatementDisputesNoted, events.StatementConfirmationNoted, events.StatementRequested,
    events.StatementLineReduced, events.StatementDeadlineApproaching, events.StatementDeadlineBreached,
)  # fmt: skip

_statement = msgspec.json.Decoder(Statement).decode


class Statements(Shelf):
    """Those that are named, and on a day those for which something may follow from it."""

    keeps = "payable"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        agreed = {
            Name(event.provider, one.supplier, one.statement_ref)
            for event in batch.of(events.StatementsAgreed)
            for one in event.statements
        }
        anew = agreed | {names.statement(event) for event in batch.of(*MATCHED_ANEW)}
        wanted = anew | {names.statement(event) for event in batch.of(*ABOUT)}
        day = max((event.date for event in batch.of(DayOpened)), default=None)
        if wanted or day:
            await _read(connection, lane, draft, wanted, day)
        statements = draft[STATEMENTS]
        if day is not None:
            draft[LOOKED_AT].update(statements.keys() | wanted)
            anew |= {name for name, one in statements.items() if name in wanted or _is_matched_on(one, day)}
        for name in anew & statements.keys():
            draft[WHOLE].update(_invoices(name, statements[name]))
        # What is matched on the way to an earlier life's decisions names its invoices itself.
        for event in batch.of(events.StatementMatched):
            draft[WHOLE].update(Name(event.provider, event.supplier, ref) for ref in event.invoices)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        statements = draft[STATEMENTS]
        if changed := sorted(statements.changed):
            found = [_row(name, statements[name]) for name in changed]
            await connection.execute(SQL.save_statements, lane, *columns(found))


class OfInvoices(Shelf):
    """The statements in which invoices are that red letters, or rivals, are about."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        statements = draft[STATEMENTS]
        found = {
            name.beside(invoice.statement_ref) for name, invoice in draft[INVOICES].items() if invoice.statement_ref
        }
        if wanted := found - statements.keys():
            await _read(connection, lane, draft, wanted, None)


class Owners(Shelf):
    """Who registered what a statement lists and its supplier has not registered for that hospital."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        invoices = draft[INVOICES]
        listed = {name for name in draft[WHOLE] if (invoice := invoices.get(name)) is None or invoice.issued_on is None}
        if listed:
            for row in await connection.fetch(SQL.owners, lane, *rows.named(listed)):
                draft[OWNERS][row["listed"]] = Name(row["provider"], row["supplier"], row["listed"])


class Cycles(Shelf):
    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if cycles := draft[CYCLES]:
            found = [(*cycle, str(fen), str(weighted)) for cycle, (fen, weighted) in sorted(cycles.items())]
            await connection.execute(SQL.count_cycles, lane, *columns(found))


async def _read(connection: asyncpg.Connection, lane: int, draft: Draft, wanted: set[Name], day: date | None) -> None:
    statements, since = draft[STATEMENTS], day and day - timedelta(days=REMATCHED_DAYS)
    found = await connection.fetch(SQL.statements, lane, *rows.named(wanted), day, since, ALWAYS)
    for provider, supplier, ref, body in found:
        statements[Name(provider, supplier, ref)] = _statement(body)


def _is_matched_on(statement: Statement, day: date) -> bool:
    """Whether a day needs to know what its invoices come to, besides what it says itself."""
    due = statement.first_due()
    near = due is not None and due - timedelta(days=EARLY_DAYS) <= day
    return bool(statement.waiting) or statement.is_mismatched or (statement.is_pending and near)


def _invoices(name: Name, statement: Statement) -> set[Name]:
    listed = [ref for one in statement.waiting for ref, _ in one.lines]
    return {name.beside(ref) for ref in (*statement.invoices, *listed)}


def _row(name: Name, one: Statement) -> tuple[Any, ...]:
    waiting = one.waiting
    one.submissions = waiting
    submitted_on = one.submitted_on or (waiting[0].on if waiting else None)
    return (
        *name, one.area, one.status, _text(one.period), _text(submitted_on), one.mode, _text(one.due),
        _text(one.look_on()), rows.flag(one.is_pending), rows.flag(one.in_dispute), _text(one.first_due()),
        rows.text(one),
    )  # fmt: skip


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
