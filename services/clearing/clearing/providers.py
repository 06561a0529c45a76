"""What people know a provider by, and since when it is what it is: designated, formed of others, or moved from another
area. Pure.

Source: R2.2, edge case 43.
"""

from datetime import date
from typing import Literal, NamedTuple

from clearing.capability import Capability
from clearing.state import Draft
from medfund.events.agency import ProviderChanged, ProviderRegistered
from medfund.events.kinds import Place

Origin = Literal["REGISTERED", "MERGER", "SPLIT", "MOVE"]


class Since(NamedTuple):
    """From which day on, where, and what began it; `first` is the day from which its services there are paid at all."""

    day: date
    area: str
    origin: Origin
    first: date


class Named(NamedTuple):
    """What it is called, and of which account the end of the number was told, as far as anybody has said so."""

    name: str | None
    account_ref: str | None
    account_ends: str | None


def named(before: Named | None, event: ProviderRegistered | ProviderChanged) -> Named:
    """What is not said again stays as it was."""
    known = before or Named(None, None, None)
    name = event.name or known.name
    if event.account_ends is None:
        return known._replace(name=name)
    return Named(name, event.bank_account_ref, event.account_ends)


def since(known: Since | None, event: ProviderRegistered | ProviderChanged) -> Since:
    """After one more word on a provider: another area, or having been formed of others, begins it anew."""
    day, area = event.valid_from, event.area
    if known is not None and known.area != area:
        return Since(day, area, "MOVE", day)
    first = min(known.first, day) if known is not None else day
    if isinstance(event, ProviderRegistered) and event.formed_by is not None:
        return Since(day, area, event.formed_by, first)
    if known is not None:
        return known._replace(day=min(known.day, day), first=first)
    return Since(day, area, "REGISTERED", first)


def _learn(draft: Draft, event: ProviderRegistered | ProviderChanged, place: Place) -> None:
    draft.areas[event.provider] = event.area
    draft.since[event.provider] = since(draft.provider_since(event.provider), event)
    draft.named[event.provider] = named(draft.named.get(event.provider), event)


CAPABILITY = Capability(name="providers", learns={ProviderRegistered: _learn, ProviderChanged: _learn})
