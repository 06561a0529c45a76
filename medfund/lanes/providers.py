"""What people know a provider by, and since when it is what it is: designated, formed of others, or moved from another
area. Pure.

Source: R2.2, edge case 43.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from medfund.events.agency import ProviderChanged, ProviderRegistered
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Place
from medfund.lanes import registered
from medfund.lanes.capability import Capability
from medfund.lanes.draft import Draft, Part

if TYPE_CHECKING:
    from medfund.lanes.sources import Sources

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


AREAS: Part[Mapping[str, str]] = Part("areas", dict)
"""The pooling area of each registered provider."""
SINCE: Part[Mapping[str, Since]] = Part("since", dict)
ADMITTED: Part[dict[str, str]] = Part("admitted", dict)
"""Whose events are let in: every provider that was registered before an event, and its area."""
BEGUN: Part[dict[str, Since]] = Part("begun", dict)
"""Registrations of this batch."""
NAMED: Part[dict[str, Named]] = Part("named", dict)
"""What their providers are called."""


def since_of(draft: Draft, provider: str) -> Since | None:
    return draft[BEGUN].get(provider) or draft.known[SINCE].get(provider)


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


def _admit(draft: Draft, fact: Accepted, sources: "Sources") -> Refused | None:
    areas = draft[ADMITTED]
    if not areas:
        areas.update(draft.known[AREAS])
    return registered.admit(areas, fact, sources)


def _learn(draft: Draft, event: ProviderRegistered | ProviderChanged, place: Place) -> None:
    draft[BEGUN][event.provider] = since(since_of(draft, event.provider), event)
    draft[NAMED][event.provider] = named(draft[NAMED].get(event.provider), event)


CAPABILITY = Capability(
    name="providers",
    admits=dict.fromkeys((*registered.REGISTRATIONS, *registered.OF_PROVIDER), _admit),
    learns={ProviderRegistered: _learn, ProviderChanged: _learn},
)
