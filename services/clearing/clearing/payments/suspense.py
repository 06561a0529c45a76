"""Bank money that nobody can place, and what it turns out to be. Pure. Source: c.2 (27, 69), c.4.

What stays true: every line of a bank account is booked, in suspense where it answers nothing; an item is open until
two people say what it was, once.
"""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from clearing.dimensions import disputed
from clearing.funds import Fens, fens, yuans
from clearing.payments import reasons
from clearing.payments.cash import BANKS
from clearing.policy import POLICIES, NoPolicy
from medfund import people
from medfund.events.bank import (
    BankAccount,
    BankAnswer,
    BankLineCorrected,
    BankLineUnplaced,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
    Direction,
    FeeAccount,
    PlacedAs,
)
from medfund.events.direct import BankDirectRepaid, BankShortfallRepaid, BankSupplierRefunded
from medfund.events.kinds import Event, Place
from medfund.events.payments import (
    SuspenseKept,
    SuspenseOpened,
    SuspensePlaced,
    SuspensePlacingNoted,
    SuspensePlacingRefused,
)
from medfund.events.prepayments import BankPrepaymentRepaid
from medfund.events.supervision import BankRecoveryRepaid, RecoveryReceived
from medfund.events.treasury import SuspensePlacingRequested
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft, Part, Things
from medfund.lanes.mandates import MANDATES

Told: TypeAlias = BankAnswer | BankPrepaymentRepaid | RecoveryReceived | BankRecoveryRepaid | BankDirectRepaid
OfLine: TypeAlias = Told | BankLineUnplaced
"""Facts that a line of the bank is told by, of which something can be in suspense."""
FACTS: tuple[type[Event], ...] = (
    BankPaymentSettled, BankPaymentReturned, BankReturnReversed, BankPrepaymentRepaid, RecoveryReceived,
    BankRecoveryRepaid, BankShortfallRepaid, BankSupplierRefunded, BankLineUnplaced,
)  # fmt: skip
OF_THE_ACCOUNT: frozenset[PlacedAs] = frozenset(
    {"FISCAL", "CORRECTED", "INTEREST", "OTHER_INCOME", "FEE", "OTHER_PAYER", "INTER_FUND"}
)
"""What is of the fund's own account; everything else names a payment, or what a provider pays back of."""
FEES_TO: FeeAccount = "5004"
"""Where an area has no policy."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one person says an item was."""

    staff_ref: str
    placed_as: PlacedAs
    placed_on: date
    target: str | None = None
    provider: str | None = None


class Item(msgspec.Struct, kw_only=True):
    item_ref: str
    area: str
    bank_account: BankAccount
    direction: Direction
    amounts: Fens
    bank_txn: str
    value_date: date
    reason: str
    payment_ref: str | None = None
    placed_as: PlacedAs | None = None
    placed_on: date | None = None
    target: str | None = None
    provider: str | None = None
    payment_of: str | UnsetType = UNSET
    """Whose payment the bank named; items of before it was said have none."""
    booked_on: date | UnsetType = UNSET
    """The bank's booking day, where it said one; items of before it did have none."""
    target_lane: int | UnsetType = UNSET
    """Where the other one of the two is that take each other out, if in another lane."""
    said: list[Said] | UnsetType = UNSET
    """While it is open: the last word of each person, in their order."""
    approvers: list[str] | UnsetType = UNSET
    """Who placed it; of before it took two people, nobody is told."""

    @property
    def booked(self) -> date:
        return self.booked_on or self.value_date

    @property
    def open(self) -> bool:
        return self.placed_as is None


SUSPENSE: Part[Things[str, Item]] = Part("suspense", Things)


def item_ref(
    area: str, bank_account: str, fund: str, bank_txn: str, booked_on: date | None, direction: Direction
) -> str:
    """The name of an item: the same for the same line of the same account. Before lines had a booking day it was made
    of the bank's number alone."""
    line = "" if booked_on is None else f" {booked_on} {direction}"
    return f"S-{hashlib.sha256(f'{area} {bank_account} {fund} {bank_txn}{line}'.encode()).hexdigest()[:24]}"


def direction_of(event: OfLine) -> Direction:
    match event:
        case BankLineUnplaced():
            return event.direction
        case BankPaymentSettled() | BankReturnReversed():
            return "OUT"
    return "IN"


def refs(event: OfLine) -> Iterator[str]:
    """What items of a line are, or were, called."""
    for fund in event.amounts:
        yield _ref(event, fund)
        if event.booked_on is not None:
            yield _old_ref(event, fund)


def _ref(event: OfLine, fund: str) -> str:
    return item_ref(event.area, event.bank_account, fund, event.bank_txn, event.booked_on, direction_of(event))


def _old_ref(event: OfLine, fund: str) -> str:
    return item_ref(event.area, event.bank_account, fund, event.bank_txn, None, direction_of(event))


def is_known(draft: Draft, event: Told) -> bool:
    """Whether a line is in suspense, or was."""
    return any(_is_known(draft, event, fund) for fund in event.amounts)


def _is_known(draft: Draft, event: OfLine, fund: str) -> bool:
    if _ref(event, fund) in draft[SUSPENSE]:
        return True
    old = draft[SUSPENSE].get(_old_ref(event, fund))
    return old is not None and (old.direction, old.value_date) == (direction_of(event), event.value_date)


def line_of(event: OfLine) -> str:
    """What a payment, a prepayment or a recovery remembers a line by; without a booking day, by the bank's number."""
    return event.bank_txn if event.booked_on is None else f"{event.bank_txn} {event.booked_on} {direction_of(event)}"


def unplaced(draft: Draft, event: BankLineUnplaced, cause: Place) -> Iterator[Event]:
    """The same line again says nothing new."""
    for fund, fen in fens(event.amounts).items():
        if not _is_known(draft, event, fund):
            yield _opened(event, cause, fund, fen, reasons.UNPLACED)


def unexpected(event: Told, cause: Place, amounts: Fens, reason: str) -> Iterator[Event]:
    """The bank names a payment, a prepayment or a recovery, and moved money that it cannot be for."""
    for fund, fen in amounts.items():
        yield _opened(event, cause, fund, fen, reason)


def _opened(event: OfLine, cause: Place, fund: str, fen: int, reason: str) -> SuspenseOpened:
    return SuspenseOpened(
        area=event.area,
        cause=cause,
        item_ref=_ref(event, fund),
        bank_account=event.bank_account,  # type: ignore[arg-type]
        direction=direction_of(event),
        amounts=yuans({fund: fen}),
        bank_txn=event.bank_txn,
        value_date=event.value_date,
        booked_on=event.booked_on,
        reason=reason,
        payment_ref=event.payment_ref if isinstance(event, BankAnswer) else None,
        payment_of=event.provider if isinstance(event, BankAnswer) else None,
    )


def odd(event: Told, cause: Place, amounts: Fens, reason: str) -> Iterator[Event]:
    """What moved on a bank account goes to suspense; what was there already stays, and is open again."""
    if event.bank_account in BANKS:
        yield from unexpected(event, cause, amounts, reason)
    elif event.found_in is None or event.found_on is None:
        yield disputed(event, cause, reason)
    else:
        for fund, fen in amounts.items():
            yield _kept(event, cause, event.found_in, event.found_on, {fund: fen}, direction_of(event), reason)


def _kept(
    event: Told | BankLineCorrected, cause: Place, found_in: str, found_on: BankAccount, amounts: Fens,
    direction: Direction, reason: str,
) -> SuspenseKept:  # fmt: skip
    return SuspenseKept(
        area=event.area,
        cause=cause,
        item_ref=f"{found_in}r",
        kept_of=found_in,
        bank_account=found_on,
        direction=direction,
        amounts=yuans(amounts),
        bank_txn=event.bank_txn,
        value_date=event.value_date,
        booked_on=event.booked_on,
        reason=reason,
    )


def placing(draft: Draft, event: SuspensePlacingRequested, cause: Place) -> Iterator[Event]:
    item = draft[SUSPENSE].get(event.item_ref)
    detail = f"there is no item {event.item_ref}" if item is None else _refusal(draft, event, item)
    if item is None or detail is not None:
        yield SuspensePlacingRefused(
            area=event.area,
            cause=cause,
            item_ref=event.item_ref,
            staff_ref=event.staff_ref,
            detail=detail or "",
        )
        return
    if (first := _agreeing(draft, item, event)) is None:
        yield SuspensePlacingNoted(
            area=event.area,
            cause=cause,
            item_ref=event.item_ref,
            placed_as=event.placed_as,
            placed_on=event.placed_on,
            staff_ref=event.staff_ref,
            target=event.target,
            provider=event.provider,
        )
        return
    received, target = item, event.target
    if event.placed_as == "CORRECTED" and item.direction == "OUT" and event.target_lane is None:
        received, target = draft[SUSPENSE][str(event.target)], item.item_ref
    yield _placed(
        received,
        cause,
        placed_as=event.placed_as,
        placed_on=event.placed_on,
        staff_ref=event.staff_ref,
        target=target,
        provider=event.provider,
        account=_fee_account(draft, event) if event.placed_as == "FEE" else None,
        approvers=[first, event.staff_ref],
        target_lane=event.target_lane,
    )


def corrected(draft: Draft, event: BankLineCorrected, cause: Place) -> Iterator[Event]:
    """Another lane's item has been placed as what this lane's takes back: it holds here too, or it is open again."""
    item, amounts = draft[SUSPENSE].get(event.item_ref), fens(event.amounts)
    if item is None or not item.open or item.direction == "OUT" or (item.area, item.amounts) != (event.area, amounts):
        why = reasons.NOT_TAKEN_BACK.format(event.item_ref)
        yield _kept(event, cause, event.found_in, event.found_on, amounts, "OUT", why)
        return
    yield _placed(
        item,
        cause,
        placed_as="CORRECTED",
        placed_on=event.placed_on,
        staff_ref=event.said_by[-1],
        target=event.found_in,
        approvers=event.said_by,
        target_lane=event.found_lane,
    )


def _placed(item: Item, cause: Place, **said: Any) -> SuspensePlaced:
    return SuspensePlaced(
        area=item.area,
        cause=cause,
        item_ref=item.item_ref,
        bank_account=item.bank_account,
        direction=item.direction,
        amounts=yuans(item.amounts),
        bank_txn=item.bank_txn,
        value_date=item.value_date,
        booked_on=item.booked_on or None,
        **said,
    )


def _agreeing(draft: Draft, item: Item, event: SuspensePlacingRequested) -> str | None:
    """Another person who says the same of it, with a mandate still."""
    today, what = draft.known[TODAY], (event.placed_as, event.target, event.provider)
    for one in item.said or ():
        theirs = not people.same(one.staff_ref, event.staff_ref) and (one.placed_as, one.target, one.provider) == what
        if theirs and today and draft.known[MANDATES].of(item.area, one.staff_ref, today) is not None:
            return one.staff_ref
    return None


def _fee_account(draft: Draft, event: SuspensePlacingRequested) -> FeeAccount:
    try:
        return draft.known[POLICIES].on(event.area, event.placed_on).fee_account
    except NoPolicy:
        return FEES_TO


def _refusal(draft: Draft, event: SuspensePlacingRequested, item: Item) -> str | None:
    today = draft.known[TODAY]
    if not item.open or item.area != event.area:
        return f"item {item.item_ref} is not open"
    if today is None or draft.known[MANDATES].of(event.area, event.staff_ref, today) is None:
        return f"{event.staff_ref} has no mandate of area {event.area} on {today}"
    if not _may_go(event.placed_as, item.direction):
        return f"money that went {item.direction} is no {event.placed_as}"
    if event.placed_as not in OF_THE_ACCOUNT and not (event.target and event.provider):
        return f"a {event.placed_as} names its target and its provider"
    if event.placed_as == "CORRECTED" and event.target_lane is not None:
        # What left goes first, for it books nothing; whether the other one takes it back, its own lane decides.
        return None if item.direction == "OUT" else f"{item.item_ref} came: begin with what left"
    if event.placed_as == "CORRECTED":
        other = draft[SUSPENSE].get(event.target or "")
        return not_taken_back(item, other) if other else f"{event.target} is no open item of the other direction"
    if event.placed_as == "FISCAL" and (other := _other_side(draft, item)) is not None:
        return other_side(other.item_ref)
    return None


def _may_go(placed_as: PlacedAs, direction: Direction) -> bool:
    """A payment leaves; it comes back, and the bank takes that back; what a provider pays back comes."""
    if placed_as in OF_THE_ACCOUNT or placed_as == "RETURN":
        return True
    return direction == ("OUT" if placed_as == "PAYMENT" else "IN")


def other_side(item_ref: str) -> str:
    return f"{item_ref} is the other side of it: place the two as CORRECTED"


def not_taken_back(item: Item, other: Item) -> str | None:
    """An item takes another one back: the bank's own mistake, or the two sides of a transfer."""
    if not other.open or other.direction == item.direction:
        return f"{other.item_ref} is no open item of the other direction"
    if (other.area, other.amounts) != (item.area, item.amounts):
        return f"{other.item_ref} is of another area or another amount"
    return None


def _other_side(draft: Draft, item: Item) -> Item | None:
    """The line of the fund's other account that a transfer between the two would have left."""
    alike = (
        one for one in draft[SUSPENSE].values() if one.open and (one.area, one.amounts) == (item.area, item.amounts)
    )
    turned = (one for one in alike if one.bank_account != item.bank_account and one.direction != item.direction)
    return next(turned, None)


# -- what the decisions change


def evolve_opened(draft: Draft, event: SuspenseOpened | SuspenseKept) -> None:
    item = Item(
        item_ref=event.item_ref,
        area=event.area,
        bank_account=event.bank_account,
        direction=event.direction,
        amounts=fens(event.amounts),
        bank_txn=event.bank_txn,
        value_date=event.value_date,
        reason=event.reason,
        payment_ref=event.payment_ref if isinstance(event, SuspenseOpened) else None,
        payment_of=(event.payment_of if isinstance(event, SuspenseOpened) else None) or UNSET,
        booked_on=event.booked_on or UNSET,
    )
    draft[SUSPENSE].put(item.item_ref, item)


def evolve_noted(draft: Draft, event: SuspensePlacingNoted) -> None:
    item = draft[SUSPENSE].change(event.item_ref)
    others = [one for one in item.said or () if not people.same(one.staff_ref, event.staff_ref)]
    said = Said(
        staff_ref=event.staff_ref,
        placed_as=event.placed_as,
        placed_on=event.placed_on,
        target=event.target,
        provider=event.provider,
    )
    item.said = [*others, said]


def evolve_placed(draft: Draft, event: SuspensePlaced) -> None:
    together = event.placed_as == "CORRECTED" and event.target_lane is None
    for ref in (event.item_ref, event.target if together else None):
        if ref is not None:
            item = draft[SUSPENSE].change(ref)
            item.placed_as, item.placed_on = event.placed_as, event.placed_on
            item.target = event.target if ref == event.item_ref else event.item_ref
            item.provider = event.provider
            item.target_lane = UNSET if event.target_lane is None else event.target_lane
            item.said, item.approvers = UNSET, event.approvers or UNSET
