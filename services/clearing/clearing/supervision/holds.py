"""What follows from holds: a payable is put aside, and paid in full when released. Pure. Source: R6, R6.1, c.4."""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from clearing import names
from clearing import payable as payables
from clearing.dimensions import disputed
from clearing.funds import Fens, added, at_most, fens, first_above, yuans
from clearing.payable import Payable
from clearing.payments.orders import cancel, pay_out
from clearing.payments.payment import amounts_unsent
from medfund.events.kinds import Event, Place
from medfund.events.supervision import (
    ClaimPayableHeld,
    ClaimPayableReleased,
    Hold,
    PaymentHoldPlaced,
    PaymentHoldReleased,
)
from medfund.lanes.draft import Draft


def placed(draft: Draft, event: PaymentHoldPlaced, cause: Place) -> Iterator[Event]:
    """What is approved is held now; of a claim in review, what will be approved of it."""
    payable = _payable(draft, event)
    if payable is None:
        yield disputed(event, cause, f"there is no payable {event.payable_ref}")
        return
    if event.hold_ref in payable.held or event.hold_ref in payable.to_hold:
        yield disputed(event, cause, f"hold {event.hold_ref} is placed already")
        return
    amounts = fens(event.amounts)
    if payable.reviewed:
        yield _held(payable, cause, event.hold_ref, {}, to_come=amounts, reason=event.reason)
    elif (fund := first_above(amounts, added(payable.free(), amounts_unsent(draft, payable)))) is not None:
        yield disputed(event, cause, f"fund {fund}: less than {event.amounts[fund]} is open and not sent to the bank")
    else:
        yield from _held_now(draft, payable, cause, event.hold_ref, amounts, event.reason)


def _held_now(draft: Draft, payable: Payable, cause: Place, hold: str, amounts: Fens, reason: str) -> Iterator[Event]:
    """Payments that are not sent yet make way for it; what is left of them is ordered anew (edge case 39)."""
    needed = [fund for fund in amounts if first_above({fund: amounts[fund]}, payable.free())]
    for fund in needed:
        yield from cancel(draft, payable, cause, fund, f"hold {hold} was placed")
    yield _held(payable, cause, hold, amounts, to_come={}, reason=reason)
    if needed:
        yield from pay_out(draft, payable, cause)


def hold_approved(draft: Draft, payable: Payable, cause: Place) -> Iterator[Event]:
    """What was to be held of a claim, when something of it is approved."""
    for hold, amounts in payable.to_hold.items():
        if now := at_most(amounts, payable.payable):
            left = {fund: fen - now.get(fund, 0) for fund, fen in amounts.items() if fen > now.get(fund, 0)}
            yield _held(payable, cause, hold, now, to_come=left if payable.reviewed else {})


def released(draft: Draft, event: PaymentHoldReleased, cause: Place) -> Iterator[Event]:
    """In full and without interest: the waterfall, and the rest in cash."""
    payable = _payable(draft, event)
    if payable is None:
        yield disputed(event, cause, f"there is no payable {event.payable_ref}")
        return
    amounts = fens(event.amounts)
    now = at_most(amounts, payable.held.get(event.hold_ref, {}))
    to_come = {fund: fen - now.get(fund, 0) for fund, fen in amounts.items() if fen > now.get(fund, 0)}
    if (fund := first_above(to_come, payable.to_hold.get(event.hold_ref, {}))) is not None:
        yield disputed(event, cause, f"fund {fund}: hold {event.hold_ref} holds less than {event.amounts[fund]}")
        return
    yield ClaimPayableReleased(**_about(payable, cause, event.hold_ref, now), to_come=yuans(to_come))
    if now:
        yield from pay_out(draft, payable, cause)


def _payable(draft: Draft, event: Hold) -> Payable | None:
    """What a hold is about: of a claim that was approved with others, the one that carries what they are owed."""
    named = payables.find(draft, names.payable(event))
    payable = payables.carrier(draft, named) if named else None
    if payable is None or event.account != payable.owed_in:
        return None
    return payable if payable.owed and payable.live else None


def _held(
    payable: Payable, cause: Place, hold: str, amounts: Fens, to_come: Fens, reason: str | None = None
) -> ClaimPayableHeld:
    return ClaimPayableHeld(**_about(payable, cause, hold, amounts), to_come=yuans(to_come), reason=reason)


def _about(payable: Payable, cause: Place, hold: str, amounts: Fens) -> dict[str, Any]:
    return {
        **payable.fields(cause, amounts),
        "hold_ref": hold,
        "payable_ref": payable.ref,
        "amounts": yuans(amounts),
        "account": UNSET if payable.owed_in == Payable.owed_in else payable.owed_in,
    }


# -- what the decisions change


def evolve_held(draft: Draft, event: ClaimPayableHeld) -> None:
    payables.held(payables.change(draft, names.payable(event)), event)


def evolve_released(draft: Draft, event: ClaimPayableReleased) -> None:
    payables.released(payables.change(draft, names.payable(event)), event)
