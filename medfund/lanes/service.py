"""What a service brings to its lanes: how to read a record, and what an accepted event does.

The lane does everything else: order, identity, exactly once, quarantine, positions, outbox.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, Protocol

import asyncpg

from medfund.events.codec import Accepted, Refused
from medfund.lanes.log import Decision, Record


class Effects(NamedTuple):
    """What a batch of fresh events does. `rows` and `state` are the service's own; the lane only carries them."""

    rows: Any = None
    state: Any = None
    refused: Sequence[Refused] = ()
    decisions: Sequence[Decision] = ()
    lacks_reference: bool = False
    """Some were refused for want of something that a topic of `references` may still hold unread."""


class Service(Protocol):
    name: str
    topics: Sequence[str]
    """Families it reads; within a batch they are taken in this order."""
    references: Sequence[str]
    """Families that must have been read to their end before an event is refused for lack of what they carry."""
    silent: Collection[str]
    """Event types that have no effect by rule."""

    def decode(self, record: Record, family: str) -> Accepted | Refused:
        """Pure and total: whatever the bytes."""
        ...

    async def load(self, connection: asyncpg.Connection, lane: int) -> Any:
        """What `apply` needs to know of a lane, read when the lane is claimed."""
        ...

    def apply(self, state: Any, lane: int, fresh: Sequence[Accepted]) -> Effects:
        """Pure: the effects of events seen for the first time, in their order. Must not change `state`."""
        ...

    def refused(self, lane: int, refusals: Sequence[Refused]) -> Sequence[Decision]:
        """The events that tell publishers of refusals."""
        ...

    async def write(self, connection: asyncpg.Connection, lane: int, rows: Any) -> None:
        """In the batch's transaction, with a number of statements that does not depend on the number of rows."""
        ...
