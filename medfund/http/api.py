"""What a service is asked over HTTP: each capability says its endpoints, who may call them, and its commands.

What stays true: an operation that names no role is open to nobody, and no two capabilities have one of the same name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter

from medfund.events.kinds import Event
from medfund.http.access import Roles

T = TypeVar("T")


class Endpoint(Protocol):
    """A module that answers something."""

    @property
    def router(self) -> APIRouter: ...


@dataclass(frozen=True)
class Kind:
    """Of commands: what becomes an event of one type."""

    name: str
    type: str
    learned: bool = False
    """What it asks for is done as soon as every lane that it goes to has read it: no decision needs to answer it."""


@dataclass(frozen=True, kw_only=True)
class Api:
    endpoints: Sequence[Endpoint] = ()
    roles: Roles = field(default_factory=dict)
    """By operation id, in the order in which they are told: the least that each role needs."""
    commands: Sequence[Kind] = ()
    declines: Sequence[type[Event]] = ()
    """Decisions by which a part of what was asked for does not count."""
    examples: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Of what every command is answered: by the name of the schema."""


def composed(*each: Api) -> Api:
    """All that they are asked, as one."""
    return Api(
        endpoints=[endpoint for one in each for endpoint in one.endpoints],
        roles=_once((operation, allowed) for one in each for operation, allowed in one.roles.items()),
        commands=list(_once((kind.name, kind) for one in each for kind in one.commands).values()),
        declines=[event for one in each for event in one.declines],
        examples=_once(shown for one in each for shown in one.examples.items()),
    )


def _once(named: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, one in named:
        if name in found:
            raise ValueError(f"two capabilities speak of {name}")
        found[name] = one
    return found
