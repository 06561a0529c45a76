"""What a deciding service is composed of: capabilities, each of which says what it learns, answers and changes.

What stays true: capabilities listen to an event in their order. That order decides the number of each answer and is a
part of the log: a new capability listens after those that listen to the same event already.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from medfund.events.kinds import Event, Place

Draft = TypeVar("Draft")
Known = TypeVar("Known")
Call = TypeVar("Call", bound=Callable[..., Any])

Learn: TypeAlias = Callable[[Draft, Any, Place], None]
Answer: TypeAlias = Callable[[Draft, Any, Place], Iterable[Event]]
Evolve: TypeAlias = Callable[[Draft, Any], None]
Keep: TypeAlias = Callable[[Known, Any], Known]


@dataclass(frozen=True, kw_only=True)
class Capability(Generic[Draft, Known]):
    """By the type of the event: facts are kept, learned and answered, decisions change something."""

    name: str
    keeps: Mapping[type[Event], Keep[Known]] = field(default_factory=dict)
    """Facts that are kept as they came, and what is known of a lane after one."""
    learns: Mapping[type[Event], Learn[Draft]] = field(default_factory=dict)
    """What a fact says."""
    answers: Mapping[type[Event], Answer[Draft]] = field(default_factory=dict)
    """What follows from a fact. Each decision is true before the next is asked for."""
    evolves: Mapping[type[Event], Evolve[Draft]] = field(default_factory=dict)
    """What a decision changes."""
    large: Collection[type[Event]] = ()
    """Facts of which a batch holds one."""


def listeners(each: Sequence[Mapping[type[Event], Call]]) -> Mapping[type[Event], Sequence[Call]]:
    """By the type of an event: who listens, in their order."""
    types = {type_: None for listening in each for type_ in listening}
    return {type_: [listening[type_] for listening in each if type_ in listening] for type_ in types}
