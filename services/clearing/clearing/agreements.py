"""Who was under agreement on a day, and who was qualified: what supervision has said so far. Pure; immutable.

Of two words on one day the later one holds. Both days of a suspension are inside it (R10). Source: R6.4, R6.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from medfund.events.supervision import PersonQualificationChanged, ProviderAgreementChanged
from medfund.lanes.draft import Part

EMERGENCY = "13"
"""The medical category (med_type) of emergency care."""
Standing: TypeAlias = Literal["ACTIVE", "SUSPENDED", "NONE"]
"""Of an agreement on a day: in force, suspended, or not begun or ended."""


@dataclass(frozen=True, slots=True)
class Agreements:
    """By provider, in the order of the log."""

    by_provider: Mapping[str, tuple[ProviderAgreementChanged, ...]]

    def standing(self, provider: str, day: date) -> Standing:
        """Where no signing is known the agreement is as old as the provider. Only what is in force can be suspended."""
        changes = self.by_provider.get(provider, ())
        in_force, suspended = not any(change.status == "SIGNED" for change in changes), False
        for change in changes:
            if _says(change, day):
                suspended = change.status == "SUSPENDED"
                in_force = in_force if suspended else change.status in ("SIGNED", "RESUMED")
        if not in_force:
            return "NONE"
        return "SUSPENDED" if suspended else "ACTIVE"

    def active(self, provider: str, day: date) -> bool:
        """Whether services of a day are payable."""
        return self.standing(provider, day) == "ACTIVE"

    def suspended(self, provider: str, day: date) -> bool:
        """Whether the agreement is suspended on a day; one that has ended is not, what is owed of it is paid (R6.4)."""
        return self.standing(provider, day) == "SUSPENDED"

    def since(self, provider: str) -> date | None:
        """The day of the first signing that is known."""
        signed = (change.effective_from for change in self.by_provider.get(provider, ()) if change.status == "SIGNED")
        return min(signed, default=None)

    def breached(self, provider: str, first: date, last: date) -> bool:
        """Whether it was suspended or ended on any of some days, both inside."""
        return any(
            change.status in ("SUSPENDED", "TERMINATED")
            and change.effective_from <= last
            and (change.effective_to or last) >= first
            for change in self.by_provider.get(provider, ())
        )

    def with_change(self, event: ProviderAgreementChanged) -> "Agreements":
        known = self.by_provider.get(event.provider, ())
        return Agreements({**self.by_provider, event.provider: (*known, event)})


def _says(change: ProviderAgreementChanged, day: date) -> bool:
    return change.effective_from <= day <= (change.effective_to or day)


@dataclass(frozen=True, slots=True)
class Qualifications:
    """By provider and member of its staff: the suspensions, by their first day."""

    suspensions: Mapping[tuple[str, str], Mapping[date, date | None]]

    def suspended(self, provider: str, staff_ref: str, day: date) -> bool:
        known = self.suspensions.get((provider, staff_ref), {})
        return any(first <= day <= (last or day) for first, last in known.items())

    def with_change(self, event: PersonQualificationChanged) -> "Qualifications":
        person = event.provider, event.staff_ref
        known = {**self.suspensions.get(person, {}), event.suspended_from: event.suspended_to}
        return Qualifications({**self.suspensions, person: known})


AGREEMENTS: Part[Agreements] = Part("agreements", lambda: Agreements({}))
QUALIFICATIONS: Part[Qualifications] = Part("qualifications", lambda: Qualifications({}))
