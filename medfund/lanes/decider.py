"""A service that decides: facts come from the log, its answers go back to the log, each decided once.

What stays true: the state follows from the facts and the decisions alone; a fact is learned whenever it is read, and
decided only where the log holds no answer to it. `learn` changes what facts say and `evolve` what decisions say, never
the other way round, so that the same facts and decisions give the same state in whatever order topics are read.

Where the database is younger than the log (new, rebuilt, restored from a backup), the lane first reads the service's
own topic to its end: the decisions that it finds there are evolved, and the facts that they answer are not decided
again. In ordinary life its own decisions come back to it as echoes of what it knows.

A fact that cannot be decided waits, and with it the later facts of its key: see `medfund.lanes.parking`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import asyncpg

from medfund.events import bulk
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.parking import KeyTurn
from medfund.events.refusals import Reason
from medfund.lanes import batch, decisions, parking, partition, sources
from medfund.lanes.log import Decision, Record
from medfund.lanes.parking import Judging, Parking, Told
from medfund.lanes.service import Effects, HandlerFailed
from medfund.lanes.sources import Sources
from medfund.lanes.store import InvariantBroken
from medfund.postgres import queries

SQL = queries.load(__file__, "decider.sql")

State = TypeVar("State")

NOT_THE_RULES = (InvariantBroken, MemoryError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Errors that say nothing of the fact at which they came."""


class Rules(Protocol[State]):
    """What one deciding service brings. `learn`, `evolve`, `decide` and `admit` are pure but for the draft.

    Where one of these raises on a fact, that fact and the later ones of its key wait. Where it concerns every key, the
    lane stops.
    """

    name: str
    own: str
    """The family of its decisions."""
    facts: Sequence[str]
    """The families it learns from; within a batch they are taken in this order."""
    kept: Collection[type[Event]]
    """Facts that `prepare` keeps and that is all: the bulk of the log, neither learned nor decided."""
    references: Sequence[str]
    lacking: Collection[Reason]
    silent: Collection[str]
    large: Collection[type[Event]]
    weights: Mapping[str, Mapping[bytes | None, Callable[[bytes], int]]]

    async def load(self, connection: asyncpg.Connection, lane: int) -> State:
        """What is known of a lane, read when it is claimed."""
        ...

    def draft(self, state: State) -> State:
        """A copy for one batch."""
        ...

    def admit(self, draft: State, fact: Accepted, *, sources: Sources) -> Refused | None:
        """Refuse a fact that nobody can decide. What came before the lane asks who speaks stays as it was taken."""
        ...

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: State, fresh: Sequence[Accepted]) -> None:
        """Read what the events of a batch refer to, in a number of statements that does not depend on their number."""
        ...

    def learn(self, draft: State, fact: Accepted) -> None: ...

    def evolve(self, draft: State, decision: Event) -> None: ...

    def decide(self, draft: State, fact: Accepted) -> Iterable[Event]:
        """The answers to a fact that was just learned. Each is evolved before the next is asked for."""
        ...

    async def write(self, connection: asyncpg.Connection, lane: int, draft: State) -> None:
        """Save what a batch changed, in a number of statements that does not depend on its size."""
        ...


class Answer(NamedTuple):
    """Which decision of those to one fact an event is, as its id says."""

    number: int
    of: int


@dataclass
class Deciding(Generic[State]):
    """The state of a lane: the service's own, and which facts are decided."""

    state: State
    decided: dict[str, int]
    """By topic: the facts before this offset were decided here."""
    answered: dict[str, int]
    """By topic: the facts before this offset are answered by decisions that were found on the log."""
    partial: dict[tuple[str, int], list[Accepted]] = field(default_factory=dict)
    """Answers of which the rest has not been read yet."""
    changed: set[str] = field(default_factory=set)
    parking: Parking = field(default_factory=Parking)
    sources: Sources = field(default_factory=Sources)
    passed: dict[str, int] = field(default_factory=dict)
    """By topic: the facts before this offset were put aside or looked at for it in this batch."""


class Decider(Generic[State]):
    """The service that lanes carry: see `medfund.lanes.service.Service`."""

    def __init__(self, rules: Rules[State], *, lanes: int, prefix: str, deciding: bool = True) -> None:
        """`deciding=False` only learns and evolves, whatever the facts: a rebuild publishes nothing."""
        self.rules = rules
        self.name = rules.name
        self.own: str | None = rules.own
        self.topics: Sequence[str] = (rules.own, *rules.facts)
        self.references = rules.references
        self.lacking = rules.lacking
        self.silent = rules.silent
        self.large = rules.large
        self.weights = rules.weights
        self.families = {f"{prefix}.{family}": family for family in self.topics}
        self._own_topic = f"{prefix}.{rules.own}"
        self._source = f"/{rules.name}"
        self._lanes = lanes
        self._deciding = deciding

    def decode(self, records: Sequence[Record], family: str, asked_from: int = 0) -> Sequence[Accepted | Refused]:
        return bulk.decode(records, family=family, lanes=self._lanes, asked_from=asked_from)

    async def load(self, connection: asyncpg.Connection, lane: int) -> Deciding[State]:
        rows = await connection.fetch(SQL.decided, lane)
        return Deciding(
            await self.rules.load(connection, lane),
            {row["topic"]: row["decided"] for row in rows},
            {row["topic"]: row["answered"] for row in rows},
            parking=await parking.load(connection, lane),
            sources=await sources.load(connection, lane),
        )

    def draft(self, state: Deciding[State]) -> Deciding[State]:
        return replace(
            state,
            state=self.rules.draft(state.state),
            decided=dict(state.decided),
            answered=dict(state.answered),
            partial={cause: list(events) for cause, events in state.partial.items()},
            changed=set(),
            parking=state.parking.draft(),
            sources=state.sources.draft(),
            passed={},
        )

    async def recall(
        self, connection: asyncpg.Connection, lane: int, draft: Deciding[State], accepted: Sequence[Accepted]
    ) -> None:
        if draft.parking.keys:
            facts = [event for event in accepted if not self._is_own(event)]
            await parking.recall(connection, lane, draft.parking, self.rules.facts, facts)

    def put_aside(
        self,
        draft: Deciding[State],
        lane: int,
        accepted: Sequence[Accepted],
        known: Collection[bytes],
        failed: Mapping[Place, str],
    ) -> Sequence[Refused]:
        if not (draft.parking.keys or failed):
            return ()
        facts = self._as_they_came([event for event in accepted if not self._is_own(event)])
        draft.passed = {topic: draft.decided.get(topic, 0) for topic in self.rules.facts}
        answered = dict(draft.answered)
        for topic, offset in draft.partial:
            answered[topic] = max(offset + 1, answered.get(topic, 0))
        judging = Judging(draft.parking, draft.passed, answered, set(known), failed, self._deciding)
        return judging.put_aside((self._place(lane, fact), fact) for fact in facts)

    def sources(self, state: Deciding[State]) -> Sources:
        return state.sources

    def parked(self, state: Deciding[State]) -> int:
        return state.parking.parked

    def admit(self, draft: Deciding[State], event: Accepted) -> Refused | None:
        if not self._is_own(event):
            try:
                return draft.sources.admit(event) or self.rules.admit(draft.state, event, sources=draft.sources)
            except Exception as error:
                raise self._failure(event, error) from error
        if event.source != self._source:
            return batch.refuse(event, Reason.NOT_YOURS_TO_SAY, f"only {self._source} decides")
        if not (isinstance(event.event, KeyTurn) or answer_of(event)):
            return batch.refuse(event, Reason.BAD_ATTRIBUTE, "a decision names the fact that it answers")
        return None

    async def prepare(
        self, connection: asyncpg.Connection, lane: int, draft: Deciding[State], fresh: Sequence[Accepted]
    ) -> None:
        waiting = [event for heard in draft.partial.values() for event in heard]
        news = [event for event in fresh if not self._is_echo(draft, event)]
        await self.rules.prepare(connection, lane, draft.state, [*waiting, *news])

    def apply(self, draft: Deciding[State], lane: int, fresh: Sequence[Accepted]) -> Effects:
        decided: list[Decision] = []
        facts: list[Accepted] = []
        reached: dict[str, int] = {}
        for event in fresh:
            if type(event.event) in self.rules.kept:
                reached[event.record.topic] = event.record.offset + 1
            elif self._is_own(event):
                self._hear(draft, event)
            else:
                facts.append(event)
        for fact in self._as_they_came(facts):
            try:
                decided += self._answer(draft, lane, fact)
            except Exception as error:
                raise self._failure(fact, error) from error
        for name, offset in (*draft.passed.items(), *((self.families[name], end) for name, end in reached.items())):
            draft.decided[name] = max(offset, draft.decided.get(name, 0))
        # Turns first: where the log has an answer, it has what let the answered fact be taken.
        return Effects(draft, [*(self._told(lane, told) for told in draft.parking.told), *decided])

    def _failure(self, fact: Accepted, error: Exception) -> Exception:
        """What an error of the rules means: this fact waits, or the lane stops where no key could wait."""
        if isinstance(error, NOT_THE_RULES):
            return error
        fault, place = told(error), self._place(fact.record.partition, fact)
        if parking.concerns_every_key(fact):
            return InvariantBroken(f"{place.topic} {place.lane} {place.offset} concerns every key: {fault}")
        return HandlerFailed(place, fault)

    def _place(self, lane: int, fact: Accepted) -> Place:
        return Place(topic=self.families[fact.record.topic], lane=lane, offset=fact.record.offset)

    def _told(self, lane: int, told: Told) -> Decision:
        """What is told of a key, once for each kind and cause."""
        turn, cause = told.turn, told.turn.cause
        return decisions.decision(
            turn,
            key=partition.lane_key(lane, self._lanes),
            source=self._source,
            id=f"{parking.TYPES[type(turn)]}/{cause.topic}/{cause.lane}/{cause.offset}",
            time=decisions.time_of(told.appended_ms),
            family=self.own,
        )

    def _as_they_came(self, facts: list[Accepted]) -> Iterable[Accepted]:
        """In the order in which the broker appended them; those of one topic keep the order of their topic."""
        reached: dict[str, int] = {}
        moments = []
        for fact in facts:
            topic = fact.record.topic
            reached[topic] = max(reached.get(topic, 0), fact.record.timestamp)
            moments.append(reached[topic])
        return [facts[place] for place in sorted(range(len(facts)), key=moments.__getitem__)]

    def _is_own(self, event: Accepted) -> bool:
        return event.record.topic == self._own_topic

    def _is_echo(self, draft: Deciding[State], event: Accepted) -> bool:
        """A decision on a fact that was decided here in an earlier batch: what it says is true already."""
        if not self._is_own(event):
            return False
        cause = cause_of(event.event)
        return cause.offset < draft.decided.get(cause.topic, 0)

    def _hear(self, draft: Deciding[State], event: Accepted) -> None:
        """One of our own decisions came by: an echo, or what an earlier life of this database decided."""
        if self._is_echo(draft, event):
            return
        answer, cause = answer_of(event), cause_of(event.event)
        if isinstance(event.event, KeyTurn):
            return draft.parking.hear(event.event)
        if answer is None:
            return
        place = (cause.topic, cause.offset)
        heard = draft.partial.setdefault(place, [])
        heard.append(event)
        if len(heard) < answer.of:
            return
        for decision in draft.partial.pop(place):
            self.rules.evolve(draft.state, decision.event)
        draft.answered[cause.topic] = max(draft.answered.get(cause.topic, 0), cause.offset + 1)
        draft.changed.add(cause.topic)

    def _answer(self, draft: Deciding[State], lane: int, fact: Accepted) -> list[Decision]:
        topic, offset = self.families[fact.record.topic], fact.record.offset
        self.rules.learn(draft.state, fact)
        draft.decided[topic] = offset + 1
        if offset < draft.answered.get(topic, 0) or not self._deciding:
            return []
        heard = [event.event for event in draft.partial.pop((topic, offset), [])]
        answers: list[Event] = []
        for decision in self.rules.decide(draft.state, fact):
            if cause_of(decision) != Place(topic=topic, lane=lane, offset=offset):
                raise InvariantBroken(f"a decision on {topic} {lane} {offset} names another cause")
            # The log may hold the beginning of this answer: what stands there stands.
            answers.append(heard[len(answers)] if len(answers) < len(heard) else decision)
            self.rules.evolve(draft.state, answers[-1])
        return [
            decisions.decision(
                decision,
                key=decisions.key_of(decision) or partition.lane_key(lane, self._lanes),
                source=self._source,
                id=decisions.id_of(topic, lane, offset, number, len(answers)),
                time=decisions.time_of(fact.record.timestamp),
            )
            for number, decision in enumerate(answers, 1)
            if number > len(heard)
        ]

    def refused(self, lane: int, refusals: Sequence[Refused]) -> Sequence[Decision]:
        """The ledger tells publishers of refusals."""
        return ()

    async def write(self, connection: asyncpg.Connection, lane: int, rows: Any) -> None:
        draft: Deciding[State] = rows
        if draft.changed:
            topics = sorted(draft.changed)
            await connection.execute(SQL.answer, lane, topics, [draft.answered[topic] for topic in topics])
        await parking.write(connection, lane, draft.parking)
        await sources.write(connection, lane, draft.sources.kept)
        await self.rules.write(connection, lane, draft.state)


def told(error: Exception) -> str:
    """What went wrong and where, without the message: it may quote the fact."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return type(error).__name__
    code = last.tb_frame.f_code
    module = last.tb_frame.f_globals.get("__name__", "?")
    return f"{type(error).__name__} in {module}.{code.co_qualname}, line {last.tb_lineno}"


def cause_of(decision: Event) -> Place:
    """The place of the fact that a decision answers."""
    cause: Place = decision.cause  # type: ignore[attr-defined]
    return cause


def answer_of(event: Accepted) -> Answer | None:
    """None where the event is no decision, or its id does not say which answer to its cause it is."""
    cause = getattr(event.event, "cause", None)
    prefix, _, answer = event.id.rpartition("/")
    number, _, of = answer.partition("-")
    if cause is None or prefix != f"{cause.topic}/{cause.lane}/{cause.offset}":
        return None
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        return None
    return Answer(int(number), int(of))
