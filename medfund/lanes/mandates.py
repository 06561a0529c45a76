"""Who may approve payments, and what else two people say: what the agency has said so far. Pure; immutable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from medfund import money, people
from medfund.events.kinds import Event
from medfund.events.treasury import StaffMandated
from medfund.lanes.capability import Capability, Keep, keeping
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
KEPT: Mapping[type[Event], Keep | None] = {StaffMandated: keeping(MANDATES, Mandates.with_mandate)}
"""For a capability that keeps them."""
CAPABILITY = Capability(name="mandates", keeps=KEPT)


def last_said(events: Iterable[StaffMandated]) -> Mandates:
    """Of what was said, in its order."""
    return Mandates({(event.area, people.one(event.staff_ref)): event for event in events})


def covers(mandate: StaffMandated, fen: int) -> bool:
    return fen <= money.fen(mandate.limit)


class Refusal(NamedTuple):
    code: str
    detail: str


def of_plan(
    mandates: Mandates, area: str, plan_ref: str, gives: Mapping[str, int], person: str, day: date
) -> StaffMandated | Refusal:
    """With which mandate somebody stands behind a plan on a day, or why not: as with payments, the limit is for all
    that a payee gets. `gives`: fen, by payee."""
    mandate = mandates.of(area, person, day)
    if mandate is None:
        return Refusal("MANDATE", f"{person} has no mandate of area {area} on {day}")
    for payee, fen in gives.items():
        if not covers(mandate, fen):
            said = f"{money.yuan(fen)}, which plan {plan_ref} gives {payee}, is above the limit of {person}"
            return Refusal("LIMIT", f"{said}, {mandate.limit}")
    return mandate
