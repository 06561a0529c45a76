"""Whom a lane knows: events of providers that are not registered, or are registered elsewhere, are refused. Pure.

What stays true: a provider is moved to another area by a source that speaks for both.
"""

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from medfund.events.agency import ProviderChanged, ProviderRegistered
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import KINDS, Event
from medfund.events.refusals import Reason
from medfund.lanes import batch

if TYPE_CHECKING:
    from medfund.lanes.sources import Sources

REGISTRATIONS: frozenset[type[Event]] = frozenset({ProviderRegistered, ProviderChanged})
OF_PROVIDER = frozenset(kind.event for kind in KINDS.values() if kind.key == "provider") - REGISTRATIONS


def admit(areas: MutableMapping[str, str], accepted: Accepted, sources: "Sources") -> Refused | None:
    """Refuse the events of providers that are not registered, or are registered in another pooling area.

    `areas`: the pooling area of each registered provider of the lane; a registration adds to it.
    """
    event: Any = accepted.event
    kind = type(event)
    if kind in OF_PROVIDER:
        area = areas.get(event.provider)
        return None if area == event.area else _refusal(accepted, area)
    if kind in REGISTRATIONS:
        before = areas.get(event.provider, event.area)
        if before != event.area and (refusal := sources.admit_of(before, accepted)):
            return refusal
        areas[event.provider] = event.area
    return None


def _refusal(accepted: Accepted, registered: str | None) -> Refused:
    event: Any = accepted.event
    if registered is None:
        detail = f"provider {event.provider} is not registered"
        return batch.refuse(accepted, Reason.UNKNOWN_PROVIDER, detail, event.area)
    detail = f"provider {event.provider} is registered in area {registered}, the event names area {event.area}"
    return batch.refuse(accepted, Reason.AREA_MISMATCH, detail)
