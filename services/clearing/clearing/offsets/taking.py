"""The waterfall over what a provider is owed: which open items are taken, as decisions. Pure.

What stays true: nothing is taken across funds, nor across purses (provider, area); an advance and a payable below zero
are made good by claims on the same payer alone. Source: R3.6, R10.
"""

from collections.abc import Iterator

from clearing import names
from clearing import payable as payables
from clearing.funds import Fens, added, fens, total, yuans
from clearing.names import Name
from clearing.offsets.kinds import KINDS
from clearing.offsets.waterfall import waterfall
from clearing.payable import Offset, Payable
from clearing.policy import policy_of
from medfund.events.kinds import Event, Place
from medfund.events.offsets import OffsetApplied
from medfund.lanes.draft import Draft

DEBIT = "2102"
"""Step 0: a payable makes good another claim's negative one before anything else; both are the provider's 2102."""

NOT_OF_A_P1 = ("", "")
"""Steps 0 and 1 do not exist for a P1, which is 1104 itself: the others keep their numbers."""
NOT_OF_ANOTHER = ""
"""Nor does step 0 for what is owed in another account."""


def offset(draft: Draft, payable: Payable, cause: Place, own: list[str]) -> Iterator[Event]:
    """What is taken from the free part of a payable. `own`: the claims whose advances are its own."""
    policy = policy_of(draft, payable)
    first = DEBIT if payable.owed_in == DEBIT else NOT_OF_ANOTHER
    for fund in sorted(payable.payable) if payable.pays_provider else ():
        steps, left = (first, *policy.steps_for(fund, at_instant=False)), to_pay(draft, payable, own).get(fund, 0)
        yield from _take(draft, payable, cause, fund, left, steps, own, payable.owed_in)


def to_pay(draft: Draft, payable: Payable, own: list[str]) -> Fens:
    """What of a payable is neither ordered, nor needed for a P1 of its claims that is still on its way, nor came back
    and waits for somebody to ask for it again."""
    with_it = [Name(payable.dimensions.provider, ref) for ref in own if ref != payable.ref]
    others = total(one.pending for name in with_it if (one := payables.find(draft, name)))
    return added(added(payable.free(), others, -1), payable.to_retry, -1)


def offset_at_instant(draft: Draft, payable: Payable, cause: Place, p1: Fens) -> Iterator[Event]:
    """What is taken from a P1 before it is paid: everything but advances (R3.6)."""
    policy = policy_of(draft, payable)
    for fund, amount in sorted(p1.items()):
        steps = policy.steps_for(fund, at_instant=True)
        yield from _take(draft, payable, cause, fund, amount, (*NOT_OF_A_P1, *steps), [], "P1")


def takes(draft: Draft, payable: Payable, fund: str, *, at_instant: bool) -> bool:
    """Whether the provider owes something that a payable of a fund, or its P1, would be taken for; its own advances
    aside, which wait for it."""
    if not payable.pays_provider:
        return False
    steps: tuple[str, ...] = policy_of(draft, payable).steps_for(fund, at_instant=at_instant)
    if not at_instant and payable.owed_in == DEBIT:
        steps = (DEBIT, *steps)
    kinds = [draft.known[KINDS][account] for account in steps if account in draft.known[KINDS]]
    own = {one.ref for one in payables.carried_by(draft, payables.carrier(draft, payable))}
    found = (item for kind in kinds for item in kind.due(draft, payable, fund, []))
    return any(item.account not in (DEBIT, "1104") or item.item not in own for item in found)


def _take(
    draft: Draft,
    payable: Payable,
    cause: Place,
    fund: str,
    amount: int,
    steps: tuple[str, ...],
    own: list[str],
    taken_from: str,
) -> Iterator[Event]:
    policy = policy_of(draft, payable)
    kinds = [draft.known[KINDS][account] for account in steps if account in draft.known[KINDS]]
    due = [item for kind in kinds for item in kind.due(draft, payable, fund, own)]
    for taken in waterfall(amount, due, steps):
        kind, item = draft.known[KINDS][taken.account], Name(payable.dimensions.provider, taken.item)
        p1 = taken_from == "P1" or taken.account == "1104"
        yield OffsetApplied(
            **payable.fields(cause, {fund: taken.amount}),
            **kind.about(draft, item, fund),
            payable_ref=payable.ref,
            taken_from=taken_from,  # type: ignore[arg-type]
            account=taken.account,  # type: ignore[arg-type]
            item_ref=taken.item,
            step=taken.step,
            order=taken.order,
            amounts=yuans({fund: taken.amount}),
            instant_stat=policy.instant_stat if p1 else None,
        )
        yield from kind.ended(draft, item, cause)
    for kind in kinds if amount > 0 else ():
        yield from kind.left(draft, payable, fund, cause)


def evolve(draft: Draft, event: OffsetApplied) -> None:
    """What was taken from a payable, or from a P1 (which is then an advance like any other), pays off its item."""
    payable, amounts = payables.change(draft, names.payable(event)), fens(event.amounts)
    taken = Offset(
        taken_from=event.taken_from, account=event.account, item=event.item_ref, step=event.step, amounts=amounts
    )
    payable.offsets = [*payable.offsets, taken]
    if event.taken_from == "P1":
        payable.advance = added(payable.advance, amounts)
    else:
        payable.payable = added(payable.payable, amounts, -1)
    draft.known[KINDS][event.account].taken(draft, Name(event.provider, event.item_ref), amounts, event.day)
