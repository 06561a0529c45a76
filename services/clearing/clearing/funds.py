"""Amounts by fund, in fen. Funds are legally separate: everything is done fund by fund, and a total is only a sum."""

from collections.abc import Iterable, Mapping

from medfund import money

Fens = dict[str, int]


def fens(amounts: Mapping[str, str]) -> Fens:
    return {fund: money.fen(amount) for fund, amount in amounts.items()}


def yuans(amounts: Mapping[str, int]) -> dict[str, str]:
    return {fund: money.yuan(amount) for fund, amount in amounts.items()}


def added(amounts: Mapping[str, int], more: Mapping[str, int], sign: int = 1) -> Fens:
    """The sum by fund; a fund whose sum is nothing is left out."""
    sums = {fund: amounts.get(fund, 0) + sign * more.get(fund, 0) for fund in sorted({*amounts, *more})}
    return {fund: amount for fund, amount in sums.items() if amount}


def total(parts: Iterable[Mapping[str, int]]) -> Fens:
    found: Fens = {}
    for part in parts:
        found = added(found, part)
    return found


def at_most(amounts: Mapping[str, int], limits: Mapping[str, int]) -> Fens:
    """What of the amounts the limits leave; nothing of a fund whose limit is not above zero."""
    found = {fund: min(amount, limits.get(fund, 0)) for fund, amount in sorted(amounts.items())}
    return {fund: amount for fund, amount in found.items() if amount > 0}


def positive(amounts: Mapping[str, int]) -> Fens:
    """The funds of which there is something."""
    return {fund: amount for fund, amount in sorted(amounts.items()) if amount > 0}


def first_above(amounts: Mapping[str, int], limits: Mapping[str, int]) -> str | None:
    """The first fund whose amount is above its limit."""
    return next((fund for fund in sorted(amounts) if amounts[fund] > max(0, limits.get(fund, 0))), None)
