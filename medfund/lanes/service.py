"""What a service brings to its lanes: how to read a record, and what an accepted event does.

The lane does everything else: order, identity, exactly once, quarantine, positions, outbox.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import asyncpg

from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.refusals import Reason
from medfund.lanes.log import Decision, Record
from medfund.lanes.sources import Sources


class Effects(NamedTuple):
    """What a batch of fresh events does. `rows` are the service's own; the lane only carries them."""

    rows: Any = None
    decisions: Sequence[Decision] = ()


class HandlerFailed(Exception):
    """One event cannot be judged or applied, and others can. The batch is given up, and done again without it."""

    def __init__(self, place: Place, fault: str) -> None:
        super().__init__(f"{place.topic} {place.lane} {place.offset}: {fault}")
        self.place = place
        self.fault = fault
        """What went wrong and where in the code, and nothing of the event."""


class Service(Protocol):
    name: str
    topics: Sequence[str]
    """Families it reads; within a batch they are taken in this order."""
    own: str | None
    """The family of its own decisions where it hears them: read to its end first when a lane is claimed."""
    references: Sequence[str]
    """Families that must have been read to their end before an event is refused for lack of what they carry."""
    lacking: Collection[Reason]
    """The reasons of such refusals."""
    silent: Collection[str]
    """Event types that have no effect by rule."""
    large: Collection[type[Event]]
    """Events of which one alone may change as much as a big batch of others."""
    weights: Mapping[str, Mapping[bytes | None, Callable[[bytes], int]]]
    """By family and type: for how many records an event counts by its data, where it is for more than one."""

    def decode(self, records: Sequence[Record], family: str, asked_from: int = 0) -> Sequence[Accepted | Refused]:
        """The verdict on each record of one topic, in their order. Pure and total: whatever the bytes.

        What was appended before `asked_from` is judged as it was then (`medfund.events.codec`)."""
        ...

    async def load(self, connection: asyncpg.Connection, lane: int) -> Any:
        """What `admit` and `apply` need to know of a lane, read when the lane is claimed."""
        ...

    def draft(self, state: Any) -> Any:
        """A copy of the state for one batch; it becomes the state when the batch is committed."""
        ...

    async def recall(self, connection: asyncpg.Connection, lane: int, draft: Any, accepted: Sequence[Accepted]) -> None:
        """Read into the draft what `put_aside` needs to know of earlier batches, in a fixed number of statements."""
        ...

    def put_aside(
        self, draft: Any, lane: int, accepted: Sequence[Accepted], known: Collection[bytes], failed: Mapping[Place, str]
    ) -> Sequence[Refused]:
        """Events that wait, to be judged when they are retried, and are kept in quarantine until then.

        `known`: identities that were accepted in earlier batches. `failed`: places of which `HandlerFailed` told in
        this batch, with the fault; whoever raises it puts them aside.
        """
        ...

    def sources(self, state: Any) -> Sources:
        """What a lane knows of who may say what."""
        ...

    def parked(self, state: Any) -> int:
        """How many keys of a lane have events that wait."""
        ...

    def admit(self, draft: Any, event: Accepted) -> Refused | None:
        """Judge an event seen for the first time by what the draft says; an admitted one may change the draft.

        Raises `HandlerFailed`."""
        ...

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Any, fresh: Sequence[Accepted]) -> None:
        """Read into the draft what the admitted events refer to, in the batch's transaction and as `write` writes."""
        ...

    def apply(self, draft: Any, lane: int, fresh: Sequence[Accepted]) -> Effects:
        """Pure but for the draft: the effects of the admitted events, in their order. Raises `HandlerFailed`."""
        ...

    def refused(self, lane: int, refusals: Sequence[Refused]) -> Sequence[Decision]:
        """The events that tell publishers of refusals."""
        ...

    async def write(self, connection: asyncpg.Connection, lane: int, rows: Any) -> None:
        """In the batch's transaction, with a number of statements that does not depend on the number of rows."""
        ...
