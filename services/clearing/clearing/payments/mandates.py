"""Who may approve payments: what the agency has said so far. Pure; immutable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from medfund import money, people
from medfund.events.treasury import StaffMandated
from medfund.lanes.draft import Part


@dataclass(frozen=True, slots=True)
class Mandates:
    """By area and person (`people.one`): the last word on each."""

    known: Mapping[tuple[str, str], StaffMandated]

    def of(self, area: str, staff_ref: str, day: date) -> StaffMandated | None:
        """The mandate that somebody has on a day."""
        mandate = self.known.get((area, people.one(staff_ref)))
        if mandate is None or not mandate.valid_from <= day <= (mandate.valid_to or day):
            return None
        return mandate

    def with_mandate(self, event: StaffMandated) -> "Mandates":
        return Mandates({**self.known, (event.area, people.one(event.staff_ref)): event})


MANDATES: Part[Mandates] = Part("mandates", lambda: Mandates({}))


def last_said(events: Iterable[StaffMandated]) -> Mandates:
    """Of what was said, in its order."""
    return Mandates({(event.area, people.one(event.staff_ref)): event for event in events})


def covers(mandate: StaffMandated, fen: int) -> bool:
    return fen <= money.fen(mandate.limit)
