"""Whose money it is: the dimensions that go onto every decision."""

from collections.abc import Collection
from typing import Any

import msgspec

from medfund.events.dimensions import OfProvider
from medfund.events.disputes import FactDisputed
from medfund.events.kinds import Place


class Dimensions(msgspec.Struct, frozen=True, kw_only=True):
    provider: str
    area: str
    insured_area: str
    insutype: str
    clr_type: str
    benefit_year: int
    advanced: list[str]

    @property
    def purse(self) -> tuple[str, str]:
        """What a provider owes may be taken from what it is owed in the same one alone, whoever is insured (R3.6)."""
        return self.provider, self.area

    @property
    def payer(self) -> tuple[str, str, str]:
        """Claims on the same one are audited, advanced and made good together: a visitor's area is another."""
        return self.provider, self.area, self.insured_area


def of(event: OfProvider) -> Dimensions:
    return Dimensions(**{name: getattr(event, name) for name in Dimensions.__struct_fields__})


def fields(dimensions: Dimensions, funds: Collection[str]) -> dict[str, Any]:
    """The dimensions as fields of a decision about some funds; `advanced` is cut down to these."""
    known = {name: getattr(dimensions, name) for name in Dimensions.__struct_fields__}
    return {**known, "advanced": [fund for fund in dimensions.advanced if fund in funds]}


def disputed(event: Any, cause: Place, detail: str) -> FactDisputed:
    """A fact that contradicts what was decided: nothing follows from it, and somebody has to look."""
    return FactDisputed(provider=event.provider, area=event.area, cause=cause, detail=detail)
