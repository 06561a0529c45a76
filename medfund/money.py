"""Money: whole fen in code and tables, yuan text with two decimals on the wire.

What stays true: `yuan(fen(text)) == text` for every text that `fen` accepts; nothing here is ever a float; a split
adds up to what was split. Rules: domain.md section (b), "Conventions used in every rule", and R10.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

import msgspec

FEN_MAX = 9_999_999_999_999_999
"""The platform's decimal(16,2), in fen. Larger than 2^53 - 1, so never a JavaScript number and never a float."""

AMOUNT_PATTERN = r"^-?(0|[1-9][0-9]{0,13})\.[0-9]{2}$"
PRICE_PATTERN = r"^(0|[1-9][0-9]{0,9})\.[0-9]{2,6}$"
SUM_PATTERN = r"^-?(0|[1-9][0-9]*)\.[0-9]{2}$"
"""Of what is answered: a sum may be larger than any single amount."""

_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,13})\.[0-9]{2}").fullmatch
_LONG_AMOUNT = re.compile(r"-?[1-9][0-9]{14,}\.[0-9]{2}").fullmatch


class BadAmount(ValueError):
    """The text is not an amount of yuan with exactly two decimals."""


class AmountOutOfRange(ValueError):
    """The amount is well written and larger than the platform can carry."""


def fen(text: str) -> int:
    """The fen of a yuan text such as "6852.80" or "-0.05"; strict, because two spellings of one sum are two facts."""
    if text == "0.00":
        return 0
    if _AMOUNT(text) is None:
        raise _refusal(text)
    amount = int(text[:-3] + text[-2:])
    if amount == 0:
        raise BadAmount("-0.00 is written 0.00")
    return amount


def fens(texts: Sequence[str]) -> list[int]:
    """`fen` of each, at a fifth of the time where there are many and none is negative. Raises as `fen` does."""
    found = _usual_fens(texts)
    return [fen(text) for text in texts] if found is None else found


def _usual_fens(texts: Sequence[str]) -> list[int] | None:
    """None where any is not digits, a point and two digits, or has a leading zero too many: `fen` says which."""
    try:
        text = (",".join(texts) + ",").encode("ascii")
    except UnicodeEncodeError:
        return None
    count = len(texts)
    shape = text.translate(_DIGITS_TO_ZERO)
    if shape.translate(None, b"0.,") or not count == shape.count(b".") == shape.count(b",") == shape.count(b"0.00,"):
        return None
    # JSON knows no leading zeros: those of amounts below one yuan go first, any other is an error.
    whole = b"," + text[:-1]
    for few, fewer in ((b",0.00", b",0"), (b",0.0", b","), (b",0.", b",")):
        whole = whole.replace(few, fewer)
    try:
        amounts = _WHOLE_NUMBERS.decode(b"[%b]" % whole[1:].replace(b".", b""))
    except msgspec.DecodeError:
        return None
    return amounts if max(amounts, default=0) <= FEN_MAX else None


_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_WHOLE_NUMBERS = msgspec.json.Decoder(list[int])


def _refusal(text: str) -> ValueError:
    if _LONG_AMOUNT(text):
        return AmountOutOfRange(f"{text[:40]} is beyond {yuan(FEN_MAX)} yuan")
    return BadAmount(f"{text[:40]!r} is not yuan with exactly two decimals")


def yuan(amount: int) -> str:
    """The wire text of an amount in fen."""
    whole, rest = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole}.{rest:02d}"


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = (("亿", 10**8), ("万", 10**4), ("仟", 1000), ("佰", 100), ("拾", 10))


def capitals(amount: int) -> str:
    """An amount in fen as bills say it (大写), so that no digit can be added: 壹仟零伍元陆角柒分, 叁拾元整.

    Source: 支付结算办法, annex 1; where it leaves a choice, the shorter form.
    """
    whole, rest = divmod(abs(amount), 100)
    jiao, fen = divmod(rest, 10)
    parts = (
        "负" if amount < 0 else "",
        f"{_capitals(whole)}元" if whole or not rest else "",
        f"{_DIGITS[jiao]}角" if jiao else "零" if whole and fen else "",
        f"{_DIGITS[fen]}分" if fen else "整",
    )
    return "".join(parts)


def _capitals(number: int) -> str:
    for unit, size in _UNITS:
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if low < size // 10 else ""
            return f"{_capitals(high)}{unit}{gap}{_capitals(low)}" if low else f"{_capitals(high)}{unit}"
    return _DIGITS[number]


def round2(exact: Fraction | Decimal | int) -> int:
    """Whole fen from an exact number of *fen*: half up, away from zero for negatives (四舍五入).

    Once, at the last step of a formula: `round2(Fraction(claimed_fen) * ratio)`.
    """
    value = Fraction(exact)
    rounded = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return -rounded if value < 0 else rounded


@lru_cache(maxsize=65_536)
def micros(price: str) -> int:
    """A price such as "12.340000" in millionths of a yuan: exact, for a price is not rounded."""
    whole, _, part = price.partition(".")
    return int(whole + part.ljust(6, "0"))


def cost(quantity: int, price: int) -> int:
    """What so much costs, in fen: `round2(quantity x price)`, of a price in millionths of a yuan."""
    return (quantity * price + 5_000) // 10_000


def split(total: int, weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """Parts of `total` (fen) in proportion to `weights`, by largest remainder: they add up to `total` exactly.

    Each share is rounded down; the missing fen go to the largest fractional parts, ties to the earlier weight, so
    callers pass weights in a fixed order of keys. A negative total is split as its absolute value and negated.
    """
    if total < 0:
        return [-part for part in split(-total, weights)]
    shares = _whole_numbers(weights)
    whole = sum(shares)
    if not shares or min(shares) < 0 or whole == 0:
        raise ValueError("weights must be zero or more, and not all zero")
    divided = [divmod(total * share, whole) for share in shares]
    parts = [part for part, _ in divided]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-divided[i][1], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _whole_numbers(weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """Whole numbers in the same proportion: exact, and forty times faster to divide than fractions."""
    if all(type(weight) is int for weight in weights):
        return [int(weight) for weight in weights]
    exact = [Fraction(weight) for weight in weights]
    common = lcm(*(weight.denominator for weight in exact))
    return [weight.numerator * (common // weight.denominator) for weight in exact]


def lowered(parts: Mapping[str, int], total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """What is taken off each of the parts that `split_by_key` once made, so that `total` is left of them.

    No part grows, and none is left when nothing is: where the largest remainders would give a part more of less, the
    fen stay where they are.
    """
    wanted = split_by_key(total, weights)
    left = {name: min(part, wanted[name]) for name, part in parts.items()}
    for name in sorted(parts):
        left[name] += min(parts[name] - left[name], total - sum(left.values()))
    return {name: part - left[name] for name, part in parts.items()}


def split_by_key(total: int, weights: Mapping[str, int | Decimal | Fraction]) -> dict[str, int]:
    """`split` over named parts, ties in the order of the names."""
    names = sorted(weights)
    return dict(zip(names, split(total, [weights[name] for name in names]), strict=True))
