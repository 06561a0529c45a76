"""What is written between a hospital and its supplier, as lines of events: orders, deliveries, invoices, statements.

Pure, and fast: each paper is a template, as a settlement is; the contract's own codec reads it back in the tests.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from medfund import money
from medfund.events.envelope import Envelope

MICRO_PER_FEN = 10_000


class Goods(NamedTuple):
    """A product, who delivers it, and its price in millionths of a yuan."""

    code: str
    product_class: str
    price: int
    written: str
    """The price as events have it."""

    def cost(self, quantity: int) -> int:
        """Of so many, in fen, rounded half up."""
        return (self.price * quantity + MICRO_PER_FEN // 2) // MICRO_PER_FEN


class Item(NamedTuple):
    """A line of an order, and what became of it."""

    line: int
    goods: Goods
    ordered: int
    shipped: int
    accepted: int

    @property
    def amount(self) -> int:
        return self.goods.cost(self.accepted)


class Pair(NamedTuple):
    """A hospital and a supplier in an area, and who says what between them: for suppliers a platform speaks."""

    area: str
    provider: str
    supplier: str

    @property
    def head(self) -> str:
        return f'{{"provider":"{self.provider}","area":"{self.area}","supplier":"{self.supplier}"'

    @property
    def platform(self) -> str:
        return f"/procurement/{self.area}"

    @property
    def hospital(self) -> str:
        return f"/gateway/{self.area}"

    @property
    def seller(self) -> str:
        return f"/supplier/{self.area}"


class Delivery(NamedTuple):
    """What came on one day of one order, and its invoice."""

    number: str
    order_no: str
    lot: str
    accepted_on: date
    invoice: str
    items: Sequence[Item]
    amount: int
    """Of the invoice."""
    red: str = ""
    """The red letter that takes some of it back; nothing where none does."""
    taken_back: int = 0

    @property
    def left(self) -> int:
        return self.amount - self.taken_back


def said(type: str, source: str, id: str, on: str, data: str) -> Envelope:
    return Envelope(type=f"{type}.v1", source=source, id=id, time=f"{on}T10:00:00+08:00", data=data.encode())


def line(said: Envelope) -> bytes:
    """An event as `medfund publish` reads it."""
    return (
        f'{{"specversion":"1.0","id":"{said.id}","source":"{said.source}","type":"{said.type}","time":"{said.time}",'
        f'"data":{said.data.decode()}}}\n'
    ).encode()


def order(pair: Pair, order_no: str, on: date, items: Sequence[Item]) -> Envelope:
    lines = ",".join(
        [
            f'{{"line":{item.line},"product":"{item.goods.code}","quantity":{item.ordered},"price":"{item.goods.written}"}}'
            for item in items
        ]
    )
    data = f'{pair.head},"order_no":"{order_no}","placed_on":"{on}","lines":[{lines}]}}'
    return said("order.placed", pair.platform, f"order-{pair.provider}-{order_no}", str(on), data)


def promise(pair: Pair, order_no: str, on: date) -> Envelope:
    data = f'{pair.head},"order_no":"{order_no}","confirmed_on":"{on}"}}'
    return said("order.confirmed", pair.seller, f"confirmed-{pair.provider}-{order_no}", str(on), data)


def cancelled(pair: Pair, order_no: str, on: date, rest: Sequence[tuple[int, int]]) -> Envelope:
    """What was not sent: line and quantity."""
    lines = ",".join([f'{{"line":{line},"quantity":{quantity}}}' for line, quantity in rest])
    data = f'{pair.head},"order_no":"{order_no}","cancelled_on":"{on}","lines":[{lines}],"reason":"缺货"}}'
    return said("order.cancelled", pair.platform, f"cancelled-{pair.provider}-{order_no}", str(on), data)


def shipment(pair: Pair, delivery: Delivery, on: date) -> Envelope:
    lot, expires = delivery.lot, f"{on.year + 2}-{on.month:02}-28"
    lines = ",".join(
        [
            f'{{"line":{item.line},"product":"{item.goods.code}","quantity":{item.shipped},"lot":"{lot}",'
            f'"expires_on":"{expires}"}}'
            for item in delivery.items
        ]
    )
    data = f'{_delivered(pair, delivery)},"dispatched_on":"{on}","lines":[{lines}]}}'
    return said("shipment.dispatched", pair.seller, f"shipment-{delivery.number}", str(on), data)


def acceptance(pair: Pair, delivery: Delivery) -> Envelope:
    lines = ",".join([_received(item, delivery.lot) for item in delivery.items])
    on = delivery.accepted_on
    data = f'{_delivered(pair, delivery)},"accepted_on":"{on}","lines":[{lines}]}}'
    return said("delivery.accepted", pair.hospital, f"accepted-{delivery.number}", str(on), data)


def _received(item: Item, lot: str) -> str:
    refused = item.shipped - item.accepted
    why = f',"refused":{refused},"reason":"DAMAGED"' if refused else ""
    return f'{{"line":{item.line},"lot":"{lot}","accepted":{item.accepted}{why}}}'


def _delivered(pair: Pair, delivery: Delivery) -> str:
    return f'{pair.head},"shipment_no":"{delivery.number}","order_no":"{delivery.order_no}"'


def invoice(pair: Pair, delivery: Delivery, on: date) -> Envelope:
    order_no, amount = delivery.order_no, delivery.amount
    lines = ",".join(
        [
            f'{{"order_no":"{order_no}","line":{item.line},"product":"{item.goods.code}","quantity":{item.accepted},'
            f'"price":"{item.goods.written}","amount":"{money.yuan(item.amount)}"}}'
            for item in delivery.items
        ]
    )
    data = (
        f'{pair.head},"invoice":"{delivery.invoice}","issued_on":"{on}","amount":"{money.yuan(amount)}",'
        f'"tax":"{money.yuan(_tax(amount))}","lines":[{lines}]}}'
    )
    return said("invoice.registered", pair.seller, f"invoice-{delivery.invoice}", str(on), data)


def red_letter(pair: Pair, delivery: Delivery, on: date) -> Envelope:
    amount = delivery.taken_back
    data = (
        f'{pair.head},"invoice":"{delivery.red}","blue":"{delivery.invoice}","issued_on":"{on}",'
        f'"amount":"{money.yuan(amount)}","tax":"{money.yuan(_tax(amount))}","reason":"销售折让"}}'
    )
    return said("invoice.red_issued", pair.seller, f"invoice-{delivery.red}", str(on), data)


def _tax(amount: int) -> int:
    """Of an amount with tax, at 13 %."""
    return (amount * 13 + 56) // 113


def statement(pair: Pair, ref: str, period: date, on: date, deliveries: Sequence[Delivery]) -> Envelope:
    lines = [f'{{"invoice":"{one.invoice}","amount":"{money.yuan(one.amount)}"}}' for one in deliveries]
    lines += [f'{{"invoice":"{one.red}","amount":"{money.yuan(-one.taken_back)}"}}' for one in deliveries if one.red]
    total = money.yuan(sum([one.left for one in deliveries]))
    data = (
        f'{pair.head},"statement_ref":"{ref}","period":"{period}","submitted_on":"{on}","total":"{total}",'
        f'"lines":[{",".join(lines)}],"submitted_by":"staff-s-0017"}}'
    )
    return said("statement.submitted", pair.seller, f"statement-{pair.provider}-{pair.supplier}-{ref}", str(on), data)


def confirmation(pair: Pair, ref: str, on: date) -> Envelope:
    data = f'{pair.head},"statement_ref":"{ref}","confirmed_on":"{on}","confirmed_by":"staff-h-0093"}}'
    return said("statement.confirmed", pair.hospital, f"agrees-{pair.provider}-{pair.supplier}-{ref}", str(on), data)
