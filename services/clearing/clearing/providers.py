"""Since when each provider is what it is: designated, formed of others, or moved from another area. Pure.

Source: R2.2, edge case 43.
"""

from datetime import date
from typing import Literal, NamedTuple

from medfund.events.agency import ProviderChanged, ProviderRegistered

Origin = Literal["REGISTERED", "MERGER", "SPLIT", "MOVE"]


class Since(NamedTuple):
    """From which day on, where, and what began it."""

    day: date
    area: str
    origin: Origin = "REGISTERED"


def since(known: Since | None, event: ProviderRegistered | ProviderChanged) -> Since:
    """After one more word on a provider: another area, or having been formed of others, begins it anew."""
    if known is not None and known.area != event.area:
        return Since(event.valid_from, event.area, "MOVE")
    if isinstance(event, ProviderRegistered) and event.formed_by is not None:
        return Since(event.valid_from, event.area, event.formed_by)
    if known is not None:
        return known._replace(day=min(known.day, event.valid_from))
    return Since(event.valid_from, event.area)
