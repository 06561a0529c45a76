"""What a capability of clearing is made of, besides what one of any deciding service is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from clearing.state import Draft, Known
from medfund.lanes import capability
from medfund.lanes.capability import Evolve, Keep

if TYPE_CHECKING:
    from clearing.offsets.kinds import Kind as ItemKind
    from clearing.payable import Kind, Payable

Name = TypeVar("Name")
Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True)
class Capability(capability.Capability[Draft, Known]):
    payables: Mapping[type[Payable], Kind] = field(default_factory=dict)
    """What follows for the payables of a class."""
    items: Mapping[str, ItemKind] = field(default_factory=dict)
    """Open items that the waterfall takes from, by the account that they are booked in."""


def keeping(of: str, after: Callable[[Thing, Any], Thing]) -> Keep[Known]:
    """A fact that adds to one part of what is known."""
    return lambda known, event: replace(known, **{of: after(getattr(known, of), event)})  # type: ignore[arg-type]


def changing(
    change: Callable[[Draft, Name], Thing], named: Callable[[Any], Name]
) -> Callable[[Callable[[Thing, Any], None]], Evolve[Draft]]:
    """A decision that changes the one thing that it names."""

    def by(evolve: Callable[[Thing, Any], None]) -> Evolve[Draft]:
        return lambda draft, event: evolve(change(draft, named(event)), event)

    return by
