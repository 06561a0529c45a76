"""Payments, payees, suspense, moves of bank accounts in the database, in a fixed number of statements."""

from collections.abc import Collection, Iterable

import asyncpg
import msgspec

from clearing import names, rows
from clearing import payable as payables
from clearing.names import Name
from clearing.payments.accounts import NOTED, PAYEES, Account, Payee
from clearing.payments.cash import MOVES
from clearing.payments.making_way import DUE, ORDERED
from clearing.payments.payment import PAYMENTS, Payment
from clearing.payments.running import RUNS
from clearing.payments.suspense import FACTS, SUSPENSE, Item, refs
from medfund.events.bank import BankReturnReversed
from medfund.events.supervision import PaymentHoldPlaced
from medfund.events.treasury import PaymentApprovalGiven, PaymentRunOpened, SuspensePlacingRequested
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft, Known
from medfund.lanes.kept import PUBLISHED
from medfund.lanes.shelf import Batch, Shelf, named
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "payments.sql")

_account = msgspec.json.Decoder(Account).decode
_payment = msgspec.json.Decoder(Payment).decode
_item = msgspec.json.Decoder(Item).decode


class Payees(Shelf):
    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        rows = await connection.fetch(SQL.payees, lane)
        return known.replaced(PAYEES, {Payee(row["provider"], row["area"]): _account(row["body"]) for row in rows})

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if noted := draft[NOTED]:
            found = [(*payee, rows.text(noted[payee])) for payee in sorted(noted)]
            await connection.execute(SQL.save_payees, lane, *columns(found))
            draft.known = draft.known.replaced(PAYEES, {**draft.known[PAYEES], **noted})


class Payments(Shelf):
    """Those that are named, those of what a hold is placed on, those that runs may take, and what else was approved
    today for the payees of those that are approved. What they pay is read with them."""

    keeps = "payment"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        held = {names.payable(event) for event in batch.of(PaymentHoldPlaced)}
        runs = batch.of(PaymentRunOpened)
        approved = {name for event in batch.of(PaymentApprovalGiven) for name in named(event, "payment")}
        if batch.named["payment"] or held or runs:
            await _read(connection, lane, draft, batch.named["payment"], held, runs, approved)
        if runs:
            draft[RUNS].update(map(tuple, await connection.fetch(SQL.runs, lane, [run.run_ref for run in runs])))
        batch.named["payable"].update(payment.payable for payment in draft[PAYMENTS].values())

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        payments = draft[PAYMENTS]
        if changed := [payments[name] for name in sorted(payments.changed)]:
            await connection.execute(SQL.save_payments, lane, *columns(map(_row, changed)))
        if runs := [event.run_ref for _, _, event in draft[PUBLISHED] if isinstance(event, PaymentRunOpened)]:
            await connection.execute(SQL.to_send, lane, runs)


class Retries(Shelf):
    """What else was ordered for what is not paid, or comes back again: the order in its place may be among it."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        payments = draft[PAYMENTS]
        told = {name for event in batch.of(BankReturnReversed) for name in named(event, "payment")}
        told |= {payment.name for payment in payments.values() if payment.status == "FAILED"}
        await read_orders(connection, lane, draft, {payments[name].payable for name in told if name in payments})


class Orders(Shelf):
    """What is ordered and may have to make way: for all that the providers are owed of whom something falls due."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        due = draft[DUE]
        owed = {one.name for one in payables.every(draft) if one.owed and one.dimensions.provider in due}
        await read_orders(connection, lane, draft, owed | draft[ORDERED])


async def read_orders(connection: asyncpg.Connection, lane: int, draft: Draft, of: Collection[Name]) -> None:
    """Of some payables: what is not sent, or waits to be asked for again."""
    if of:
        await _read(connection, lane, draft, (), of, ())


async def _read(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[Name], payables: Iterable[Name],
    runs: Collection[PaymentRunOpened], approved: Iterable[Name] = (),
) -> None:  # fmt: skip
    for row in await connection.fetch(
        SQL.payments, lane, *rows.named(named), *rows.named(payables), [run.area for run in runs],
        [run.fund for run in runs], *rows.named(approved), draft.known[TODAY],
    ):  # fmt: skip
        payment = _payment(row["body"])
        draft[PAYMENTS][payment.name] = payment


def _row(payment: Payment) -> tuple[str | int | None, ...]:
    return (
        *payment.name, payment.payee, payment.policy_ref, payment.status, payment.area, payment.fund,
        sum(payment.amounts.values()), payment.due.isoformat(), payment.end_to_end_id, payment.run_ref,
        rows.flag(any(payment.to_retry.values())), rows.flag(bool(payment.withheld)),
        max(payment.said_yes.values()).isoformat() if payment.said_yes else None, rows.text(payment),
    )  # fmt: skip


class Suspense(Shelf):
    """The items that are named, those that a line of the bank would be, and what else is open where one is placed."""

    keeps = "suspense"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        items = batch.named["suspense"]
        items.update(ref for event in batch.of(*FACTS) for ref in refs(event))
        if items:
            areas = {event.area for event in batch.of(SuspensePlacingRequested)}
            for row in await connection.fetch(SQL.suspense, lane, sorted(items), sorted(areas)):
                item = _item(row["body"])
                draft[SUSPENSE][item.item_ref] = item

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        suspense = draft[SUSPENSE]
        if items := [suspense[ref] for ref in sorted(suspense.changed)]:
            found = [(item.item_ref, item.area, rows.flag(item.open), rows.text(item)) for item in items]
            await connection.execute(SQL.save_suspense, lane, *columns(found))


class Moves(Shelf):
    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if moves := draft[MOVES]:
            await connection.execute(SQL.move, lane, *columns(moves))
