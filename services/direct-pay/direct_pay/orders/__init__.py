"""Orders and their goods, from the order to the invoice; what is committed for them; trace codes."""

from direct_pay.orders import memo, order, traces
from medfund.events import purchases
from medfund.lanes.capability import Capability

CAPABILITY = Capability(
    name="orders",
    learns={
        purchases.OrderPlaced: order.placed,
        purchases.OrderConfirmed: order.confirmed,
        purchases.OrderCancelled: order.cancelled,
        purchases.ShipmentDispatched: order.dispatched,
        purchases.DeliveryAccepted: order.accepted,
        purchases.GoodsReturned: order.returned,
    },
    answers={
        purchases.OrderPlaced: memo.placed,
        purchases.OrderCancelled: memo.releasing("CANCELLED"),
        purchases.DeliveryAccepted: memo.releasing("DELIVERED"),
    },
    evolves={purchases.OrderCommitted: memo.committed, purchases.OrderReleased: memo.released},
)
TRACES = Capability(
    name="traces",
    learns={purchases.DeliveryAccepted: traces.learn},
    answers={purchases.DeliveryAccepted: traces.repeated},
)
