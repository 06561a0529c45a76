"""Invoices in the database, read and written in a fixed number of statements."""

import asyncpg
import msgspec

from direct_pay import names, rows
from direct_pay.invoices import invoice
from direct_pay.invoices.invoice import APPENDED, INVOICES, WHOLE, Invoice
from direct_pay.names import Name
from direct_pay.orders.order import ORDERS
from direct_pay.orders.order import WANTED as ORDERS_WANTED
from medfund.events.kinds import Place
from medfund.events.purchases import InvoiceRedIssued, InvoiceRegistered
from medfund.events.statements import InvoiceRedUnmatched, StatementSubmitted
from medfund.events.time import DayOpened
from medfund.invoices import key
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "invoices.sql")

_invoice = msgspec.json.Decoder(Invoice).decode


class Invoices(Shelf):
    """Those that are named, those of statements that are to be matched, on a day those that red letters wait for."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        registrations = batch.accepted(InvoiceRegistered, InvoiceRedIssued)
        wanted = {names.invoice(one.event) for one in registrations}
        reds = {invoice.blue_of(event) for event in batch.of(InvoiceRedIssued, InvoiceRedUnmatched)}
        submitted = batch.of(StatementSubmitted)
        listed = {Name(event.provider, event.supplier, one.invoice) for event in submitted for one in event.lines}
        wanted |= reds | listed | draft[WHOLE]
        draft[WHOLE].update(reds | listed)
        draft[APPENDED].update({
            Place(topic="purchases", lane=lane, offset=one.record.offset): one.record.timestamp for one in registrations
        })  # fmt: skip
        await _read(connection, lane, draft, wanted, waiting=bool(batch.of(DayOpened)))
        invoices = draft[INVOICES]
        for name in draft[WHOLE]:
            if (known := invoices.get(name)) is not None:
                draft[ORDERS_WANTED].update([name.beside(item.order_no) for item in known.parts])

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        invoices = draft[INVOICES]
        if changed := sorted(invoices.changed):
            await connection.execute(
                SQL.save_invoices, lane, *columns([_row(name, invoices[name]) for name in changed])
            )


class Rivals(Shelf):
    """Other invoices of the same lines of orders: what of these is left for those that are to be matched."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if not draft[WHOLE]:
            return
        shared = (
            (name, line)
            for name, order in draft[ORDERS].items()
            for line in order.lines.values()
            if len(line.billed) > 1
        )
        billed = {Name(name.provider, name.supplier, one.invoice) for name, line in shared for one in line.billed}
        await _read(connection, lane, draft, billed - draft[INVOICES].keys(), waiting=False)


async def _read(connection: asyncpg.Connection, lane: int, draft: Draft, wanted: set[Name], *, waiting: bool) -> None:
    if wanted or waiting:
        invoices = draft[INVOICES]
        found = await connection.fetch(SQL.invoices, lane, *rows.named(wanted), waiting)
        for provider, supplier, ref, body in found:
            invoices[Name(provider, supplier, ref)] = _invoice(body)


def _row(name: Name, one: Invoice) -> tuple[object, ...]:
    return (
        *name, one.area, key(name.ref), one.issued_on and one.issued_on.isoformat(), str(one.registered_ms),
        str(one.fen), one.red_of, one.statement_ref, rows.flag(one.waits), rows.text(one),
    )  # fmt: skip
