"""The bank process's own view of the database, and its way to the log.

What stays true: it reads what lanes have decided and writes facts, as any other publisher does; an event that it
appends has the same id and the same bytes however often. Every wait has a limit.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TypeVar

import asyncpg

from clearing.bank.matching import Fact
from clearing.bank.reading import Reader
from medfund.events import envelope
from medfund.events.kinds import KINDS
from medfund.events.refusals import Reason
from medfund.lanes import decisions, partition
from medfund.lanes.log import Decision, Log
from medfund.postgres import queries

SQL = queries.load(__file__, "bank.sql")
SOURCE = "/clearing/bank"
AT_ONCE = 5000
DECIDED_LIMIT_S = 120.0
LOOK_S = 0.05
_KIND_OF = {kind.event: kind for kind in KINDS.values()}


_One = TypeVar("_One")


def parts(many: Iterable[_One]) -> Iterator[list[_One]]:
    """So many as are looked up, told or kept at a time."""
    left = iter(many)
    while part := list(islice(left, AT_ONCE)):
        yield part


class NotDecided(Exception):
    """The lanes did not take what was appended in time; nothing is lost, and it is tried again."""


class NotYet(Exception):
    """What a file says is of a day that has not come. Nothing of it was appended."""


class NotAccepted(Exception):
    """The lanes refused something that was appended. Where waiting can help (`waits`: a broker's clock that is wrong)
    the file that says so stays where it is, and is taken again later: what is accepted then counts once. Otherwise it
    can never be accepted."""

    def __init__(self, why: str, *, waits: bool) -> None:
        super().__init__(why)
        self.waits = waits


@dataclass(frozen=True)
class Waiting:
    """A file that lies in `in/`."""

    again: float
    """From when on it is taken again."""
    why: str
    refused: bool = False
    """The log did not take its day, whatever our clock says: nothing is appended before every lane has opened it."""
    early: bool = False
    """Of a day that has not come: there is nothing to be done."""


@dataclass(frozen=True)
class Told:
    """What was appended, by lane: on which topics, and what the events are and say."""

    topics: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    digests: dict[int, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """By identity. What was accepted under an identity is this event only where it says the same."""

    def add(self, lane: int, decision: Decision) -> None:
        self.topics[lane].add(decision.topic)
        self.digests[lane][identity_of(decision)] = digest_of(decision)


def identity_of(decision: Decision) -> bytes:
    return envelope.identity_of(decision.source.encode(), decision.id.encode())


def digest_of(decision: Decision) -> bytes:
    return envelope.digest_of(decision.type.encode(), decision.time.encode(), decision.value)


@dataclass(frozen=True)
class Desk:
    """One process, working for all areas."""

    connection: asyncpg.Connection
    log: Log
    lanes: int
    later: dict[str, Waiting] = field(default_factory=dict)
    reader: Reader = field(default_factory=Reader)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[asyncpg.Connection]:
        """One snapshot of everything."""
        async with self.connection.transaction(isolation="repeatable_read"):
            await self._see_all()
            yield self.connection

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.connection.transaction():
            await self._see_all()
            yield self.connection

    async def _see_all(self) -> None:
        """Row security shows nothing to whoever says no scope."""
        await self.connection.execute(
            "select set_config('medfund.areas', '*', true), set_config('medfund.organisations', '*', true)"
        )

    async def tell(self, facts: Iterable[Fact], on: date) -> None:
        """Append facts, and wait until the lanes have decided them. Raises `NotDecided`, `NotAccepted`."""
        told = Told()
        await self.append(facts, on, told)
        await self.decided(told)

    async def append(self, facts: Iterable[Fact], on: date, told: Told) -> None:
        """Append facts, and note them."""
        by_lane: dict[int, list[Decision]] = defaultdict(list)
        for fact in facts:
            lane, decision = self.written(fact, on)
            by_lane[lane].append(decision)
            told.add(lane, decision)
        await asyncio.gather(*(self.log.append(lane, some) for lane, some in sorted(by_lane.items())))

    def written(self, fact: Fact, on: date) -> tuple[int, Decision]:
        """The lane of a fact, and its event: of the day that it is about, not of the day of asking."""
        key = envelope.key_of(_KIND_OF[type(fact.event)], fact.event)
        if fact.lane is not None:
            key = partition.lane_key(fact.lane, self.lanes)
        if key is None:
            raise ValueError(f"{fact.id} is of no key")
        told = decisions.decision(fact.event, key=key, source=SOURCE, id=fact.id, time=f"{on}T00:00:00+08:00")
        return partition.lane_of(key, self.lanes), told

    async def decided(self, told: Told) -> None:
        """Wait until lanes have taken all that is on the topics now, and see that they have accepted it.

        Raises `NotDecided`, `NotAccepted`.
        """
        for lane, names in sorted(told.topics.items()):
            source = await self.log.open_lane(lane, sorted(names))
            try:
                ends = {topic: await source.end(topic) for topic in names}
            finally:
                await source.close()
            for topic, end in ends.items():
                await self._reached(lane, topic, end)
        for lane, digests in sorted(told.digests.items()):
            for some in parts(digests):
                known = dict(map(tuple, await self.connection.fetch(SQL.known, [lane], some)))
                if missing := [identity for identity in some if known.get(identity) != digests[identity]]:
                    await self._not_accepted(lane, missing)

    async def _not_accepted(self, lane: int, missing: Sequence[bytes]) -> None:
        """Raises `NotAccepted` with the reason of one of them."""
        async with self.reading() as connection:
            row = await connection.fetchrow(SQL.refusal, lane, missing)
        why = f"{row['reason']}: {row['detail']}" if row else "nobody says why"
        waits = row is None or row["reason"] == Reason.TIME_IN_FUTURE
        raise NotAccepted(f"lane {lane} refused {len(missing)} of what the bank said: {why}", waits=waits)

    async def _reached(self, lane: int, topic: str, end: int) -> None:
        deadline = time.monotonic() + DECIDED_LIMIT_S
        while time.monotonic() < deadline:
            rows = await self.connection.fetch(SQL.reached, topic, [lane])
            if rows and rows[0]["next_offset"] >= end:
                return
            await asyncio.sleep(LOOK_S)
        raise NotDecided(f"lane {lane} has not taken {topic} up to {end} within {DECIDED_LIMIT_S:.0f} s")

    async def accepted(self, facts: Sequence[tuple[Fact, date]], *, as_told: bool) -> set[str]:
        """Which of some facts the lanes have, by their ids. `as_told`: and with this content, which an earlier version
        may have written otherwise."""
        written = [self.written(fact, on) for fact, on in facts]
        lanes, identities = {lane for lane, _ in written}, [identity_of(told) for _, told in written]
        known = dict(map(tuple, await self.connection.fetch(SQL.known, sorted(lanes), identities)))
        found = ((told, known.get(identity_of(told))) for _, told in written)
        return {told.id for told, digest in found if digest is not None and (not as_told or digest == digest_of(told))}
