"""What will come back of prepayments, month by month to the end of their year, and what will be left. Pure.

An estimate: every month is expected to be as the base period's mean was, and nothing is paid back in cash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from clearing.policy import Policy
from clearing.prepayment.owed import due_now
from clearing.prepayment.prepayment import Prepayment

AGES = (30, 90, 180)
"""Days since it was paid: up to so many, and more."""


class Month(NamedTuple):
    first: date
    due: int
    """By its end, of what is still out then."""
    expected: int
    """To be taken back in what is left of it."""
    left: int


class Age(NamedTuple):
    up_to: int | None
    prepayments: int
    outstanding: int


@dataclass(frozen=True)
class Outlook:
    """Of one fund; fen."""

    fund: str
    outstanding: int
    ages: Sequence[Age]
    months: Sequence[Month]

    @property
    def left(self) -> int:
        """At the end of the year."""
        return self.months[-1].left if self.months else self.outstanding


def outlook(fund: str, open_ones: Iterable[tuple[Prepayment, Policy]], today: date, year: int | None = None) -> Outlook:
    """Of the prepayments of a fund that are out, from the month of today to the last of its year; of a `year` that is
    over there is nothing ahead."""
    found = [(one, policy) for one, policy in open_ones if one.left > 0]
    left = [one.left for one, _ in found]
    months = []
    for number in range(today.month, 13) if year in (None, today.year) else ():
        last = date(today.year + number // 12, number % 12 + 1, 1) - timedelta(days=1)
        due = [min(out, _due(one, policy, last, out)) for (one, policy), out in zip(found, left, strict=True)]
        back = [0 if last <= today else min(amount, one.base) for (one, _), amount in zip(found, due, strict=True)]
        left = [out - taken for out, taken in zip(left, back, strict=True)]
        months.append(Month(last.replace(day=1), sum(due), sum(back), sum(left)))
    return Outlook(fund, sum(one.left for one, _ in found), _ages([one for one, _ in found], today), months)


def _due(one: Prepayment, policy: Policy, last: date, out: int) -> int:
    """The fen that are due by `last`, given that `out` is outstanding then: what is taken meanwhile lowers both."""
    return max(0, due_now(one, policy, last) - (one.left - out))


def _ages(found: Sequence[Prepayment], today: date) -> list[Age]:
    ages: dict[int | None, list[int]] = {limit: [] for limit in (*AGES, None)}
    for one in found:
        days = (today - (one.last_paid or today)).days
        ages[next((limit for limit in AGES if days <= limit), None)].append(one.left)
    return [Age(limit, len(amounts), sum(amounts)) for limit, amounts in ages.items()]
