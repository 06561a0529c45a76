"""What a provider is owed (2102), what of it is held, and what of it is on its way to be paid. Pure.

What stays true: every change is a decision that is on the log; what is ordered is a part of what is open, and what is
held is not open.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from clearing.dimensions import Dimensions, told
from clearing.funds import Fens, added, fens
from clearing.names import Name
from medfund.events.clearing import ClaimPayableHeld, ClaimPayableReleased
from medfund.events.kinds import Place
from medfund.events.payments import PaymentOrdered, Purpose


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken from a payable, or from its P1, for one open item."""

    taken_from: Literal["P1", "2102", "2104"]
    account: str
    item: str
    step: int
    amounts: Fens


class Payable(msgspec.Struct, kw_only=True):
    """Something that a provider is paid for: a claim, or what a recovery took wrongly."""

    ref: str
    dimensions: Dimensions
    policy_ref: str
    """The policy that it came into being under; it stays its own when the area's changes."""
    opened: int
    """Where it came into being: an offset of the lane's log."""
    cut_off: date
    """Its clock runs from the day after."""
    payable: Fens = {}
    """Open, 2102; below zero where reversals took more than was owed."""
    ordered: Fens = {}
    """Of that: ordered, and not yet confirmed by the bank."""
    held: dict[str, Fens] = {}
    """2108, by hold."""
    to_hold: dict[str, Fens] = {}
    """By hold: to be held as soon as it is approved."""
    held_because: dict[str, str] | UnsetType = UNSET
    """By hold, as long as it holds something: why, in words."""
    to_retry: Fens = {}
    """Of what is open: what failed or came back, until somebody asks that it be paid again."""
    numbered: dict[str, int] = {}
    """By fund: the number of its last payment."""
    pending: Fens = {}
    """Of a P1: ordered, and not yet confirmed by the bank."""
    advance: Fens = {}
    """Open instant advance, 1104."""
    offsets: list[Offset] = []
    """In the order in which they were taken."""
    last_paid: date | None = None
    """The value date of its last payment."""

    @property
    def name(self) -> Name:
        return Name(self.dimensions.provider, self.ref)

    def told(self, cause: Place, funds: Collection[str]) -> dict[str, Any]:
        """What every decision about it, and some of its funds, begins with."""
        return {**told(self.dimensions, funds), "cause": cause, "policy_ref": self.policy_ref}

    @property
    def owing(self) -> bool:
        """Whether anything can still happen to it by itself."""
        kept = (self.pending, self.advance, self.payable, *self.held.values())
        return any(amount for amounts in kept for amount in amounts.values())

    def number(self, fund: str, purpose: Purpose) -> int:
        """Of the next payment of a fund: the P1 is the first, what is paid after audit begins with the second."""
        last = self.numbered.get(fund, 0)
        return last + 1 if purpose in ADVANCES else max(last, 1) + 1

    def advanced(self, amounts: Fens, sign: int = 1) -> None:
        """The bank has paid, or got back, what is an advance."""
        self.advance = added(self.advance, amounts, sign)

    def free(self) -> Fens:
        """What of the payable is neither ordered nor needed for a P1 that is still on its way."""
        return added(added(self.payable, self.ordered, -1), self.pending, -1)


ADVANCES: Collection[Purpose] = ("INSTANT", "PREPAYMENT", "BULK")
"""Payments that pay no payable: what they pay is an advance, once the bank says so."""


def ordered(payable: Payable, event: PaymentOrdered) -> None:
    amounts = fens(event.amounts)
    if event.purpose in ADVANCES:
        payable.pending = added(payable.pending, amounts)
    else:
        payable.ordered = added(payable.ordered, amounts)
    for fund in amounts:
        payable.numbered = {**payable.numbered, fund: payable.number(fund, event.purpose)}


def held(payable: Payable, event: ClaimPayableHeld) -> None:
    amounts, to_come = fens(event.amounts), fens(event.to_come)
    payable.payable = added(payable.payable, amounts, -1)
    payable.held = kept({**payable.held, event.hold_ref: added(payable.held.get(event.hold_ref, {}), amounts)})
    payable.to_hold = kept({**payable.to_hold, event.hold_ref: to_come})
    if event.reason is not None:
        payable.held_because = {**(payable.held_because or {}), event.hold_ref: event.reason}


def released(payable: Payable, event: ClaimPayableReleased) -> None:
    amounts, to_come = fens(event.amounts), fens(event.to_come)
    payable.payable = added(payable.payable, amounts)
    payable.held = kept({**payable.held, event.hold_ref: added(payable.held.get(event.hold_ref, {}), amounts, -1)})
    left = added(payable.to_hold.get(event.hold_ref, {}), to_come, -1)
    payable.to_hold = kept({**payable.to_hold, event.hold_ref: left})
    held_because(payable, payable.held_because or {})


def held_because(payable: Payable, reasons: Mapping[str, str]) -> None:
    """Of what it holds, or will."""
    holds = payable.held.keys() | payable.to_hold.keys()
    payable.held_because = {hold: reason for hold, reason in reasons.items() if hold in holds} or UNSET


def kept(holds: dict[str, Fens]) -> dict[str, Fens]:
    return {hold: amounts for hold, amounts in sorted(holds.items()) if any(amounts.values())}
