"""Who may approve payments, and which account a provider is paid to: what the agency has said so far. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from medfund import money
from medfund.events.treasury import StaffMandated


@dataclass(frozen=True, slots=True)
class Mandates:
    """By area and member of its staff: the last word on each."""

    known: Mapping[tuple[str, str], StaffMandated]

    def of(self, area: str, staff_ref: str, day: date) -> StaffMandated | None:
        """The mandate that somebody has on a day."""
        mandate = self.known.get((area, staff_ref))
        if mandate is None or not mandate.valid_from <= day <= (mandate.valid_to or day):
            return None
        return mandate

    def with_mandate(self, event: StaffMandated) -> "Mandates":
        return Mandates({**self.known, (event.area, event.staff_ref): event})


def covers(mandate: StaffMandated, fen: int) -> bool:
    return fen <= money.fen(mandate.limit)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider is paid to."""

    ref: str
    changed_on: date | None = None
    """The day on which it took the place of another one."""
    confirmed_by: str | None = None

    def changed(self, ref: str, on: date | None) -> "Account":
        return self if ref == self.ref else Account(ref=ref, changed_on=on)

    def is_settled(self, day: date, days: int) -> bool:
        """Whether it may be paid to without anybody's confirmation: it was not changed within so many days before."""
        return self.changed_on is None or (day - self.changed_on).days > days
