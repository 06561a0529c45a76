"""What suppliers and hospitals owe and are owed of purchases, in the database, in a fixed number of statements."""

from collections.abc import Collection, Iterator, Mapping

import asyncpg
import msgspec

from clearing import rows
from clearing.direct.statement import DIRECT, LINES, Debt, GivenBack, Item, Line, Statement, given_back_ref
from clearing.names import Name
from clearing.payments.making_way import DUE
from clearing.payments.payment import PAYMENTS
from medfund.events.direct import InterFundTrueUpAgreed, RedLetterApplied, RedLetterFollowed, SupplierOverpaid
from medfund.events.statements import StatementLineReduced
from medfund.events.suppliers import DirectCapSet, SupplierPayeeAssigned
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "direct.sql")

_ITEMS: Mapping[str, msgspec.json.Decoder[Item]] = {
    "STATEMENT": msgspec.json.Decoder(Statement),
    "GIVEN_BACK": msgspec.json.Decoder(GivenBack),
    "DEBT": msgspec.json.Decoder(Debt),
}
_KINDS = {Statement: "STATEMENT", GivenBack: "GIVEN_BACK", Debt: "DEBT"}
_lines = msgspec.json.Decoder(list[Line]).decode


class Direct(Shelf):
    """Those that are named, with what follows for them; those with something open of some hospitals, and of all of them
    when a day is opened; of suppliers whose payee is another one. Lines are read of what is named, and of what may be
    paid."""

    keeps = "payable"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        named, providers = {*batch.named["payable"], *_follow(batch)}, batch.named["provider"]
        suppliers = {event.supplier for event in batch.of(SupplierPayeeAssigned)}
        if named or providers or suppliers or batch.day:
            for row in await connection.fetch(
                SQL.direct, lane, *rows.named(named), sorted(providers), batch.day, sorted(suppliers)
            ):
                found = _ITEMS[row["kind"]].decode(row["body"])
                draft[DIRECT][found.name] = found
                if row["lines"] is not None:
                    draft[LINES][found.name] = _lines(row["lines"])
        moving = set(_moving(draft, batch, suppliers))
        draft[DUE].update(moving)
        if suppliers or batch.day:
            providers.update(moving)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        items, lines = draft[DIRECT], draft[LINES]
        if changed := sorted(items.changed):
            found = [_row(items[name], lines[name] if name in lines.changed else None) for name in changed]
            await connection.execute(SQL.save_direct, lane, *columns(found))


def _follow(batch: Batch) -> Iterator[Name]:
    """What a red letter adds to, also where nothing is open of it."""
    for event in batch.of(StatementLineReduced, RedLetterApplied, RedLetterFollowed, SupplierOverpaid):
        yield Name(event.provider, given_back_ref(event.payable_ref))
        yield Name(event.provider, event.supplier)


def _moving(draft: Draft, batch: Batch, suppliers: Collection[str]) -> Iterator[str]:
    """Hospitals of which orders may have to make way, or suppliers be paid."""
    yield from (event.provider for event in batch.of(StatementLineReduced, DirectCapSet, InterFundTrueUpAgreed))
    told = {payment.payable for name in batch.named["payment"] if (payment := draft[PAYMENTS].get(name)) is not None}
    for name, one in draft[DIRECT].items():
        if isinstance(one, Statement) and (
            name in told or one.supplier in suppliers or (batch.day and bool(one.to_order))
        ):
            yield one.dimensions.provider


def _row(one: Item, lines: list[Line] | None) -> tuple[str | None, ...]:
    return (
        *one.name, one.dimensions.area, "" if isinstance(one, GivenBack) else one.supplier, _KINDS[type(one)],
        rows.flag(one.open), rows.flag(isinstance(one, Statement) and bool(one.to_order)),
        rows.flag(any(one.payable.values())), rows.text(one), None if lines is None else rows.text(lines),
    )  # fmt: skip
