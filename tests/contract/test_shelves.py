"""What events refer to is kept somewhere, and what keeps it is asked."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from clearing.service import Clearing
from direct_pay.service import DirectPay
from medfund.events.fields import Names
from medfund.events.kinds import KINDS, Event
from medfund.lanes import kept
from medfund.lanes.composed import Composed
from medfund.lanes.shelf import Shelf

SERVICES = (Clearing, DirectPay)


def heard(service: type[Composed]) -> list[str]:
    """What some capability of a service does anything about."""
    ways = ("keeps", "learns", "answers", "evolves")
    types = {type_ for way in ways for type_ in getattr(service, way)}
    return sorted(type_ for type_, kind in KINDS.items() if kind.event in types)


READ = [(service, type_) for service in SERVICES for type_ in heard(service)]


def referred(hint: Any) -> Iterator[str]:
    """The kinds of what fields of a form name."""
    if get_origin(hint) is Annotated:
        yield from (extra.kind for extra in hint.__metadata__ if isinstance(extra, Names))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from (kind for field in get_type_hints(hint, include_extras=True).values() for kind in referred(field))
    yield from (kind for part in get_args(hint) for kind in referred(part))


@pytest.mark.parametrize(("service", "type_"), READ)
def test_what_an_event_refers_to_is_of_a_kind_that_some_shelf_keeps(service: type[Composed], type_: str) -> None:
    assert {*referred(KINDS[type_].event)} <= {shelf.keeps for shelf in service.shelves}


def test_references_are_found_wherever_in_an_event_they_are() -> None:
    class Inner(msgspec.Struct):
        payment: Annotated[str, Names("payment")] | None

    class Outer(Event):
        inner: list[Inner]
        several: dict[str, Annotated[str, Names("suspense")]]

    assert {*referred(Outer)} == {"payment", "suspense"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_shelf_is_asked_once_for_each_batch(service: type[Composed]) -> None:
    modules = {kept.__name__, *(type(shelf).__module__ for shelf in service.shelves)}
    every = [shelf for shelf in Shelf.__subclasses__() if shelf.__module__ in modules]
    assert Counter(map(type, service.shelves)) == Counter(every)
