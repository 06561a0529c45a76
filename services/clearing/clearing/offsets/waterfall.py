"""What a provider owes is taken from what it is owed, step by step: the waterfall of R3.6. Pure; one fund at a time.

What stays true: what is taken never exceeds what is left, nor what the item still owes; a fund never pays another's
item. The order of the steps is policy; within a step the oldest item goes first.
"""

from collections.abc import Iterable, Sequence
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
    """One offset: `step` counts the policy's steps from 1, `order` the offsets of one payable from 1."""

    account: str
    item: str
    amount: int
    step: int
    order: int


def waterfall(payable: int, items: Iterable[Due], steps: Sequence[str]) -> tuple[list[Taken], int]:
    """The offsets of a payable (fen, one fund), and what is left of it to be paid in cash.

    `steps` are the accounts in their order; an item of another account is not taken.
    """
    place = {account: number for number, account in enumerate(steps, 1)}
    due = sorted((item for item in items if item.account in place), key=lambda item: (place[item.account], item.opened))
    taken: list[Taken] = []
    left = max(0, payable)
    for item in due:
        amount = min(left, item.amount)
        if amount > 0:
            taken.append(Taken(item.account, item.item, amount, place[item.account], len(taken) + 1))
            left -= amount
    return taken, left
