"""What a question may touch: what it asks for, narrowed to what its caller may see.

Asking for somebody else's is answered like asking for what does not exist. These are the explicit predicates; row-level
security holds the same line underneath.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from medfund import codes
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes import partition

UNTOLD = ""
"""In place of an area: what names none."""


class Reach(NamedTuple):
    """Parameters of a query, where None narrows nothing and an empty list matches nothing."""

    lanes: Sequence[int]
    areas: Sequence[str] | None
    parties: Sequence[str] | None
    counterparts: Sequence[str] | None

    @property
    def predicates(self) -> tuple[Sequence[str] | None, ...]:
        return self.areas, self.parties, self.counterparts


def of(principal: Principal, *, area: str | None, party: str | None, lanes: int) -> Reach:
    """A provider's rows are in its own lane, those of an area itself in any; a supplier is the counterpart of rows in
    any lane."""
    areas = within(principal.areas, area)
    if principal.role == Role.supplier:
        parties = None if party is None else [party]
        return Reach(_lanes_of(parties, lanes), areas, parties, list(principal.organisations))
    parties = within(principal.organisations, party)
    return Reach(_lanes_of(parties, lanes), areas, parties, None)


def whole_areas(within: Reach) -> Sequence[str] | None:
    """Whose own affairs a question may touch: of no area, for those who speak for some of its organisations."""
    return within.areas if within.parties is None else []


def refused(
    principal: Principal, *, area: str | None = None, party: str | None = None, source: str | None = None
) -> tuple[list[str] | None, list[str] | None, list[str] | None]:
    """Areas, parties and sources of refused records, by all three that a token names.

    A publisher also sees what came under its sources and names no area that can be told; a supplier, for whichever
    hospital it was.
    """
    areas, parties = within(principal.areas, area), within(principal.organisations, party)
    if principal.role != Role.publisher:
        return areas, parties, _only(source)
    if principal.organisations and all(map(codes.is_uscc, principal.organisations)):
        return _only(area), _only(party), within(principal.sources, source)
    told = areas if areas is None or area else [*areas, UNTOLD]
    return told, parties, within(principal.sources, source)


def accepted(principal: Principal, event: Any) -> bool:
    """Whether the caller may see that an event was accepted."""
    whose = (getattr(event, "provider", None), getattr(event, "supplier", None))
    return principal.may_see_area(getattr(event, "area", None)) and principal.may_see_organisation(*whose)


def within(scope: Collection[str], asked: str | None) -> list[str] | None:
    """The part of a scope that was asked for."""
    if asked is None:
        return None if EVERYTHING in scope else sorted(scope)
    return [asked] if EVERYTHING in scope or asked in scope else []


def _only(asked: str | None) -> list[str] | None:
    return None if asked is None else [asked]


def _lanes_of(parties: Sequence[str] | None, lanes: int) -> list[int]:
    if parties is None or any(map(codes.is_area, parties)):
        return list(range(lanes))
    return sorted({partition.lane_of(party.encode(), lanes) for party in parties})
