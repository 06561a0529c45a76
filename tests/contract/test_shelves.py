"""What events refer to is kept somewhere, and what keeps it is asked."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from clearing.capabilities import SHELVES
from clearing.service import Clearing
from medfund.events.fields import Names
from medfund.events.kinds import KINDS, Event
from medfund.lanes import kept
from medfund.lanes.shelf import Shelf

READ = sorted(type_ for type_, kind in KINDS.items() if kind.family in (*Clearing.facts, Clearing.own))


def referred(hint: Any) -> Iterator[str]:
    """The kinds of what fields of a form name."""
    if get_origin(hint) is Annotated:
        yield from (extra.kind for extra in hint.__metadata__ if isinstance(extra, Names))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from (kind for field in get_type_hints(hint, include_extras=True).values() for kind in referred(field))
    yield from (kind for part in get_args(hint) for kind in referred(part))


@pytest.mark.parametrize("type_", READ)
def test_what_an_event_refers_to_is_of_a_kind_that_some_shelf_keeps(type_: str) -> None:
    assert {*referred(KINDS[type_].event)} <= {shelf.keeps for shelf in SHELVES}


def test_references_are_found_wherever_in_an_event_they_are() -> None:
    class Inner(msgspec.Struct):
        payment: Annotated[str, Names("payment")] | None

    class Outer(Event):
        inner: list[Inner]
        several: dict[str, Annotated[str, Names("suspense")]]

    assert {*referred(Outer)} == {"payment", "suspense"}


def test_every_shelf_is_asked_once_for_each_batch() -> None:
    modules = {kept.__name__, *(type(shelf).__module__ for shelf in SHELVES)}
    every = [shelf for shelf in Shelf.__subclasses__() if shelf.__module__ in modules]
    assert Counter(map(type, SHELVES)) == Counter(every)
