"""A service that decides, made of capabilities and shelves: what `medfund.lanes.decider` asks of its rules."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar

import asyncpg

from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import KINDS, Event, Place
from medfund.events.refusals import Reason
from medfund.lanes import metrics
from medfund.lanes.capability import Admit, Answer, Capability, Evolve, Keep, Learn, Weigh, known_after, listeners
from medfund.lanes.draft import Draft, Known
from medfund.lanes.kept import PUBLISHED, TYPES
from medfund.lanes.shelf import Batch, Shelf
from medfund.lanes.sources import Sources


class Composed:
    """A service says its names, what it is made of, and what is `known` of a lane of which nobody has said anything."""

    name: str
    own: str
    facts: Sequence[str]
    references: Sequence[str] = ("agency",)
    lacking: Collection[Reason] = frozenset({Reason.NOT_YOURS_TO_SAY, Reason.UNKNOWN_PROVIDER})
    silent: Collection[str] = frozenset()
    capabilities: ClassVar[Sequence[Capability]]
    shelves: ClassVar[Sequence[Shelf]]
    known: ClassVar[Known] = Known()

    admits: ClassVar[Mapping[type[Event], Sequence[Admit]]]
    keeps: ClassVar[Mapping[type[Event], Sequence[Keep | None]]]
    learns: ClassVar[Mapping[type[Event], Sequence[Learn]]]
    answers: ClassVar[Mapping[type[Event], Sequence[Answer]]]
    evolves: ClassVar[Mapping[type[Event], Sequence[Evolve]]]
    large: Collection[type[Event]]
    weights: Mapping[str, Mapping[bytes | None, Weigh]]
    kept: Collection[type[Event]]

    def __init_subclass__(cls) -> None:
        every = cls.capabilities
        cls.admits = listeners([one.admits for one in every])
        cls.keeps = listeners([one.keeps for one in every])
        cls.learns = listeners([one.learns for one in every])
        cls.answers = listeners([one.answers for one in every])
        cls.evolves = listeners([one.evolves for one in every])
        cls.large = frozenset(type_ for one in every for type_ in one.large)
        cls.weights = _by_family([one.weights for one in every])
        cls.kept = frozenset(type_ for one in every for type_ in one.bulk)

    def __init__(self, *, prefix: str) -> None:
        self._families = {f"{prefix}.{family}": family for family in self.facts}

    async def load(self, connection: asyncpg.Connection, lane: int) -> Draft:
        known = self.known
        for shelf in self.shelves:
            known = await shelf.load(connection, lane, known)
        metrics.calendar_days(self.name, known)
        return Draft(known)

    def draft(self, state: Draft) -> Draft:
        """Things are read anew for each batch; what is known of the lane goes on."""
        return Draft(state.known)

    def admit(self, draft: Draft, fact: Accepted, *, sources: Sources) -> Refused | None:
        for admit in self.admits.get(type(fact.event), ()):
            if refusal := admit(draft, fact, sources):
                return refusal
        return None

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
        await self.read(connection, lane, draft, Batch(fresh, self.kept))

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        for shelf in self.shelves:
            await shelf.read(connection, lane, draft, batch)

    def learn(self, draft: Draft, fact: Accepted) -> None:
        event, place = fact.event, self._place(fact)
        for learn in self.learns.get(type(event), ()):
            learn(draft, event, place)
        if type(event) in self.keeps:
            draft[PUBLISHED].append((place.topic, place.offset, event))
            draft.known = known_after(self.keeps, draft.known, event)

    def decide(self, draft: Draft, fact: Accepted) -> Iterable[Event]:
        place = self._place(fact)
        for answer in self.answers.get(type(fact.event), ()):
            yield from answer(draft, fact.event, place)

    def evolve(self, draft: Draft, decision: Event) -> None:
        for evolve in self.evolves.get(type(decision), ()):
            evolve(draft, decision)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        for shelf in self.shelves:
            await shelf.write(connection, lane, draft)
        draft.let_go()
        metrics.calendar_days(self.name, draft.known)

    def _place(self, fact: Accepted) -> Place:
        record = fact.record
        return Place(topic=self._families[record.topic], lane=record.partition, offset=record.offset)


def _by_family(each: Iterable[Mapping[type[Event], Weigh]]) -> Mapping[str, Mapping[bytes | None, Weigh]]:
    found: defaultdict[str, dict[bytes | None, Weigh]] = defaultdict(dict)
    for weights in each:
        for type_, weigh in weights.items():
            found[KINDS[TYPES[type_]].family][TYPES[type_].encode()] = weigh
    return found
