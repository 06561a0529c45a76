"""What a deciding service is composed of: capabilities, each of which says what it learns, answers and changes.

What stays true: capabilities listen to an event in their order. That order decides the number of each answer and is a
part of the log: a new capability listens after those that listen to the same event already.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft, Known, Part, Things

if TYPE_CHECKING:
    from medfund.lanes.sources import Sources

Key = TypeVar("Key")
Thing = TypeVar("Thing")
Call = TypeVar("Call")

Admit: TypeAlias = "Callable[[Draft, Accepted, Sources], Refused | None]"
Learn: TypeAlias = Callable[[Draft, Any, Place], None]
Answer: TypeAlias = Callable[[Draft, Any, Place], Iterable[Event]]
Evolve: TypeAlias = Callable[[Draft, Any], None]
Weigh: TypeAlias = Callable[[bytes], int]
Keep: TypeAlias = Callable[[Known, Any], Known]


@dataclass(frozen=True, kw_only=True)
class Capability:
    """By the type of the event: facts are admitted, kept, learned and answered, decisions change something."""

    name: str
    admits: Mapping[type[Event], Admit] = field(default_factory=dict)
    """Why a fact is refused that nobody could decide."""
    keeps: Mapping[type[Event], Keep | None] = field(default_factory=dict)
    """Facts that are kept as they came, and what is known of a lane after one; None where nothing is."""
    learns: Mapping[type[Event], Learn] = field(default_factory=dict)
    """What a fact says."""
    answers: Mapping[type[Event], Answer] = field(default_factory=dict)
    """What follows from a fact. Each decision is true before the next is asked for."""
    evolves: Mapping[type[Event], Evolve] = field(default_factory=dict)
    """What a decision changes."""
    large: Collection[type[Event]] = ()
    """Facts for which a batch takes as much memory as many records do."""
    weights: Mapping[type[Event], Weigh] = field(default_factory=dict)
    """For how many facts one counts in a batch, by its data, where much is read and decided for it."""
    bulk: Collection[type[Event]] = ()
    """Facts that a shelf takes as they come, and that is all: neither learned nor decided."""


def listeners(each: Sequence[Mapping[type[Event], Call]]) -> Mapping[type[Event], Sequence[Call]]:
    """By the type of an event: who listens, in their order."""
    types = {type_: None for listening in each for type_ in listening}
    return {type_: [listening[type_] for listening in each if type_ in listening] for type_ in types}


def known_after(keeps: Mapping[type[Event], Sequence[Keep | None]], known: Known, fact: Event) -> Known:
    """What is known of a lane after a fact that is kept as it came."""
    for keep in keeps.get(type(fact), ()):
        known = keep(known, fact) if keep else known
    return known


def keeping(part: Part[Thing], after: Callable[[Thing, Any], Thing]) -> Keep:
    """A fact that adds to one part of what is known."""
    return lambda known, event: known.replaced(part, after(known[part], event))


def changing(
    part: Part[Things[Key, Thing]], named: Callable[[Any], Key]
) -> Callable[[Callable[[Thing, Any], None]], Evolve]:
    """A decision that changes the one thing that it names."""

    def by(evolve: Callable[[Thing, Any], None]) -> Evolve:
        return lambda draft, event: evolve(draft[part].change(named(event)), event)

    return by
