"""What is expected to be paid for an order, kept beside the books (9002): committed when it is placed, released with
what is delivered or cancelled. Pure.

What stays true: what is released of an order in all is what was committed, fund by fund, once nothing is to come of it.
A line counts where the fund will pay it: the hospital's mandate and the scope of the order's day say so.
Source: R3.2, c.4.
"""

from collections.abc import Callable, Iterator
from typing import Any

from direct_pay import names, policy
from direct_pay.funds import added, fens, yuans
from direct_pay.master import buyer, scope
from direct_pay.orders.order import ORDERS, Memo, Order
from medfund import money
from medfund.events.kinds import Event, Place
from medfund.events.purchases import (
    DeliveryAccepted,
    OrderCancelled,
    OrderCommitted,
    OrderEnd,
    OrderPlaced,
    OrderReleased,
    Purchase,
)
from medfund.lanes.draft import Draft


def placed(draft: Draft, event: OrderPlaced, cause: Place) -> Iterator[Event]:
    """What came before its order is released at once. Of two orders of one number the first counts."""
    order = draft[ORDERS][names.order(event)]
    placed_on = order.placed_on or event.placed_on
    chosen = policy.on(draft, event.area, placed_on)
    if order.memo is not None or chosen is None:
        return
    key = buyer.key(draft, event.provider, placed_on, chosen.split_funds)
    about = draft, event.provider, event.supplier, event.area
    ordered = {number: line for number, line in order.lines.items() if line.quantity}
    lines = [
        number for number, line in sorted(ordered.items()) if scope.terms(*about, line.product, placed_on).is_payable
    ]
    whole = sum([money.cost(ordered[number].quantity, ordered[number].price) for number in lines])
    if key is None or not whole:
        return
    yield OrderCommitted(
        **_of(event, cause),
        amounts=yuans(money.split_by_key(whole, key.weights)),
        key=dict(key.weights),
        key_version=key.version,
        lines=lines,
    )
    yield from _released(
        event, order, cause, "DELIVERED" if any(line.taken for line in order.lines.values()) else "CANCELLED"
    )


def releasing(because: OrderEnd) -> Callable[[Draft, Purchase, Place], Iterator[Event]]:
    def answer(draft: Draft, event: DeliveryAccepted | OrderCancelled, cause: Place) -> Iterator[Event]:
        yield from _released(event, draft[ORDERS][names.order(event)], cause, because)

    return answer  # type: ignore[return-value]


def _released(
    event: OrderPlaced | DeliveryAccepted | OrderCancelled, order: Order, cause: Place, because: OrderEnd
) -> Iterator[Event]:
    memo = order.memo
    if memo is None:
        return
    left, expected = sum(memo.left.values()), order.expected(memo.lines)
    if expected < left:
        off = money.lowered({fund: memo.left.get(fund, 0) for fund in memo.key}, expected, memo.key)
        yield OrderReleased(
            **_of(event, cause),
            amounts=yuans(off),
            key=dict(memo.key),
            key_version=memo.key_version,
            because=because,
        )


def _of(event: OrderPlaced | DeliveryAccepted | OrderCancelled, cause: Place) -> dict[str, Any]:
    return {
        "provider": event.provider, "area": event.area, "supplier": event.supplier, "order_no": event.order_no,
        "cause": cause,
    }  # fmt: skip


# -- what it changes


def _order(draft: Draft, event: OrderCommitted | OrderReleased) -> Order:
    orders, name = draft[ORDERS], names.order(event)
    if name not in orders:
        orders[name] = Order(event.area)
    return orders.change(name)


def committed(draft: Draft, event: OrderCommitted) -> None:
    _order(draft, event).memo = Memo(event.key, event.key_version, event.lines, fens(event.amounts))


def released(draft: Draft, event: OrderReleased) -> None:
    if memo := _order(draft, event).memo:
        memo.left = added(memo.left, fens(event.amounts), -1)
