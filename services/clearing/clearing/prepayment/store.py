"""Prepayments in the database, read and written in a fixed number of statements."""

from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec

from clearing import names, rows
from clearing.names import Name
from clearing.payments.making_way import DUE
from clearing.payments.payment import PAYMENTS
from clearing.payments.store import read_orders
from clearing.prepayment import applying, prepayment
from clearing.prepayment.history import STEPS
from clearing.prepayment.prepayment import PREPAYMENTS, Prepayment
from medfund.events.agency import FundFiguresPublished
from medfund.events.bank import BankPaymentSettled
from medfund.events.kinds import Event
from medfund.events.prepayments import (
    PrepaymentApplied,
    PrepaymentGranted,
    PrepaymentPurchasesReported,
    PrepaymentRecallOrdered,
)
from medfund.events.supervision import ProviderAgreementChanged
from medfund.events.time import DayOpened
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "prepayments.sql")

_prepayment = msgspec.json.Decoder(Prepayment).decode

ENDINGS: tuple[type[Event], ...] = (
    PrepaymentGranted, PrepaymentRecallOrdered, ProviderAgreementChanged, FundFiguresPublished,
)  # fmt: skip
"""Events that may cancel what was ordered for prepayments."""
FALL_DUE: tuple[type[Event], ...] = (
    PrepaymentRecallOrdered, ProviderAgreementChanged, PrepaymentGranted, PrepaymentPurchasesReported,
)  # fmt: skip
"""Events with which a prepayment, or a part of it, may fall due."""


class Prepayments(Shelf):
    """Those that are named, or would be, those of some providers that matter still, or all that do."""

    keeps = "payable"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        figures = bool(batch.of(FundFiguresPublished))
        named, providers = batch.named["payable"], batch.named["provider"]
        named.update(_meant(batch))
        if named or providers or batch.day or figures:
            every = batch.day or figures
            for row in await connection.fetch(SQL.prepayments, lane, *rows.named(named), sorted(providers), every):
                found = _prepayment(row["body"])
                draft[PREPAYMENTS][found.name] = found
        draft[DUE].update(event.provider for event in (*batch.of(*FALL_DUE), *_disbursing(draft, batch)))
        if figures or _begins_a_month(draft, batch):
            owing = {one.dimensions.provider for one in draft[PREPAYMENTS].values() if one.left > 0}
            draft[DUE].update(owing)
            providers.update(owing if figures else ())

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        prepayments = draft[PREPAYMENTS]
        if changed := [prepayments[name] for name in sorted(prepayments.changed)]:
            found = [
                (
                    *one.name, one.dimensions.area, one.fund, one.kind, str(one.year), one.status,
                    rows.flag(one.matters), rows.text(one),
                )
                for one in changed
            ]  # fmt: skip
            await connection.execute(SQL.save_prepayments, lane, *columns(found))
        if steps := draft[STEPS]:
            told = [
                (
                    step.provider, step.ref, str(step.number), step.what, step.day and step.day.isoformat(),
                    str(step.fen), str(step.left), step.about,
                )
                for step in steps
            ]  # fmt: skip
            await connection.execute(SQL.tell_steps, lane, *columns(told))


def _meant(batch: Batch) -> Iterable[Name]:
    """What events are about that name no prepayment."""
    for event in batch.of(PrepaymentApplied):
        yield from (Name(event.provider, applying.name_of(event, fund)) for fund in event.funds)
    for event in batch.of(PrepaymentPurchasesReported):
        refs = (prepayment.name(event.provider, "BULK", event.contract_ref, fund) for fund in event.purchased)
        yield from (Name(event.provider, ref) for ref in refs)


def _disbursing(draft: Draft, batch: Batch) -> Iterable[Any]:
    """The bank has paid a prepayment: a part of it may be due by now."""
    for event in batch.of(BankPaymentSettled):
        payment = draft[PAYMENTS].get(names.payment(event))
        if payment is not None and payment.purpose in ("PREPAYMENT", "BULK"):
            yield event


def _begins_a_month(draft: Draft, batch: Batch) -> bool:
    today = draft.known[TODAY]
    return any(today is None or event.date.replace(day=1) > today for event in batch.of(DayOpened))


class Orders(Shelf):
    """What was ordered for prepayments that may end."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if batch.of(*ENDINGS):
            await read_orders(connection, lane, draft, draft[PREPAYMENTS].keys())
