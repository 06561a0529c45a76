"""Payments in the database, read and written in a fixed number of statements."""

from collections.abc import Iterable

import asyncpg
import msgspec

from clearing import rows
from clearing.payments.payable import Payment
from clearing.state import Draft
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "payments.sql")

_payment = msgspec.json.Decoder(Payment).decode


async def read(connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[str]) -> None:
    for row in await connection.fetch(SQL.payments, lane, sorted(named)):
        payment = _payment(row["body"])
        draft.payments[payment.payment_ref] = payment


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if changed := [draft.payments[ref] for ref in sorted(draft.changed_payments)]:
        found = [(one.payment_ref, one.provider, one.status, rows.text(one)) for one in changed]
        await connection.execute(SQL.save_payments, lane, *columns(found))
