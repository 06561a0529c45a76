"""What is owed for one thing of a provider, what of it is held, and what of it is on its way to be paid. Pure.

What stays true: every change is a decision that is on the log; what is ordered is a part of what is open, and what is
held is not open; who is paid is the provider, unless its class says otherwise. What is particular to one kind of
payable is said by that kind: in its own class, of itself alone, and in its `Kind`, of what follows from an event.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from clearing.dimensions import Dimensions, fields
from clearing.funds import Fens, added, at_most, fens
from clearing.names import Name
from medfund.events.bank import (
    BankAccount,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
    PlacedAs,
)
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentOrdered, PaymentRetried, PaymentReturned, PaymentReturnUndone, Purpose
from medfund.events.supervision import ClaimPayableHeld, ClaimPayableReleased
from medfund.lanes.draft import Draft, Part, Things

if TYPE_CHECKING:
    from clearing.payments.payment import Payment


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken from a payable, or from its P1, for one open item."""

    taken_from: Literal["P1", "2102", "2104"]
    account: str
    item: str
    step: int
    amounts: Fens


OwedIn: TypeAlias = Literal["2102", "2104", "2105"]


class Payable(msgspec.Struct, kw_only=True):
    """What a provider is paid for one thing: a claim, a recovery that is reversed, or (always empty) a prepayment."""

    owed_in: ClassVar[OwedIn] = "2102"
    """The account in which is what is owed for it."""
    owed_as: ClassVar[Purpose] = "PAYABLE"
    """The purpose of a payment of that; any other one pays an advance, once the bank says so."""
    ref: str
    dimensions: Dimensions
    policy_ref: str
    """The policy that it came into being under; it stays its own when the area's changes."""
    opened: int
    """Where it came into being: an offset of the lane's log."""
    cut_off: date
    """Its clock runs from the day after."""
    payable: Fens = {}
    """Open, `owed_in`; below zero where reversals took more than was owed."""
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

    @property
    def payee(self) -> str:
        """Whose bank account is paid."""
        return self.dimensions.provider

    @property
    def pays_provider(self) -> bool:
        """Whether it is the provider itself that is paid: nobody else is taken for what it owes."""
        return self.payee == self.dimensions.provider

    @property
    def supplier_paid(self) -> str | UnsetType:
        """Whom it is owed to on the provider's behalf, whoever its payee is."""
        return UNSET

    @property
    def pay_by(self) -> date | None:
        """The day by which it is to be paid, where no clock says it."""
        return None

    def waits(self, today: date | None) -> bool:
        """Whether nothing of it is ordered for the time being."""
        return False

    @property
    def carried_by(self) -> Name:
        """What holds the money that it is owed: itself, or the claim that it was approved with."""
        return self.name

    @property
    def live(self) -> bool:
        return True

    @property
    def owed(self) -> bool:
        """Whether it is the provider that is owed something for it."""
        return True

    @property
    def reviewed(self) -> bool:
        """Whether audit has still to say what of it is owed; what is paid of it before is paid by itself."""
        return False

    @property
    def owing_back(self) -> Fens:
        """What the provider may pay back of it in cash."""
        return {}

    @property
    def served_to(self) -> date | None:
        """The last day of the care that it pays for."""
        return None

    def clock(self, purpose: Purpose) -> tuple[int | None, date]:
        """In how many working days a payment of it is due, or None where its policy says so, and after which day."""
        return None, self.cut_off

    def fields(self, cause: Place, funds: Collection[str]) -> dict[str, Any]:
        """What every decision about it, and some of its funds, begins with."""
        return {**fields(self.dimensions, funds), "cause": cause, "policy_ref": self.policy_ref}

    @property
    def owing(self) -> bool:
        """Whether anything can still happen to it by itself."""
        kept = (self.pending, self.advance, self.payable, *self.held.values())
        return any(amount for amounts in kept for amount in amounts.values())

    def number(self, fund: str, purpose: Purpose) -> int:
        """Of the next payment of a fund: the P1 is the first, what is paid after audit begins with the second."""
        last = self.numbered.get(fund, 0)
        return max(last, 1) + 1 if purpose == self.owed_as else last + 1

    def reserve(self, purpose: Purpose, amounts: Fens, sign: int = 1) -> None:
        """So much is on its way to be paid, or is not any more: as what is owed, or as an advance."""
        if purpose == self.owed_as:
            self.ordered = added(self.ordered, amounts, sign)
        else:
            self.pending = added(self.pending, amounts, sign)

    def paid(self, purpose: Purpose, amounts: Fens) -> None:
        """The bank has paid so much of what is on its way."""
        self.reserve(purpose, amounts, -1)
        if purpose == self.owed_as:
            self.payable = added(self.payable, amounts, -1)
        else:
            self.disbursed(amounts)

    def disbursed(self, amounts: Fens, sign: int = 1) -> None:
        """The bank has paid, or got back, what is an advance."""
        self.advance = added(self.advance, amounts, sign)

    def came_back(self, event: PaymentReturned) -> None:
        """What comes back of what was owed waits until somebody asks that it be paid again."""
        to_payable = fens(event.to_payable if event.purpose == "INSTANT" else event.amounts)
        self.disbursed(fens(event.to_advance), -1)
        self.payable = added(self.payable, to_payable)
        self.to_retry = added(self.to_retry, to_payable)

    def went_again(self, event: PaymentReturnUndone) -> None:
        """The bank takes a return back."""
        to_payable = fens(event.to_payable if event.purpose == "INSTANT" else event.amounts)
        self.disbursed(fens(event.to_advance))
        self.payable = added(self.payable, to_payable, -1)
        self.to_retry = added(self.to_retry, at_most(to_payable, self.to_retry), -1)

    def free(self) -> Fens:
        """What of the payable is neither ordered nor needed for a P1 that is still on its way."""
        return added(added(self.payable, self.ordered, -1), self.pending, -1)


@dataclass(frozen=True, kw_only=True)
class Repaid:
    """What a provider pays back in cash, of payables of one class."""

    placed_as: PlacedAs
    """What people say that it was, where the bank does not."""
    into: BankAccount
    """Where it comes."""
    read: Callable[[str], Any]
    """What it is of, as that is kept."""
    told: Callable[[Dimensions | None, str, Mapping[str, Any]], Event]
    """The fact that tells of it: whose it is, if it is there, its name, and what came."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Where payables of one class are, and what follows for them, where it is not the same for all. Each is given the
    draft first."""

    things: Part[Things[Name, Any]]
    settling: Callable[[Draft, Any, BankPaymentSettled, Place], Iterable[Event]] = lambda *_: ()
    """Told before what the bank has paid of it."""
    settled: Callable[[Draft, Any, "Payment", BankPaymentSettled, Fens, Place], Iterable[Event]] = lambda *_: ()
    """The bank has paid so much of it."""
    returned: Callable[[Draft, Any, "Payment", BankPaymentReturned, Fens, Place], Iterable[Event]] = lambda *_: ()
    """So much of it came back."""
    undone: Callable[[Draft, Any, "Payment", BankReturnReversed, Fens, Place], Iterable[Event]] = lambda *_: ()
    """The bank has taken a return of so much of it back."""
    ordering: Callable[[Draft, Any, Place], Iterable[Event]] = lambda *_: ()
    """Told before what is left of it is ordered."""
    not_in_cash: Callable[[Draft, Any], Fens] = lambda *_: {}
    """What of it is not ordered, for something else takes its place."""
    not_again: Callable[[Any], str | None] = lambda _: None
    """Why what failed or came back of it is not paid any more."""
    again: Callable[[Draft, Any, "Payment", Fens, Place, PaymentRetried | None], Iterable[Event]] | None = None
    """What failed, came back or was not sent is ordered anew; not with what else is open of it. The last says who asked
    for that, if somebody did."""
    at_once: Callable[[Draft, Any, Place, Fens], Iterable[Event]] = lambda *_: ()
    """What was to be paid of it before audit is ordered anew."""
    repaid: Repaid | None = None
    """What is paid back of it in cash, if anything is."""


KINDS: Part[Mapping[type[Payable], Kind]] = Part("kinds of payables", dict)
"""Those that the service is composed of."""


def kind(draft: Draft, payable: Payable) -> Kind:
    return draft.known[KINDS][type(payable)]


def every(draft: Draft) -> Iterator[Payable]:
    return (one for things in _things(draft) for one in things.values())


def _things(draft: Draft) -> Iterator[Things[Name, Payable]]:
    """Those of several classes may be together."""
    return (draft[part] for part in dict.fromkeys(kind.things for kind in draft.known[KINDS].values()))


def find(draft: Draft, name: Name) -> Payable | None:
    """What a provider is paid for under a name: never more than one thing."""
    return next((things[name] for things in _things(draft) if name in things), None)


def get(draft: Draft, name: Name) -> Payable:
    if (found := find(draft, name)) is None:
        raise KeyError(name)
    return found


def change(draft: Draft, name: Name) -> Payable:
    """The same, marked as changed: it is written at the end of the batch."""
    of = type(get(draft, name))
    return draft[draft.known[KINDS][of].things].change(name)  # type: ignore[no-any-return]


def carrier(draft: Draft, payable: Payable) -> Payable:
    """The claim that holds the money of those that were approved with it, else the payable itself."""
    return payable if payable.carried_by == payable.name else get(draft, payable.carried_by)


def carried_by(draft: Draft, payable: Payable) -> list[Payable]:
    """Those whose money a payable holds, the oldest first; of one that was not approved with others, itself."""
    return _oldest_first(one for one in every(draft) if one.carried_by == payable.name) or [payable]


def of_purse(draft: Draft, purse: tuple[str, str]) -> list[Payable]:
    """What a provider is owed something for in a purse, the oldest first."""
    return _oldest_first(one for one in every(draft) if one.owed and one.dimensions.purse == purse)


def _oldest_first(payables: Iterable[Payable]) -> list[Payable]:
    return sorted(payables, key=lambda one: (one.opened, one.ref))


def ordered(payable: Payable, event: PaymentOrdered) -> None:
    amounts = fens(event.amounts)
    payable.reserve(event.purpose, amounts)
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
