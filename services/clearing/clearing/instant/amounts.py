"""Pay part at once, the rest after audit: the amounts of R1.5 and R1.6. Pure; every fund by itself, in fen.

What stays true: `approved == bond + net` and `net == p1 + p2`, in each fund; a total is only ever the sum of the funds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from medfund import money


@dataclass(frozen=True, slots=True)
class Approved:
    """What remains of a claim after audit, by fund."""

    approved: Mapping[str, int]
    bond: Mapping[str, int]
    net: Mapping[str, int]


def p1(claimed: Mapping[str, int], ratio: Mapping[str, Fraction]) -> dict[str, int]:
    """What is advanced at once: `round2(claimed x ratio)`. Negative where reversals outweigh the claim of a fund."""
    return {fund: money.round2(amount * ratio[fund]) for fund, amount in claimed.items()}


def approve(claimed: Mapping[str, int], deducted: Mapping[str, int], bond_ratio: Mapping[str, Fraction]) -> Approved:
    """The claim less its final deductions, and the quality bond kept from it; none where nothing is left (R1.5)."""
    approved = {fund: amount - deducted.get(fund, 0) for fund, amount in claimed.items()}
    bond = {fund: money.round2(max(0, amount) * bond_ratio[fund]) for fund, amount in approved.items()}
    return Approved(approved, bond, {fund: approved[fund] - bond[fund] for fund in approved})
