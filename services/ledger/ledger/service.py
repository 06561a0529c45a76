"""The ledger as a service of lanes: it books every event and decides nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import asyncpg

from ledger import posting, projector
from medfund.events import bulk
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import FAMILIES, KINDS, Event, Place
from medfund.events.ledger import EventRefused
from medfund.events.refusals import Reason
from medfund.events.time import DayOpened
from medfund.lanes import decisions, opened, partition, registered, sources
from medfund.lanes.log import Decision, Record
from medfund.lanes.service import Effects
from medfund.lanes.sources import Sources
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "projection.sql")

# Registrations first: within a batch a provider is known before its settlements are judged.
TOPICS = ("agency", "time", *(family for family in FAMILIES if family not in ("agency", "time")))


class Known(NamedTuple):
    """What the ledger knows of a lane: the area of each registered provider, and who may say what."""

    areas: dict[str, str]
    sources: Sources


class Ledger:
    name = "ledger"
    topics: Sequence[str] = TOPICS
    own: str | None = None
    references: Sequence[str] = ("agency",)
    lacking: Collection[Reason] = frozenset({Reason.NOT_YOURS_TO_SAY, Reason.UNKNOWN_PROVIDER})
    silent: Collection[str] = frozenset(
        name for name, kind in KINDS.items() if posting.RULES[kind.event] is posting.nothing
    )
    large: Collection[type[Event]] = frozenset()
    weights: Mapping[str, Mapping[bytes | None, Callable[[bytes], int]]] = MappingProxyType({})

    def __init__(self, *, lanes: int, prefix: str) -> None:
        self._lanes = lanes
        self.families = {f"{prefix}.{family}": family for family in TOPICS}

    def decode(self, records: Sequence[Record], family: str, asked_from: int = 0) -> Sequence[Accepted | Refused]:
        return bulk.decode(records, family=family, lanes=self._lanes, asked_from=asked_from)

    async def load(self, connection: asyncpg.Connection, lane: int) -> Known:
        areas = dict(map(tuple, await connection.fetch(SQL.providers, lane)))
        return Known(areas, await sources.load(connection, lane))

    def draft(self, state: Known) -> Known:
        return Known(dict(state.areas), state.sources.draft())

    async def recall(
        self, connection: asyncpg.Connection, lane: int, draft: dict[str, str], accepted: Sequence[Accepted]
    ) -> None:
        pass

    def put_aside(
        self,
        draft: Known,
        lane: int,
        accepted: Sequence[Accepted],
        known: Collection[bytes],
        failed: Mapping[Place, str],
    ) -> Sequence[Refused]:
        """Booking cannot fail for one event alone: nothing ever waits."""
        return ()

    def sources(self, state: Known) -> Sources:
        return state.sources

    def parked(self, state: Known) -> int:
        return 0

    def admit(self, draft: Known, event: Accepted) -> Refused | None:
        if refusal := draft.sources.admit(event):
            return refusal
        if type(event.event) is DayOpened and draft.sources.asks(event.record.timestamp):
            return opened.admit(None, event)
        return registered.admit(draft.areas, event, draft.sources)

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Known, fresh: Sequence[Accepted]) -> None:
        """Booking needs nothing but the events."""

    def apply(self, draft: Known, lane: int, fresh: Sequence[Accepted]) -> Effects:
        return Effects((projector.rows(fresh, self.families), draft.sources.kept))

    def refused(self, lane: int, refusals: Sequence[Refused]) -> list[Decision]:
        """One `event.refused` for each, in the refusing lane, under an id made of the place that was refused."""
        key = partition.lane_key(lane, self._lanes)
        return [self._refusal(lane, key, refusal) for refusal in refusals]

    def _refusal(self, lane: int, key: bytes, refusal: Refused) -> Decision:
        record = refusal.record
        topic = self.families[record.topic]
        event = EventRefused(
            place=Place(topic=topic, lane=lane, offset=record.offset),
            source=refusal.source,
            id=refusal.id,
            type=refusal.type,
            reason=refusal.reason,
            detail=refusal.detail,
        )
        return decisions.decision(
            event,
            key=key,
            source="/ledger",
            id=f"refused/{topic}/{lane}/{record.offset}",
            time=decisions.time_of(record.timestamp),
        )

    async def write(self, connection: asyncpg.Connection, lane: int, rows: Any) -> None:
        rows, kept = rows
        await sources.write(connection, lane, kept)
        if rows.providers:
            await connection.execute(SQL.register, lane, *columns(rows.providers))
        if rows.statements:
            await connection.execute(SQL.keep_statements, lane, *columns(rows.statements))
        if rows.shifts:
            shifts = [(*key, fen) for key, fen in sorted(rows.shifts.items())]
            await connection.execute(SQL.keep_shifts, lane, *columns(shifts))
        if rows.cash:
            await connection.execute(
                SQL.add_cash, lane, *columns([(*key, fen) for key, fen in sorted(rows.cash.items())])
            )
        if rows.lines:
            buckets = [(*key, *amounts) for key, amounts in sorted(rows.buckets.items())]
            await connection.execute(SQL.book, lane, *columns(rows.lines), *columns(buckets))
