"""Orders that are not sent yet make way for what falls due: money does not leave that is known to be owed. Pure.

What stays true: what is ordered anew is what was ordered less what is taken; where nothing can be taken, no order is
touched. Source: R3.6, R10, edge case 39.
"""

from collections.abc import Iterable, Iterator

from clearing import payable as payables
from clearing.funds import total
from clearing.names import Name
from clearing.offsets.taking import takes
from clearing.payable import Payable
from clearing.payments.orders import cancel, pay_out
from clearing.payments.payment import unsent_of
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft, Part

DUE: Part[set[str]] = Part("due", set)
"""Providers of whom something may fall due with a batch."""
ORDERED: Part[set[Name]] = Part("ordered", set)
"""What else may have to make way: the payables that it was ordered for."""


def fallen_due(
    draft: Draft, purse: tuple[str, str], funds: Iterable[str], cause: Place, reason: str
) -> Iterator[Event]:
    """Something of a provider has fallen due in some funds: its orders there, the oldest first."""
    for fund in funds:
        for payable in payables.of_purse(draft, purse):
            yield from _make_way(draft, payable, fund, cause, reason)


def _make_way(draft: Draft, payable: Payable, fund: str, cause: Place, reason: str) -> Iterator[Event]:
    unsent = [payment for payment in unsent_of(draft, payable) if payment.fund == fund]
    at_once = total(payment.amounts for payment in unsent if payment.purpose == "INSTANT")
    first = bool(at_once) and payable.reviewed
    rest = any(not payable.reviewed or one.purpose != "INSTANT" for one in unsent)
    if not (first and takes(draft, payable, fund, at_instant=True)) and not (
        rest and takes(draft, payable, fund, at_instant=False)
    ):
        return
    yield from cancel(draft, payable, cause, fund, reason)
    if first:
        yield from payables.kind(draft, payable).at_once(draft, payable, cause, at_once)
    if rest:
        yield from pay_out(draft, payables.carrier(draft, payable), cause)
