"""What a question may touch: what it asks for, narrowed to what its caller may see.

Asking for somebody else's is answered like asking for what does not exist. These are the explicit predicates; row-level
security holds the same line underneath.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes import partition


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
    """A provider's rows are in its own lane; a supplier is the counterpart of rows in any lane."""
    areas = within(principal.areas, area)
    if principal.role == Role.supplier:
        parties = None if party is None else [party]
        return Reach(_lanes_of(parties, lanes), areas, parties, list(principal.organisations))
    parties = within(principal.organisations, party)
    return Reach(_lanes_of(parties, lanes), areas, parties, None)


def within(scope: Collection[str], asked: str | None) -> list[str] | None:
    """The part of a scope that was asked for."""
    if asked is None:
        return None if EVERYTHING in scope else sorted(scope)
    return [asked] if EVERYTHING in scope or asked in scope else []


def sources(principal: Principal, asked: str | None) -> list[str] | None:
    """Only a publisher is bound to sources."""
    scope = principal.sources if principal.role == Role.publisher else (EVERYTHING,)
    return within(scope, asked)


def _lanes_of(parties: Sequence[str] | None, lanes: int) -> list[int]:
    if parties is None:
        return list(range(lanes))
    return sorted({partition.lane_of(party.encode(), lanes) for party in parties})
