"""A recovery: what a provider has to give back, and what it is owed where that was wrong. Pure.

What stays true: in each fund, what was decided is what is open, taken and reversed while it was open.
"""

from collections.abc import Mapping
from datetime import date

from msgspec import UNSET, UnsetType, field

from clearing import dimensions
from clearing.funds import Fens, added, at_most, fens
from clearing.names import Name
from clearing.payable import Payable
from medfund.events.supervision import RecoveryOpened, RecoveryReversed, RecoverySettled, RecoveryYear
from medfund.lanes.draft import Part, Things


class Recovery(Payable, kw_only=True):
    """`ref` is its case; its payable is what was taken wrongly."""

    year: RecoveryYear
    decided_on: date
    decided: Fens
    settlement_ref: str | None = None
    reason: str | UnsetType = UNSET
    due: Fens
    """Open, 1107."""
    taken: Fens = field(default_factory=dict)
    """In cash or by offset, and not given back."""
    txns: list[str] | UnsetType = UNSET
    """The lines of the bank by which it was paid in cash, where they have a booking day."""

    @property
    def settlement(self) -> Name | None:
        return Name(self.dimensions.provider, self.settlement_ref) if self.settlement_ref else None

    @property
    def open(self) -> bool:
        return any(self.due.values()) or self.owing

    @property
    def owing_back(self) -> Fens:
        return self.due

    @property
    def standing(self) -> Fens:
        """What of it has not been reversed."""
        return added(self.due, self.taken)


RECOVERIES: Part[Things[Name, Recovery]] = Part("recoveries", Things)


def opened(event: RecoveryOpened) -> Recovery:
    return Recovery(
        ref=event.case_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=event.cause.offset,
        cut_off=event.decided_on,
        year=event.recovery_year,
        decided_on=event.decided_on,
        decided=fens(event.amounts),
        settlement_ref=event.settlement_ref,
        reason=event.reason or UNSET,
        due=added(fens(event.amounts), {}),
    )


def take(recovery: Recovery, amounts: Mapping[str, int]) -> None:
    recovery.due = added(recovery.due, amounts, -1)
    recovery.taken = added(recovery.taken, amounts)


def settled(recovery: Recovery, event: RecoverySettled) -> None:
    take(recovery, fens(event.amounts))
    if event.booked_on is not None:
        recovery.txns = [*(recovery.txns or ()), f"{event.bank_txn} {event.booked_on} IN"]


def reversed_(recovery: Recovery, event: RecoveryReversed) -> None:
    to_open, to_payable = fens(event.to_open), fens(event.to_payable)
    recovery.due = added(recovery.due, to_open, -1)
    recovery.taken = added(recovery.taken, to_payable, -1)
    recovery.payable = added(recovery.payable, to_payable)


def split_of_reversal(recovery: Recovery, amounts: Fens) -> tuple[Fens, Fens]:
    """What of a reversal ends a debt, and what was taken already (c.4)."""
    to_open = at_most(amounts, recovery.due)
    return to_open, added(amounts, to_open, -1)
