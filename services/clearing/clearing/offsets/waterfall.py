"""What a provider owes is taken from what it is owed, step by step: the waterfall of R3.6. Pure; one fund at a time.

What stays true: what is taken never exceeds what is left, nor what the item still owes; a fund never pays another's
item. The order of the steps is policy; within a step the oldest item goes first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Due:
    """What may be taken now for one open item of one fund: fen, more than zero."""

    account: str
    item: str
    amount: int
    opened: int
    """The order in which items of an account came into being."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One offset: `step` is the place of its account among the steps, `order` counts the offsets of one payable."""

    account: str
    item: str
    amount: int
    step: int
    order: int


def waterfall(payable: int, items: Iterable[Due], steps: Sequence[str]) -> Iterator[Taken]:
    """The offsets of a payable (fen, one fund); what they leave of it is paid in cash.

    `steps` are the accounts in their order, from step 0 on; an item of another account is not taken.
    """
    place = {account: number for number, account in enumerate(steps)}
    due = sorted((item for item in items if item.account in place), key=lambda item: (place[item.account], item.opened))
    left, order = max(0, payable), 0
    for item in due:
        amount = min(left, item.amount)
        if amount > 0:
            order += 1
            left -= amount
            yield Taken(item.account, item.item, amount, place[item.account], order)
