"""How much is granted, and how much of it is to be taken back by when. Pure; fen.

What stays true: only the base and the grant are rounded, for they are published as numbers of their own (R10); whatever
is taken back by and by adds up to what was granted. Source: R2.3, R2.5, R2.6, R10.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Literal, TypeAlias

from medfund import money

Schedule: TypeAlias = Literal["BULLET_DEC", "STRAIGHT_LAST", "MONTHLY_12", "AT_ANNUAL_CLEARING"]

BASE_MONTHS_LEAST, BASE_MONTHS_MOST = 12, 36


def first_come(wanted: Sequence[int], limit: int) -> list[int]:
    """Grants in their order, each whole or not at all."""
    given, found = 0, []
    for amount in wanted:
        fits = amount if given + amount <= limit else 0
        given += fits
        found.append(fits)
    return found


def check_months(months: int) -> None:
    """Raises `ValueError` where a base period has so many."""
    if not BASE_MONTHS_LEAST <= months <= BASE_MONTHS_MOST:
        raise ValueError(f"a base period of {months} months; it has {BASE_MONTHS_LEAST} to {BASE_MONTHS_MOST}")


def base(settled: int, months: int) -> int:
    """The mean of what was settled from a fund in the months of a base period."""
    return money.round2(Fraction(settled, months))


def grant(base_fen: int, ratio: Fraction) -> int:
    return money.round2(base_fen * ratio)


def due_by(granted: int, schedule: Schedule, *, months: int, on: date, year: int) -> int:
    """How much of a grant of a year is to be taken back in all by a day: cumulative, so that nothing is lost (R10).

    `months` is the length of STRAIGHT_LAST. A month's part is due from its first day on.
    """
    if on.year > year:
        return 0 if schedule == "AT_ANNUAL_CLEARING" else granted
    if on.year < year or schedule == "AT_ANNUAL_CLEARING":
        return 0
    length = {"BULLET_DEC": 1, "STRAIGHT_LAST": months, "MONTHLY_12": 12}[schedule]
    passed = max(0, on.month - (12 - length))
    return money.round2(Fraction(granted * passed, length))


def due_by_progress(granted: int, agreed: int, purchased: int) -> int:
    """What of a bulk-purchase prepayment is to be taken back once so much of the agreed amount was purchased (R2.6)."""
    return money.round2(Fraction(granted * min(max(purchased, 0), agreed), agreed)) if agreed > 0 else granted


def fitted(wanted: Sequence[int], limit: int) -> list[int]:
    """Grants scaled down to a limit, exactly; as they are where they fit."""
    return money.split(limit, wanted) if sum(wanted) > limit else list(wanted)
