"""Up to what the fund goes on paying a hospital's suppliers while the hospital has not given it back. Pure.

What stays true: what is compared is what suppliers were paid and the hospital has not given back, over all funds; above
the limit nothing is ordered, and what is ordered and not sent is not sent. Source: R3.6, edge case 51.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from clearing.direct.statement import Statement, statements, wanting
from clearing.funds import Fens, yuans
from clearing.payments.orders import cancel, pay_out
from clearing.payments.payment import amounts_unsent
from medfund import money
from medfund.events.direct import SupplierPaymentBlocked, SupplierPaymentUnblocked
from medfund.events.kinds import Event, Place
from medfund.events.suppliers import DirectCapSet
from medfund.lanes.draft import Draft, Part

Purse: TypeAlias = tuple[str, str]
CAPS: Part[Mapping[Purse, int]] = Part("caps of direct payment", dict)


def with_cap(known: Mapping[Purse, int], event: DirectCapSet) -> Mapping[Purse, int]:
    purse = event.provider, event.area
    others = {one: fen for one, fen in known.items() if one != purse}
    return others if event.amount is None else {**others, purse: money.fen(event.amount)}


def exposure(draft: Draft, purse: Purse) -> int:
    return sum(sum(one.due.values()) for one in statements(draft, purse))


def exceeded(draft: Draft, purse: Purse) -> tuple[int, int] | None:
    """What is out, and the limit that it is above."""
    cap = draft.known[CAPS].get(purse)
    out = exposure(draft, purse) if cap is not None else 0
    return (out, cap) if cap is not None and out > cap else None


def enforced(draft: Draft, purse: Purse, cause: Place) -> Iterator[Event]:
    """More was paid: what is not sent makes way."""
    if (found := exceeded(draft, purse)) is None:
        return
    for one in statements(draft, purse):
        for fund in amounts_unsent(draft, one):
            yield from cancel(draft, one, cause, fund, f"{one.dimensions.provider} is above its cap")
        if (amounts := wanting(draft, one)) and not one.blocked:
            yield blocked(one, amounts, cause, *found)


def blocked(statement: Statement, amounts: Fens, cause: Place, exposure: int, cap: int) -> SupplierPaymentBlocked:
    return SupplierPaymentBlocked(
        **statement.fields(cause, amounts),
        supplier=statement.supplier,
        payable_ref=statement.ref,
        amounts=yuans(amounts),
        exposure=money.yuan(exposure),
        cap=money.yuan(cap),
    )


def unblocked(statement: Statement, cause: Place) -> SupplierPaymentUnblocked:
    amounts = statement.to_order
    return SupplierPaymentUnblocked(
        **statement.fields(cause, amounts),
        supplier=statement.supplier,
        payable_ref=statement.ref,
        amounts=yuans(amounts),
    )


def reconsidered(draft: Draft, purse: Purse, cause: Place) -> Iterator[Event]:
    """Something was given back: what was blocked may be paid now."""
    for one in statements(draft, purse):
        if one.blocked and one.to_order:
            yield from pay_out(draft, one, cause)


def cap_set(draft: Draft, event: DirectCapSet, cause: Place) -> Iterator[Event]:
    purse = event.provider, event.area
    yield from enforced(draft, purse, cause)
    yield from reconsidered(draft, purse, cause)


def evolve_blocked(statement: Statement, event: SupplierPaymentBlocked) -> None:
    statement.blocked = True


def evolve_unblocked(statement: Statement, event: SupplierPaymentUnblocked) -> None:
    statement.blocked = False
