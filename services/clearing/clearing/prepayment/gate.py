"""Whether a fund can bear prepayments: how long its surplus lasts, and whether it earns what it spends. Pure.

What stays true: months are compared exactly; only what is shown is rounded.
Source: R2.1, edge cases 40 and 41.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from medfund import money
from medfund.events.agency import FundFiguresPublished
from medfund.lanes.draft import Part

Reason: TypeAlias = Literal["TOO_FEW_MONTHS", "DEFICIT_LAST_YEAR", "DEFICIT_AHEAD"]
SHOWN_DECIMALS = 4


class Gate(NamedTuple):
    months: Fraction
    reasons: tuple[Reason, ...]
    """Why it is closed; nothing where it is open."""

    @property
    def open(self) -> bool:
        return not self.reasons


def of(figures: FundFiguresPublished, least_months: int) -> Gate:
    months = Fraction(12 * money.fen(figures.surplus), money.fen(figures.expenditure))
    reasons: dict[Reason, bool] = {
        "TOO_FEW_MONTHS": months < least_months,
        "DEFICIT_LAST_YEAR": money.fen(figures.last_year_result) < 0,
        "DEFICIT_AHEAD": money.fen(figures.forecast_result) < 0,
    }
    return Gate(months, tuple(reason for reason, holds in reasons.items() if holds))


def shown(months: Fraction) -> str:
    """With four decimals, half up: what is compared is the exact number."""
    whole = money.round2(months * 10**SHOWN_DECIMALS)
    sign, digits = "-" if whole < 0 else "", f"{abs(whole):0{SHOWN_DECIMALS + 1}d}"
    return f"{sign}{digits[:-SHOWN_DECIMALS]}.{digits[-SHOWN_DECIMALS:]}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was said last of each fund of each area. Immutable; of two for one day the later event holds."""

    by_fund: Mapping[tuple[str, str], FundFiguresPublished]

    def of(self, area: str, fund: str) -> FundFiguresPublished | None:
        return self.by_fund.get((area, fund))

    def why_closed(self, area: str, fund: str, least_months: int) -> str | None:
        """Why a fund gives no prepayments, for people; None where it does."""
        figures = self.of(area, fund)
        if figures is None:
            return f"fund {fund}: nobody has told its figures"
        found = of(figures, least_months)
        if found.open:
            return None
        said = f"{shown(found.months)} months of surplus, {least_months} are needed"
        return f"fund {fund}: {', '.join(found.reasons)}; {said}"

    def with_figures(self, event: FundFiguresPublished) -> "Figures":
        known = self.of(event.area, event.fund)
        if known is not None and known.as_of > event.as_of:
            return self
        return Figures({**self.by_fund, (event.area, event.fund): event})


FIGURES: Part[Figures] = Part("figures", lambda: Figures({}))
