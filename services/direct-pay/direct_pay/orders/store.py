"""Orders and trace codes in the database, read and written in a fixed number of statements."""

from itertools import starmap
from operator import attrgetter

import asyncpg
import msgspec

from direct_pay import names, rows
from direct_pay.master.product import WANTED as PRODUCTS_WANTED
from direct_pay.master.product import Key
from direct_pay.names import Name
from direct_pay.orders.order import ORDERS, WANTED, Order
from direct_pay.orders.traces import TRACES, Seen
from medfund.events import purchases
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "orders.sql")
ABOUT = (
    purchases.OrderPlaced, purchases.OrderConfirmed, purchases.OrderCancelled, purchases.ShipmentDispatched,
    purchases.DeliveryAccepted, purchases.GoodsReturned, purchases.OrderCommitted, purchases.OrderReleased,
)  # fmt: skip

_order = msgspec.json.Decoder(Order).decode
_seen = msgspec.json.Decoder(Seen).decode


class Traces(Shelf):
    """The codes of what is taken in."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        lines = [line for event in batch.of(purchases.DeliveryAccepted) for line in event.lines if line.traces]
        if named := {trace for line in lines for trace in line.traces}:
            for row in await connection.fetch(SQL.traces, lane, sorted(named)):
                draft[TRACES][row["trace"]] = _seen(row["body"])

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        traces = draft[TRACES]
        if changed := sorted(traces.changed):
            found = [
                (trace, seen.provider, seen.supplier, rows.text(seen)) for trace in changed if (seen := traces[trace])
            ]
            await connection.execute(SQL.save_traces, lane, *columns(found))


class Orders(Shelf):
    """Those that are named, those of invoices that are to be matched, and those with which trace codes came."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        wanted = {names.order(event) for event in batch.of(*ABOUT)}
        for event in batch.of(purchases.InvoiceRegistered):
            wanted.update(Name(event.provider, event.supplier, line.order_no) for line in event.lines)
        wanted |= draft[WANTED]
        wanted.update(map(attrgetter("order"), draft[TRACES].values()))
        if wanted:
            orders, products = draft[ORDERS], set[tuple[str, str]]()
            for provider, supplier, ref, body in await connection.fetch(SQL.orders, lane, *rows.named(wanted)):
                orders[Name(provider, supplier, ref)] = order = _order(body)
                products.update([(order.area, line.product) for line in order.lines.values()])

            draft[PRODUCTS_WANTED].update(starmap(Key, products))

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        orders = draft[ORDERS]
        if changed := sorted(orders.changed):
            found = [
                (
                    *name,
                    order.area,
                    order.placed_on and order.placed_on.isoformat(),
                    rows.flag(order.is_open),
                    rows.text(order),
                )
                for name in changed
                if (order := orders[name])
            ]
            await connection.execute(SQL.save_orders, lane, *columns(found))
