"""Recoveries (1107), an open item of the waterfall: final, and so due at once. Pure. Source: R3.6 step 2."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from clearing.funds import Fens
from clearing.names import Name
from clearing.offsets import debit
from clearing.offsets.kinds import Kind
from clearing.offsets.waterfall import Due
from clearing.payable import Payable
from clearing.supervision.recovery import RECOVERIES, take
from medfund.lanes.draft import Draft


def due(draft: Draft, payable: Payable, fund: str, own: list[str]) -> Iterator[Due]:
    for recovery in draft[RECOVERIES].values():
        if recovery.dimensions.purse == payable.dimensions.purse and (amount := recovery.due.get(fund, 0)) > 0:
            yield Due("1107", recovery.ref, amount, recovery.opened)


def taken(draft: Draft, item: Name, amounts: Fens, day: date | None) -> None:
    take(draft[RECOVERIES].change(item), amounts)


def about(draft: Draft, item: Name, fund: str) -> Mapping[str, Any]:
    return {**debit.about(draft, item, fund), "recovery_year": draft[RECOVERIES][item].year}


ITEMS = {"1107": Kind(due, taken, about)}
