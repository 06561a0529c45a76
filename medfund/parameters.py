"""How the parameters of an area's policy are written, and those of direct payment, which several services read. Pure.

What stays true: text that a policy may not say is refused with what is wrong with it; a parameter that is not said has
its default. Source: domain.md R3, R10.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, get_args

from medfund import codes
from medfund.events.suppliers import ProductClass

Parser: TypeAlias = Callable[[str], Any]
Table: TypeAlias = Mapping[str, tuple[Parser, Any]]
"""By name: how it is read, and what holds where nobody says anything."""

PROVIDER_CLASSES = ("PUBLIC", "PRIVATE", "PHARMACY")
"""公立医疗机构, 民营医疗机构, 零售药店"""


class BadPolicy(ValueError):
    """A parameter is unknown or says something that no policy may say."""


_RATIO = re.compile(r"0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?").fullmatch


def ratio(text: str) -> Fraction:
    if not _RATIO(text):
        raise BadPolicy(f"{text!r} is not a ratio from 0 to 1 with at most 6 decimals")
    return Fraction(text)


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise BadPolicy(f"{text!r} is none of {', '.join(words)}")
        return text

    return parse


def flag(text: str) -> bool:
    return one_of("true", "false")(text) == "true"


def number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,3}", text) or not least <= int(text) <= most:
            raise BadPolicy(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return parse


def funds(text: str) -> Sequence[str]:
    return [] if text == "none" else _known(text.split(), "; write `none` for no fund at all")


def some_funds(text: str) -> Sequence[str]:
    """At least one, and each once."""
    named = _known(text.split(), "")
    if len(set(named)) != len(named) or not named:
        raise BadPolicy(f"{text!r} does not name at least one fund, and each once")
    return named


def _known(named: Sequence[str], hint: str) -> Sequence[str]:
    if unknown := [fund for fund in named if fund not in codes.FUNDS]:
        raise BadPolicy(f"{unknown[0]!r} is not a fund{hint}")
    return named


def scope(text: str) -> Collection[tuple[str, str]]:
    """`BULK/PUBLIC NEGOTIATED/PHARMACY`: classes of products, each with a class of those who buy them."""
    pairs = [] if text == "none" else [pair.partition("/") for pair in text.split()]
    for product, _, provider in pairs:
        if product not in get_args(ProductClass) or provider not in PROVIDER_CLASSES:
            raise BadPolicy(
                f"{text!r} is no list of class/buyer ({', '.join(get_args(ProductClass))}"
                f" / {', '.join(PROVIDER_CLASSES)}); write `none` for nothing at all"
            )
    return frozenset((product, provider) for product, _, provider in pairs)


DIRECT: Table = {
    "direct.scope": (scope, frozenset({("BULK", "PUBLIC"), ("NEGOTIATED", "PUBLIC")})),
    "direct.days": (number(1, 180), 30),
    "direct.bulk_month_end": (flag, True),
    "direct.due_by": (one_of("EARLIEST", "LINE"), "EARLIEST"),
    "direct.confirm_days": (number(1, 60), 5),
    "direct.silent": (one_of("CONFIRM", "ESCALATE"), "ESCALATE"),
    "direct.split_funds": (some_funds, ["310100", "390100"]),
    "direct.two_invoices": (flag, True),
    "direct.warn_days": (number(1, 10), 3),
    "direct.wait_days": (number(1, 180), 30),
}
"""Of the payment of suppliers on hospitals' behalf."""


def read(said: Mapping[str, str], table: Table) -> dict[str, Any]:
    """What holds of each parameter of a table; others that are said are somebody else's. Raises `BadPolicy`."""
    return {
        name: parsed(name, said[name], parse) if name in said else default for name, (parse, default) in table.items()
    }


def parsed(name: str, text: str, parse: Parser) -> Any:
    """Raises `BadPolicy` with the parameter's name."""
    try:
        return parse(text)
    except BadPolicy as error:
        raise BadPolicy(f"{name}: {error}") from None
