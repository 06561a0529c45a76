"""Rules that several event types share: signs, funds that another payer bears, amounts that must add up.

Each is a function of one event that gives its first problem or None. Source: domain.md R1.5, R5.1, c.4.
"""

from collections.abc import Mapping
from typing import Protocol

from medfund import money, people
from medfund.events.kinds import Event, Rule
from medfund.events.refusals import Problem, Reason, quoted


class _Advanced(Protocol):
    @property
    def advanced(self) -> list[str]: ...


def not_negative(*names: str) -> Rule:
    """Every amount of the named maps is zero or more."""

    def check(event: Event) -> Problem | None:
        for name in names:
            for fund, amount in getattr(event, name).items():
                if amount.startswith("-"):
                    return Problem(Reason.BAD_AMOUNT, f"$.{name}[{quoted(fund)}]: {amount} must not be negative")
        return None

    return check


def advanced_in(name: str) -> Rule:
    """The funds that another payer bears are among the funds of the event, each named once."""

    def check(event: _Advanced) -> Problem | None:
        return advanced_among(event.advanced, getattr(event, name), name)

    return check


def advanced_among(advanced: list[str], funds: Mapping[str, str], name: str) -> Problem | None:
    """The same for one list and one map."""
    for i, fund in enumerate(advanced):
        if fund not in funds:
            return Problem(Reason.UNKNOWN_FUND, f"$.advanced[{i}]: {quoted(fund)} is not among the funds of $.{name}")
        if fund in advanced[:i]:
            return Problem(Reason.UNKNOWN_FUND, f"$.advanced[{i}]: {quoted(fund)} is named twice")
    return None


def sums(whole: str, *parts: str) -> Rule:
    """Per fund, the amount in `whole` is the sum of the amounts in `parts`; a fund that a map lacks counts as 0."""

    def check(event: Event) -> Problem | None:
        total, shares = getattr(event, whole), [getattr(event, part) for part in parts]
        for fund in sorted({*total, *(name for share in shares for name in share)}):
            expected, found = _of(total, fund), sum(_of(share, fund) for share in shares)
            if expected != found:
                names = " + ".join(f"$.{part}" for part in parts)
                return Problem(
                    Reason.IDENTITY_MISMATCH,
                    f"$.{whole}[{quoted(fund)}] is {money.yuan(expected)}, {names} make {money.yuan(found)}",
                )
        return None

    return check


def _of(amounts: Mapping[str, str], fund: str) -> int:
    return money.fen(amounts.get(fund, "0.00"))


def in_order(first: str, second: str) -> Rule:
    """The day in `first` is not after the day in `second`, where there is one."""

    def check(event: Event) -> Problem | None:
        begin, end = getattr(event, first), getattr(event, second)
        if end is None or begin <= end:
            return None
        return Problem(Reason.BAD_DATE, f"$.{first}: {begin} is after $.{second}, {end}")

    return check


def two_people(name: str) -> Rule:
    """The list names two people, who are not one under another case."""

    def check(event: Event) -> Problem | None:
        if len(named := getattr(event, name)) == people.count(named) == 2:
            return None
        return Problem(Reason.BAD_CODE, f"$.{name}: two different people are needed")

    return check
