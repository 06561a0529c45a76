"""Payables below zero, an open item of the waterfall: reversals took more than was owed, and other payables of the same
fund make it good (2102 is one account of the provider, R3.6). Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from clearing import payable as payables
from clearing.funds import Fens, added
from clearing.names import Name
from clearing.offsets.kinds import Kind
from clearing.offsets.waterfall import Due
from clearing.payable import Payable
from medfund.lanes.draft import Draft


def due(draft: Draft, payable: Payable, fund: str, own: list[str]) -> Iterator[Due]:
    for other in payables.of_purse(draft, payable.dimensions.purse):
        mine = other is not payable and other.dimensions.payer == payable.dimensions.payer
        if mine and (amount := -other.payable.get(fund, 0)) > 0:
            yield Due("2102", other.ref, amount, other.opened)


def taken(draft: Draft, item: Name, amounts: Fens, day: date | None) -> None:
    other = payables.change(draft, item)
    other.payable = added(other.payable, amounts)


def about(draft: Draft, item: Name, fund: str) -> Mapping[str, Any]:
    whose = payables.get(draft, item).dimensions
    return {"item_insured_area": whose.insured_area, "item_advanced": [name for name in whose.advanced if name == fund]}


ITEMS = {"2102": Kind(due, taken, about)}
