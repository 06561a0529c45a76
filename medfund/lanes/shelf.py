"""What a batch reads and writes: shelf by shelf, each with two statements at most for either.

What stays true: a shelf is asked for what the events name, by kind, and for what the shelves before it found. What it
does not need to read costs no statement.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from medfund.events import fields
from medfund.events.agency import CalendarPublished
from medfund.events.codec import Accepted
from medfund.events.fields import Kind
from medfund.events.kinds import Event
from medfund.events.time import DayOpened
from medfund.lanes.draft import Draft, Known

if TYPE_CHECKING:
    import asyncpg

OF_A_PROVIDER: Collection[Kind] = ("payable", "payment")
"""Things whose names are those of one provider."""


class Name(NamedTuple):
    """Two providers may have chosen the same one."""

    provider: str
    ref: str


def named(event: Any, kind: Kind) -> Iterable[Any]:
    """The things that an event names. Where it is about no provider, it names nothing of anybody's."""
    refs = fields.named(event, kind)
    if kind not in OF_A_PROVIDER:
        return refs
    return [Name(event.provider, ref) for ref in refs] if "provider" in type(event).__struct_fields__ else ()


class Batch:
    """What is fresh of a batch. `bulk`: what a shelf takes as it comes, and nothing else is asked about."""

    def __init__(
        self, fresh: Sequence[Accepted], bulk: Collection[type[Event]] = (), *, foreseen: bool = False
    ) -> None:
        self.bulk = [one for one in fresh if type(one.event) in bulk]
        self.foreseen = foreseen
        """It is not on the log yet, and who asks may not look at settlements."""
        self._by_type: dict[type[Event], list[Accepted]] = defaultdict(list)
        for one in fresh if len(self.bulk) < len(fresh) else ():
            if type(one.event) not in bulk:
                self._by_type[type(one.event)].append(one)

    def accepted(self, *types: type[Event]) -> list[Accepted]:
        return [one for type_ in types for one in self._by_type.get(type_, ())]

    def of(self, *types: type[Event]) -> list[Any]:
        """Its events of some types."""
        return [one.event for one in self.accepted(*types)]

    @cached_property
    def named(self) -> dict[Kind, set[Any]]:
        """What is named in it, by kind. A shelf adds what the later ones are to read with it."""
        events = self.of(*self._by_type)
        return {kind: {name for event in events for name in named(event, kind)} for kind in get_args(Kind)}

    @cached_property
    def day(self) -> bool:
        """Whether something may follow for everything that waits for a day."""
        return bool(self.accepted(DayOpened, CalendarPublished))


class Shelf:
    """Where things of one sort are kept."""

    keeps: Kind | None = None
    """Of which kind are the references that it is asked for."""

    async def load(self, connection: "asyncpg.Connection", lane: int, known: Known) -> Known:
        """What is kept in memory, when a lane is claimed."""
        return known

    async def read(self, connection: "asyncpg.Connection", lane: int, draft: Draft, batch: Batch) -> None:
        pass

    async def write(self, connection: "asyncpg.Connection", lane: int, draft: Draft) -> None:
        """Save what a batch changed."""
