"""The kinds of open items that the waterfall takes from, by the account that each is booked in.

A new kind is a module of its own capability's folder, with the first three of these functions, and a line where the
service is composed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from clearing.funds import Fens
from clearing.names import Name
from clearing.offsets.waterfall import Due
from clearing.payable import Payable
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft, Part


@dataclass(frozen=True, slots=True)
class Kind:
    due: Callable[[Draft, Payable, str, list[str]], Iterable[Due]]
    """What may be taken now from a payable, in one fund; the last are the claims approved with it."""
    taken: Callable[[Draft, Name, Fens, date | None], None]
    """An item was paid off by so much, on a day."""
    about: Callable[[Draft, Name, str], Mapping[str, Any]]
    """What a decision says of an item and a fund: whose it is."""
    ended: Callable[[Draft, Name, Place], Iterable[Event]] = lambda draft, item, cause: ()
    """What follows when something was taken, and nothing is left of an item."""
    left: Callable[[Draft, Payable, str, Place], Iterable[Event]] = lambda draft, payable, fund, cause: ()
    """What follows when all that was free of a payable in a fund has been looked at."""


KINDS: Part[Mapping[str, Kind]] = Part("kinds of open items", dict)
"""Those that the service is composed of."""
