"""Amounts by fund, in fen. Funds are legally separate, and a total is only a sum."""

from collections.abc import Mapping

from medfund import money

Fens = dict[str, int]


def fens(amounts: Mapping[str, str]) -> Fens:
    return {fund: money.fen(amount) for fund, amount in amounts.items()}


def yuans(amounts: Mapping[str, int]) -> dict[str, str]:
    """Of each fund that has any."""
    return {fund: money.yuan(amount) for fund, amount in sorted(amounts.items()) if amount}


def added(amounts: Mapping[str, int], more: Mapping[str, int], sign: int = 1) -> Fens:
    """The sum by fund; a fund whose sum is nothing is left out."""
    sums = {fund: amounts.get(fund, 0) + sign * more.get(fund, 0) for fund in sorted({*amounts, *more})}
    return {fund: amount for fund, amount in sums.items() if amount}
