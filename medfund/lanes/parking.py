"""Keys that wait: a fact that could not be decided and all later facts of its key are put aside, and nothing else.

What stays true: whether a fact waits follows from what the service's own topic tells of its key and from the facts
before it on its own topic. A rebuild and a restored backup read the own topic first, and so put aside what was put
aside, whatever the order in which they read the topics of facts. Pure, but for what reads and writes the tables.

A key takes three kinds of turns. `fact.parked`: all its facts wait from here on. `fact.retried`: copies of those that
wait are taken, those of a topic in their order, and what else comes waits behind them. `fact.released`: nothing waits
any more. A copy that cannot be decided either parks the key again, before the copies that follow it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import msgspec

from medfund.events.codec import Accepted, Refused
from medfund.events.envelope import RETRY_OF
from medfund.events.kinds import KINDS, Place
from medfund.events.parking import FactParked, FactReleased, FactRetried, KeyTurn
from medfund.events.refusals import Reason
from medfund.lanes import batch, store
from medfund.lanes.store import InvariantBroken
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "parking.sql")

Content: TypeAlias = tuple[bytes, bytes]
"""Identity and digest of a fact."""
Cut: TypeAlias = Mapping[str, int]
"""By topic: an offset."""

TYPES = {kind.event: kind.type for kind in KINDS.values() if issubclass(kind.event, KeyTurn)}
_TURN_OF = {type: KINDS[type].decoder.decode for type in TYPES.values()}


class Waiting(NamedTuple):
    """Where a fact stands that waits; facts wait in this order."""

    appended_at: datetime
    topic: str
    offset: int


class Told(NamedTuple):
    """A turn that was taken in a batch, to be told as of the append time of its cause."""

    turn: KeyTurn
    appended_ms: int


@dataclass
class Key:
    turns: list[KeyTurn] = field(default_factory=list)
    count: int = 0
    """How many of its facts wait."""
    waiting: dict[Content, Waiting] = field(default_factory=dict)
    """Of these, in their order, what one batch can touch: see `recall`."""

    def turn_at(self, topic: str, offset: int) -> KeyTurn | None:
        """The last one that holds for a place."""
        return next((turn for turn in reversed(self.turns) if begins(turn, topic) <= offset), None)

    def first_of(self, topic: str) -> Content | None:
        return next((content for content, entry in self.waiting.items() if entry.topic == topic), None)

    def fault(self, turn: KeyTurn) -> Place:
        """What is waited for: the fact that was parked last when a turn was taken."""
        before = self.turns[: self.turns.index(turn) + 1]
        return next(turn.cause for turn in reversed(before) if isinstance(turn, FactParked))


def begins(turn: KeyTurn, topic: str) -> int:
    return next((place.offset for place in turn.since if place.topic == topic), 0)


@dataclass
class Parking:
    """The keys of a lane of which something was told, and what a batch changes of them."""

    keys: dict[str, Key] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    """Turns taken in this batch."""
    kept: list[tuple[str, int, str, str]] = field(default_factory=list)
    """Rows of turns that were taken or heard in this batch."""
    joined: list[tuple[str, Content, Waiting]] = field(default_factory=list)
    settled: list[Waiting] = field(default_factory=list)
    _own: set[str] = field(default_factory=set)

    def draft(self) -> "Parking":
        """What waits is not carried from batch to batch: there may be more of it than there is memory."""
        touched = {key: Key(self.keys[key].turns, self.keys[key].count) for key in self._own}
        return Parking({**self.keys, **touched})

    def of(self, key: str) -> Key:
        """A key that this batch may change."""
        if key not in self._own:
            known = self.keys.get(key, Key())
            self.keys[key] = Key(list(known.turns), known.count)
            self._own.add(key)
        return self.keys[key]

    @property
    def parked(self) -> int:
        """How many keys have facts that wait."""
        return sum(1 for key in self.keys.values() if key.count)

    def hear(self, turn: KeyTurn) -> None:
        """A turn that an earlier life of this database took."""
        if all((type(known), known.cause) != (type(turn), turn.cause) for known in self.of(turn.key).turns):
            self._keep(turn)

    def take(self, turn: KeyTurn, appended_ms: int) -> None:
        self._keep(turn)
        self.told.append(Told(turn, appended_ms))

    def _keep(self, turn: KeyTurn) -> None:
        turns = self.of(turn.key).turns
        self.kept.append((turn.key, len(turns), TYPES[type(turn)], msgspec.json.encode(turn).decode()))
        turns.append(turn)

    def wait(self, key: str, fact: Accepted, place: Place) -> None:
        """A further delivery of one that waits does not wait by itself."""
        known = self.of(key)
        if content(fact) not in known.waiting:
            entry = Waiting(store.instant(fact.record.timestamp), place.topic, place.offset)
            known.waiting[content(fact)] = entry
            known.count += 1
            self.joined.append((key, content(fact), entry))

    def settle(self, key: str, fact: Accepted) -> None:
        known = self.of(key)
        entry = known.waiting.pop(content(fact), None)
        if entry is not None:
            known.count -= 1
            self.settled.append(entry)


def content(fact: Accepted) -> Content:
    return (fact.identity, fact.digest)


def concerns_every_key(fact: Accepted) -> bool:
    """A day, a policy, a notice: there is no key whose facts could wait for it."""
    return KINDS[fact.type].key == "lane"


def key_of(fact: Accepted) -> str:
    return (fact.record.key or b"").decode()


def is_copy(fact: Accepted) -> bool:
    return any(name == f"ce_{RETRY_OF}" for name, _ in fact.record.headers)


@dataclass
class Judging:
    """One batch, its facts taken in the order in which the log got them."""

    parking: Parking
    reached: dict[str, int]
    """By topic: the facts before this offset were taken."""
    answered: Cut
    """Facts before it have an answer on the log, or a part of one."""
    accepted: set[bytes]
    """Identities that were accepted before."""
    failed: Mapping[Place, str]
    """Facts of this batch that could not be decided, with the fault."""
    deciding: bool

    def put_aside(self, facts: Iterable[tuple[Place, Accepted]]) -> list[Refused]:
        """Those that wait. What is not among them may be judged as if nothing had ever waited."""
        aside = []
        for place, fact in facts:
            refusal = None
            if not concerns_every_key(fact) and (place in self.failed or key_of(fact) in self.parking.keys):
                refusal = self._judge(place, fact)
            if refusal:
                aside.append(refusal)
            else:
                self.accepted.add(fact.identity)
            self.reached[place.topic] = place.offset + 1
        return aside

    def _judge(self, place: Place, fact: Accepted) -> Refused | None:
        key = key_of(fact)
        turn = self._turn(key, place, fact)
        waits = self.parking.of(key)
        # Of its own topic only: which facts of others wait depends on how far each topic was read.
        next_one = is_copy(fact) and content(fact) == waits.first_of(place.topic)
        known = fact.identity in self.accepted
        if turn is None or isinstance(turn, FactReleased) or known or (isinstance(turn, FactRetried) and next_one):
            self.parking.settle(key, fact)
            return None
        self.parking.wait(key, fact, place)
        if isinstance(turn, FactParked) and turn.cause == place:
            return batch.refuse(fact, Reason.HANDLER_FAILED, turn.detail)
        fault = waits.fault(turn)
        return batch.refuse(fact, Reason.KEY_WAITS, f"waits for {fault.topic} {fault.lane} {fault.offset}")

    def _turn(self, key: str, place: Place, fact: Accepted) -> KeyTurn | None:
        """The turn that holds for a fact; it may be the fact at which its key takes the next one."""
        known = self.parking.of(key)
        if place in self.failed:
            return self._park(key, place, fact)
        turn = known.turn_at(place.topic, place.offset)
        if turn is None or turn.cause == place or not self._caught_up(key, place):
            return turn
        first = content(fact) == next(iter(known.waiting), None)
        if isinstance(turn, FactParked) and is_copy(fact) and first:
            return self._take(FactRetried(key=key, cause=place, since=self._since(key, place)), fact)
        if isinstance(turn, FactRetried) and not known.count:
            return self._take(FactReleased(key=key, cause=place, since=self._since(key, place)), fact)
        return turn

    def _park(self, key: str, place: Place, fact: Accepted) -> KeyTurn:
        fault = self.failed[place]
        if not self.deciding or self._told(key).get(place.topic, 0) > place.offset:
            raise InvariantBroken(
                f"{place.topic} {place.lane} {place.offset} cannot be decided, nor can it wait, for the log tells "
                f"already what came after it: {fault}"
            )
        return self._take(FactParked(key=key, cause=place, since=self._since(key, place), detail=fault), fact)

    def _take(self, turn: KeyTurn, fact: Accepted) -> KeyTurn:
        self.parking.take(turn, fact.record.timestamp)
        return turn

    def _told(self, key: str) -> dict[str, int]:
        """By topic: up to where the log tells what became of the facts of a key."""
        turns = self.parking.of(key).turns
        last = {place.topic: place.offset for place in turns[-1].since} if turns else {}
        return {topic: max(self.answered.get(topic, 0), last.get(topic, 0)) for topic in {*self.answered, *last}}

    def _caught_up(self, key: str, place: Place) -> bool:
        """Whether all that the log tells of was read again, so that it is known what waits."""
        reached = {**self.reached, place.topic: place.offset}
        return self.deciding and all(offset <= reached.get(topic, 0) for topic, offset in self._told(key).items())

    def _since(self, key: str, place: Place) -> list[Place]:
        """From this fact on, and of other topics from what comes next, but not before what the log tells of."""
        told = self._told(key)
        since = {topic: max(offset, told.get(topic, 0)) for topic, offset in self.reached.items()}
        since[place.topic] = place.offset
        return [Place(topic=topic, lane=place.lane, offset=offset) for topic, offset in since.items()]


# The tables


async def load(connection: asyncpg.Connection, lane: int) -> Parking:
    parking = Parking()
    for row in await connection.fetch(SQL.turns, lane):
        turn: Any = _TURN_OF[row["type"]](row["event"])
        parking.of(turn.key).turns.append(turn)
    for key, count in map(tuple, await connection.fetch(SQL.waiting, lane)):
        parking.of(key).count = count
    return parking.draft()


async def recall(
    connection: asyncpg.Connection, lane: int, parking: Parking, topics: Sequence[str], facts: Sequence[Accepted]
) -> None:
    """Read into the draft what of earlier batches these facts can touch: those that wait and come again, and of each
    topic as many of the next ones as can be settled by these, and one more."""
    mine = [fact for fact in facts if (known := parking.keys.get(key_of(fact))) and known.count]
    if not mine:
        return
    keys = sorted({key_of(fact) for fact in mine})
    rows = await connection.fetch(SQL.recall, lane, keys, topics, [fact.identity for fact in mine])
    for key, identity, digest, *place in map(tuple, rows):
        parking.of(key).waiting[identity, digest] = Waiting(*place)


async def write(connection: asyncpg.Connection, lane: int, parking: Parking) -> None:
    if parking.kept:
        await connection.execute(SQL.take_turns, lane, *columns(parking.kept))
    if parking.joined:
        rows = [(key, *content, *entry) for key, content, entry in parking.joined]
        await connection.execute(SQL.wait, lane, *map(list, zip(*rows, strict=True)))
    if parking.settled:
        await connection.execute(
            SQL.settle, lane, [entry.topic for entry in parking.settled], [entry.offset for entry in parking.settled]
        )
