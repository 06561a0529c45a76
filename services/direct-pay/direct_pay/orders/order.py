"""An order with all that is said of its lines: what was cancelled, sent, taken in, sent back, invoiced. Pure.

What stays true: it says only what facts say, each added to what is known, so that the order in which they come changes
nothing; of an order that nobody has placed yet, what is said is kept until somebody does. Source: R3.3, R3.4.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from direct_pay.funds import Fens
from direct_pay.names import Name
from direct_pay.rows import Row
from medfund import money
from medfund.events.kinds import Place
from medfund.events.purchases import (
    DeliveryAccepted,
    GoodsReturned,
    InvoiceRegistered,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    Purchase,
    ShipmentDispatched,
)
from medfund.lanes.draft import Draft, Part, Things


class Sent(Row):
    lot: str
    product: str
    quantity: int
    expires_on: str
    """Empty where nothing was said."""


class Taken(Row):
    on: date
    lot: str
    accepted: int
    refused: int


class Back(Row):
    lot: str
    quantity: int


class Billed(Row):
    issued_on: date
    invoice: str
    quantity: int


class Line(Row):
    product: str = ""
    quantity: int = 0
    price: int = 0
    cancelled: int = 0
    sent: list[Sent] = msgspec.field(default_factory=list)
    taken: list[Taken] = msgspec.field(default_factory=list)
    back: list[Back] = msgspec.field(default_factory=list)
    billed: list[Billed] = msgspec.field(default_factory=list)
    shipped: int = 0
    accepted: int = 0
    refused: int = 0
    returned: int = 0
    """What these come to, for they are asked for again and again."""

    @property
    def wanted(self) -> int:
        return self.quantity - self.cancelled


class Memo(Row):
    """What was committed for it, and is still expected."""

    key: Mapping[str, int]
    key_version: str
    lines: list[int]
    left: Fens


class Order(msgspec.Struct, array_like=True, gc=False):
    area: str
    placed_on: date | None = None
    confirmed_on: date | None = None
    lines: dict[int, Line] = {}
    memo: Memo | None = None
    """The one thing here that decisions change."""

    @property
    def is_open(self) -> bool:
        return self.placed_on is not None and any(line.wanted > line.accepted for line in self.lines.values())

    def expected(self, lines: list[int]) -> int:
        """What is still to come of some lines, in fen."""
        found = ((line, max(0, line.wanted - line.accepted)) for line in map(self.lines.__getitem__, lines))
        return sum([money.cost(quantity, line.price) for line, quantity in found])


WANTED: Part[set[Name]] = Part("wanted orders", set)
"""Those that somebody else needs to know."""
ORDERS: Part[Things[Name, Order]] = Part("orders", Things)


def of(draft: Draft, event: Purchase, order_no: str) -> Order:
    """The one that an event is about, to be changed."""
    orders, name = draft[ORDERS], Name(event.provider, event.supplier, order_no)
    if name not in orders:
        orders[name] = Order(event.area)
    return orders.change(name)


def _line(order: Order, number: int) -> Line:
    line = order.lines.get(number)
    if line is None:
        line = order.lines[number] = Line()
    return line


def _added(parts: list, part: Row) -> None:  # type: ignore[type-arg]
    parts.append(part)
    if len(parts) > 1:
        parts.sort()


def placed(draft: Draft, event: OrderPlaced, place: Place) -> None:
    """Of two orders of one number the first counts."""
    order = of(draft, event, event.order_no)
    if order.placed_on is None:
        order.placed_on = event.placed_on
        for one in event.lines:
            line = _line(order, one.line)
            line.product, line.quantity, line.price = one.product, one.quantity, money.micros(one.price)


def confirmed(draft: Draft, event: OrderConfirmed, place: Place) -> None:
    order = of(draft, event, event.order_no)
    order.confirmed_on = min(order.confirmed_on or event.confirmed_on, event.confirmed_on)


def cancelled(draft: Draft, event: OrderCancelled, place: Place) -> None:
    order = of(draft, event, event.order_no)
    for one in event.lines:
        _line(order, one.line).cancelled += one.quantity


def dispatched(draft: Draft, event: ShipmentDispatched, place: Place) -> None:
    order = of(draft, event, event.order_no)
    for one in event.lines:
        expires_on = one.expires_on.isoformat() if one.expires_on else ""
        line = _line(order, one.line)
        line.shipped += one.quantity
        _added(line.sent, Sent(one.lot, one.product, one.quantity, expires_on))


def accepted(draft: Draft, event: DeliveryAccepted, place: Place) -> None:
    order = of(draft, event, event.order_no)
    for one in event.lines:
        line = _line(order, one.line)
        line.accepted += one.accepted
        line.refused += one.refused
        _added(line.taken, Taken(event.accepted_on, one.lot, one.accepted, one.refused))


def returned(draft: Draft, event: GoodsReturned, place: Place) -> None:
    order = of(draft, event, event.order_no)
    for one in event.lines:
        line = _line(order, one.line)
        line.returned += one.quantity
        _added(line.back, Back(one.lot, one.quantity))


def billed(draft: Draft, event: InvoiceRegistered) -> None:
    order_no, order = "", Order(event.area)
    for one in event.lines:
        if one.order_no != order_no:
            order_no, order = one.order_no, of(draft, event, one.order_no)
        line = _line(order, one.line)
        _added(line.billed, Billed(event.issued_on, event.invoice, one.quantity))
