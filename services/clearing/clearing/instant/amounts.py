"""Pay part at once, the rest after audit: the amounts of R1.5. Pure; every fund by itself, in fen.

What stays true: P1 is never more than the claim at its ratio; the bond is never more than the ratio's part of what was
approved, and nothing where nothing is left.
"""

from collections.abc import Mapping
from fractions import Fraction

from medfund import money


def p1(claimed: Mapping[str, int], ratio: Mapping[str, Fraction]) -> dict[str, int]:
    """What is advanced at once: `round2(claimed x ratio)`. Negative where reversals outweigh the claim of a fund."""
    return {fund: money.round2(amount * ratio[fund]) for fund, amount in claimed.items()}


def bond_on(approved: int, ratio: Fraction) -> int:
    """The quality bond that is kept of what was approved in a fund: `round2(approved x ratio)` (R1.5)."""
    return money.round2(max(0, approved) * ratio)
