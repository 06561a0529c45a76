"""Whether money in suspense can have been what somebody says it was, as far as it can be told beforehand. Pure.

The lane's decision has the last word; this saves a person the wait where the answer is clear. Source: c.2 (69), c.4.
"""

from typing import TypeAlias

from clearing.funds import first_above
from clearing.payable import Payable
from clearing.payments.payment import Payment
from clearing.payments.suspense import OF_THE_ACCOUNT, Item, not_taken_back
from medfund import money
from medfund.events.bank import PlacedAs

Named: TypeAlias = Payment | Payable
Target: TypeAlias = Named | Item


def unfit(item: Item, placed_as: PlacedAs, target: Target | None) -> str | None:
    """Why it cannot be that."""
    if not item.open:
        return f"item {item.item_ref} is placed as {item.placed_as} already"
    if placed_as == "CORRECTED":
        return (
            not_taken_back(item, target)
            if isinstance(target, Item)
            else "a CORRECTED names the other item as its target"
        )
    if placed_as in OF_THE_ACCOUNT:
        return None
    if target is None or isinstance(target, Item):
        return f"a {placed_as} names its target and its provider"
    if isinstance(target, Payment) and placed_as == "PAYMENT" and not target.payable_still:
        return f"payment {target.payment_ref} is {target.status}"
    room = _room(item, placed_as, target)
    if (fund := first_above(item.amounts, room)) is not None:
        left, amount = money.yuan(max(0, room.get(fund, 0))), money.yuan(item.amounts[fund])
        return f"fund {fund}: the item is {amount}, and {left} of {target_name(target)} can be {placed_as}"
    return None


def _room(item: Item, placed_as: PlacedAs, target: Named) -> dict[str, int]:
    """By fund: how much of the target is not there yet. A RETURN that went out takes one back that came."""
    if isinstance(target, Payable):
        return target.owing_back
    if placed_as == "RETURN" and item.direction == "OUT":
        return target.returned
    return target.left if placed_as == "PAYMENT" else target.kept


def target_name(target: Named) -> str:
    return target.payment_ref if isinstance(target, Payment) else target.ref
