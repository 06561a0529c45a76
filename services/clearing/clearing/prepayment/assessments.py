"""How providers were assessed, year by year. Pure; immutable. Source: R2.2, R2.3."""

from collections.abc import Mapping
from dataclasses import dataclass

from medfund.events.agency import ProviderAssessed
from medfund.lanes.draft import Part


@dataclass(frozen=True, slots=True)
class Assessments:
    """By provider and year; of two the later word holds."""

    by_year: Mapping[tuple[str, int], ProviderAssessed]

    def of(self, provider: str, year: int) -> ProviderAssessed | None:
        return self.by_year.get((provider, year))

    def with_assessment(self, event: ProviderAssessed) -> "Assessments":
        return Assessments({**self.by_year, (event.provider, event.year): event})


ASSESSMENTS: Part[Assessments] = Part("assessments", lambda: Assessments({}))
