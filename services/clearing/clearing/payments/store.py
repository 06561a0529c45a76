"""Payments, suspense, moves of bank accounts in the database, read and written in a fixed number of statements."""

from collections.abc import Collection, Iterable

import asyncpg
import msgspec

from clearing import rows
from clearing.names import Name
from clearing.payments.payment import Payment
from clearing.payments.suspense import Item
from clearing.state import Draft
from medfund.events.treasury import PaymentRunOpened
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "payments.sql")

_payment = msgspec.json.Decoder(Payment).decode
_item = msgspec.json.Decoder(Item).decode


async def read(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[Name], payables: Iterable[Name],
    runs: Collection[PaymentRunOpened], approved: Iterable[Name] = (),
) -> None:  # fmt: skip
    """The payments that are named, those of some payables that are not sent or wait to be asked for again, those that
    runs may take, and what else was approved today for the payees of those that are approved."""
    for row in await connection.fetch(
        SQL.payments, lane, *rows.named(named), *rows.named(payables), [run.area for run in runs],
        [run.fund for run in runs], *rows.named(approved), draft.known.today,
    ):  # fmt: skip
        payment = _payment(row["body"])
        draft.payments[payment.name] = payment
    if runs:
        draft.runs.update(map(tuple, await connection.fetch(SQL.runs, lane, [run.run_ref for run in runs])))


async def read_suspense(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[str], areas: Iterable[str]
) -> None:
    """The items that are named, and what else is open in some areas."""
    for row in await connection.fetch(SQL.suspense, lane, sorted(named), sorted(areas)):
        item = _item(row["body"])
        draft.suspense[item.item_ref] = item


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if changed := [draft.payments[name] for name in sorted(draft.changed_payments)]:
        await connection.execute(SQL.save_payments, lane, *columns(map(_row, changed)))
    if items := [draft.suspense[ref] for ref in sorted(draft.changed_suspense)]:
        found = [(item.item_ref, item.area, rows.flag(item.open), rows.text(item)) for item in items]
        await connection.execute(SQL.save_suspense, lane, *columns(found))
    if draft.moves:
        await connection.execute(SQL.move, lane, *columns(draft.moves))


def _row(payment: Payment) -> tuple[str | int | None, ...]:
    return (
        *payment.name, payment.payee, payment.policy_ref, payment.status, payment.area, payment.fund,
        sum(payment.amounts.values()), payment.due.isoformat(), payment.end_to_end_id, payment.run_ref,
        rows.flag(any(payment.to_retry.values())), rows.flag(bool(payment.withheld)),
        max(payment.said_yes.values()).isoformat() if payment.said_yes else None, rows.text(payment),
    )  # fmt: skip
