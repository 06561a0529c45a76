"""Trace codes, as digests: the same box taken in twice is a finding. Pure.

What stays true: a code is remembered with the first delivery that it came with; it may come again where goods of that
lot went back. Source: R3.7, R6.6, edge cases 26, 27.
"""

from collections.abc import Iterator

from direct_pay.names import Name
from direct_pay.orders.order import ORDERS
from direct_pay.rows import Row
from medfund.events.kinds import Event, Place
from medfund.events.purchases import DeliveryAccepted, TraceRepeated
from medfund.lanes.draft import Draft, Part, Things

SHOWN_MAX = 100


class Seen(Row):
    """Where a code came first."""

    provider: str
    supplier: str
    order_no: str
    shipment_no: str
    line: int
    lot: str
    times: int = 0
    """How often it came since."""

    @property
    def order(self) -> Name:
        return Name(self.provider, self.supplier, self.order_no)


TRACES: Part[Things[str, Seen]] = Part("traces", Things)
REPEATED: Part[dict[Place, list[str]]] = Part("repeated", dict)
"""What was seen before, by the delivery that it came with again."""


def learn(draft: Draft, event: DeliveryAccepted, place: Place) -> None:
    seen = draft[TRACES]
    for one in event.lines:
        for trace in one.traces or ():
            if trace in seen:
                seen.change(trace).times += 1
                draft[REPEATED].setdefault(place, []).append(trace)
            else:
                first = Seen(event.provider, event.supplier, event.order_no, event.shipment_no, one.line, one.lot)
                seen.put(trace, first)


def repeated(draft: Draft, event: DeliveryAccepted, cause: Place) -> Iterator[Event]:
    found = [trace for trace in draft[REPEATED].get(cause, ()) if not _went_back(draft, draft[TRACES][trace])]
    if found:
        yield TraceRepeated(
            provider=event.provider,
            area=event.area,
            supplier=event.supplier,
            cause=cause,
            shipment_no=event.shipment_no,
            order_no=event.order_no,
            accepted_on=event.accepted_on,
            times=len(found),
            traces=found[:SHOWN_MAX],
        )


def _went_back(draft: Draft, seen: Seen) -> bool:
    order = draft[ORDERS].get(seen.order)
    line = order.lines.get(seen.line) if order else None
    return line is not None and any(back.lot == seen.lot for back in line.back)
