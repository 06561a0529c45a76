"""What a hospital buys of a supplier, from the order to the invoice, as those say who took part; and what follows for
the memo accounts.

What stays true: whatever is said of one hospital's purchases is in its lane; quantities are of the unit that the price
is for; a fact that refers to another one may come before it. Source: domain.md R3.3, R3.4, R3.7, c.2 (35-39).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from medfund import money
from medfund.events import rules
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    Count,
    Day,
    HashRef,
    Invoice,
    Price,
    Product,
    Provider,
    Quantity,
    Ref,
    Some,
    Text,
    Uscc,
)
from medfund.events.kinds import Event, Place, kind
from medfund.events.refusals import Problem, Reason
from medfund.events.suppliers import A_PRODUCT, A_SUPPLIER


class Purchase(Event, frozen=True, kw_only=True):
    """Something between one hospital and one supplier."""

    provider: Provider
    area: Area
    supplier: Uscc


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A part of an order: `line` is its number there."""

    line: Count
    quantity: Quantity


A_PURCHASE: Mapping[str, Any] = {"provider": "H15250200017", "area": "152500", "supplier": A_SUPPLIER}
_ORDER: Mapping[str, Any] = {**A_PURCHASE, "order_no": "CG20260820000417"}


def _lines(event: Any) -> Problem | None:
    return None if event.lines else Problem(Reason.MISSING_FIELD, "$.lines: there is none")


def _each_line_once(event: Any) -> Problem | None:
    if len({one.line for one in event.lines}) == len(event.lines) > 0:
        return None
    return Problem(Reason.BAD_CODE, "$.lines: at least one, and each number once")


# -- orders


class OrderLine(Item, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    product: Product
    price: Price


@kind("order.placed", family="purchases", key="provider", rules=(_each_line_once,))
class OrderPlaced(Purchase, frozen=True, kw_only=True):
    """A hospital orders. The day decides class, scope and price of each line. Source: R3.4, R10, c.2 (35)."""

    order_no: Ref
    placed_on: Day
    lines: list[OrderLine]

    example: ClassVar[Mapping[str, Any]] = {
        **_ORDER,
        "placed_on": "2026-08-20",
        "lines": [{"line": 1, "product": A_PRODUCT, "quantity": 10000, "price": "12.340000"}],
    }


@kind("order.confirmed", family="purchases", key="provider")
class OrderConfirmed(Purchase, frozen=True, kw_only=True):
    """The supplier will deliver. Source: R3.3, c.2 (35)."""

    order_no: Ref
    confirmed_on: Day

    example: ClassVar[Mapping[str, Any]] = {**_ORDER, "confirmed_on": "2026-08-21"}


@kind("order.cancelled", family="purchases", key="provider", rules=(_each_line_once,))
class OrderCancelled(Purchase, frozen=True, kw_only=True):
    """So much of an order will not be delivered. Source: c.2 (35)."""

    order_no: Ref
    cancelled_on: Day
    lines: list[Item]
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_ORDER,
        "cancelled_on": "2026-08-28",
        "lines": [{"line": 1, "quantity": 500}],
        "reason": "缺货",
    }


# -- goods


class Sent(Item, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    product: Product
    lot: Ref
    expires_on: Day | None = None


@kind("shipment.dispatched", family="purchases", key="provider", rules=(_lines,))
class ShipmentDispatched(Purchase, frozen=True, kw_only=True):
    """The supplier sends goods of an order. A shipment says the lots of each line. Source: R3.3, c.2 (36)."""

    shipment_no: Ref
    order_no: Ref
    dispatched_on: Day
    lines: list[Sent]

    example: ClassVar[Mapping[str, Any]] = {
        **_ORDER,
        "shipment_no": "PS20260901000093",
        "dispatched_on": "2026-09-01",
        "lines": [
            {"line": 1, "product": A_PRODUCT, "quantity": 9500, "lot": "L2608-03", "expires_on": "2028-08-31"},
        ],
    }


class Received(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What became of one lot of one line: what was taken, and what was not, and why."""

    line: Count
    lot: Ref
    accepted: Some
    refused: Some = 0
    reason: Literal["DAMAGED", "EXPIRED", "WRONG_GOODS", "TOO_MANY", "OTHER"] | None = None
    traces: list[HashRef] | None = None
    """Keyed hashes of the trace codes of what was taken; no code itself is on the log (R9)."""


def _refused_for_a_reason(event: "DeliveryAccepted") -> Problem | None:
    for i, one in enumerate(event.lines):
        if (one.refused > 0) != (one.reason is not None):
            return Problem(Reason.MISSING_FIELD, f"$.lines[{i}].reason: is said of what is refused, and of that alone")
    return None


@kind("delivery.accepted", family="purchases", key="provider", rules=(_lines, _refused_for_a_reason))
class DeliveryAccepted(Purchase, frozen=True, kw_only=True):
    """The hospital has looked at a shipment, and takes all, a part, or nothing of it (验收). With `accepted_on` the
    time to pay begins. Source: R3.3, R3.7, c.2 (37).
    """

    shipment_no: Ref
    order_no: Ref
    accepted_on: Day
    lines: list[Received]
    acceptor_ref: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_ORDER,
        "shipment_no": "PS20260901000093",
        "accepted_on": "2026-09-06",
        "lines": [{"line": 1, "lot": "L2608-03", "accepted": 9480, "refused": 20, "reason": "DAMAGED"}],
        "acceptor_ref": "staff-h-0093",
    }


class Returned(Item, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    lot: Ref


@kind("goods.returned", family="purchases", key="provider", rules=(_lines,))
class GoodsReturned(Purchase, frozen=True, kw_only=True):
    """What was accepted goes back; what was invoiced of it wants a red letter. Source: R3.7, c.2 (38)."""

    shipment_no: Ref
    order_no: Ref
    returned_on: Day
    lines: list[Returned]
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_ORDER,
        "shipment_no": "PS20260901000093",
        "returned_on": "2026-09-20",
        "lines": [{"line": 1, "quantity": 100, "lot": "L2608-03"}],
        "reason": "召回",
    }


# -- invoices


class InvoiceLine(Item, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What is invoiced of a line of an order; `amount` is with tax."""

    order_no: Ref
    product: Product
    price: Price
    amount: Amount


A_BLUE = "26372000000012345678"
A_RED = "26372000000012399001"


def _adds_up(event: "InvoiceRegistered") -> Problem | None:
    if not event.lines:
        return Problem(Reason.MISSING_FIELD, "$.lines: there is none")
    if any(one.amount.startswith("-") for one in event.lines):
        return Problem(Reason.BAD_AMOUNT, "$.lines: no line is negative; what is taken back is a red letter")
    if (found := sum(money.fens([one.amount for one in event.lines]))) != money.fen(event.amount):
        return Problem(Reason.IDENTITY_MISMATCH, f"$.amount is {event.amount}, its lines make {money.yuan(found)}")
    return None


@kind("invoice.registered", family="purchases", key="provider", rules=(_adds_up,))
class InvoiceRegistered(Purchase, frozen=True, kw_only=True):
    """The supplier has invoiced the hospital. `amount` is with `tax`; `upstream` are the invoices by which the supplier
    bought, of which there is one at most under the two-invoice rule. Source: R3.4, c.2 (39).
    """

    invoice: Invoice
    issued_on: Day
    amount: Amount
    tax: Amount
    lines: list[InvoiceLine]
    upstream: list[Invoice] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **A_PURCHASE,
        "invoice": A_BLUE,
        "issued_on": "2026-09-08",
        "amount": "116983.20",
        "tax": "13458.24",
        "lines": [
            {
                "order_no": "CG20260820000417",
                "line": 1,
                "product": A_PRODUCT,
                "quantity": 9480,
                "price": "12.340000",
                "amount": "116983.20",
            }
        ],
        "upstream": ["26370000000098765432"],
    }


def _is_something(event: "InvoiceRedIssued") -> Problem | None:
    if money.fen(event.amount) > 0 and event.invoice != event.blue:
        return None
    return Problem(Reason.BAD_AMOUNT, "$.amount: what a red letter takes back is above zero, of another invoice")


@kind("invoice.red_issued", family="purchases", key="provider", rules=(_is_something,))
class InvoiceRedIssued(Purchase, frozen=True, kw_only=True):
    """A red letter: so much of the invoice `blue` is taken back. `amount` is above zero. It may come before its blue
    invoice, and then waits for it. Source: R3.4, R3.7, R10, c.2 (39).
    """

    invoice: Invoice
    blue: Invoice
    issued_on: Day
    amount: Amount
    tax: Amount
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **A_PURCHASE,
        "invoice": A_RED,
        "blue": A_BLUE,
        "issued_on": "2026-09-22",
        "amount": "1234.00",
        "tax": "141.96",
        "reason": "退货",
    }


# -- what follows


OrderEnd: TypeAlias = Literal["DELIVERED", "CANCELLED"]


class OfOrder(Purchase, frozen=True, kw_only=True):
    """What is expected to be paid for an order, by fund: a memo, no money. `key` are the weights of the split."""

    cause: Place
    order_no: Ref
    amounts: Amounts
    key: dict[str, Count]
    key_version: Ref


_MEMO: Mapping[str, Any] = {
    **_ORDER,
    "cause": {"topic": "purchases", "lane": 3, "offset": 8192},
    "amounts": {"310100": "84367.65", "390100": "39032.35"},
    "key": {"310100": 6837, "390100": 3163},
    "key_version": "2026-08",
}


@kind("order.committed", family="direct-pay", key="provider", rules=(rules.not_negative("amounts"),))
class OrderCommitted(OfOrder, frozen=True, kw_only=True):
    """`lines` are those that the fund will pay. Books 9002 / 9902. Source: c.4, order.placed."""

    lines: list[Count]

    example: ClassVar[Mapping[str, Any]] = {**_MEMO, "lines": [1]}


@kind("order.released", family="direct-pay", key="provider", rules=(rules.not_negative("amounts"),))
class OrderReleased(OfOrder, frozen=True, kw_only=True):
    """So much of an order is expected no more: it was delivered or cancelled. Books 9902 / 9002. Source: c.4."""

    because: OrderEnd

    example: ClassVar[Mapping[str, Any]] = {**_MEMO, "because": "DELIVERED"}


@kind("trace.repeated", family="direct-pay", key="provider")
class TraceRepeated(Purchase, frozen=True, kw_only=True):
    """Trace codes that were accepted before, as goods that were not returned meanwhile: the same box twice. Somebody
    has to look; books nothing. `times` is how many codes of the delivery it is. Source: R3.7, R6.6.
    """

    cause: Place
    shipment_no: Ref
    order_no: Ref
    accepted_on: Day
    times: Count
    traces: list[HashRef]
    """The first of them, a hundred at most."""

    example: ClassVar[Mapping[str, Any]] = {
        **_ORDER,
        "cause": {"topic": "purchases", "lane": 3, "offset": 8201},
        "shipment_no": "PS20260901000093",
        "accepted_on": "2026-09-06",
        "times": 1,
        "traces": ["9f2c41d07be35a8816c0d4f2a7b3e951"],
    }
