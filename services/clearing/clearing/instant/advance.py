"""Instant advances (1104), an open item of the waterfall: what was paid at once is taken from what is approved. Pure.

A claim's own advance goes first, then the rests of claims that are approved, never of one in review (R3.6).
"""

from collections.abc import Iterator
from datetime import date

from clearing.claims.claim import CLAIMS, claims_of
from clearing.funds import Fens, added
from clearing.names import Name
from clearing.offsets import debit
from clearing.offsets.kinds import Kind
from clearing.offsets.waterfall import Due
from clearing.payable import Payable
from medfund.lanes.draft import Draft


def due(draft: Draft, payable: Payable, fund: str, own: list[str]) -> Iterator[Due]:
    for other in claims_of(draft, payable.dimensions.provider):
        if (amount := other.advance.get(fund, 0)) <= 0 or other.dimensions.payer != payable.dimensions.payer:
            continue
        if other.ref in own:
            yield Due("1104", other.ref, amount, -1)
        elif other.status == "APPROVED":
            yield Due("1104", other.ref, amount, other.opened)


def taken(draft: Draft, item: Name, amounts: Fens, day: date | None) -> None:
    claim = draft[CLAIMS].change(item)
    claim.advance = added(claim.advance, amounts, -1)


ITEMS = {"1104": Kind(due, taken, debit.about)}
