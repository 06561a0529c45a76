"""A small city for tests of the API: several kinds of lines, and every outcome that an event can have."""

from typing import NamedTuple

from medfund.lanes import partition
from tests import events
from tests.conftest import LANES
from tests.events import Message
from tests.integration.served import Api

OTHER_AREA = "152600"
OTHER_SOURCE = f"/gateway/{OTHER_AREA}"
POOLED, SERIOUS, ASSISTANCE = "390100", "390200", "610100"


class City(NamedTuple):
    """Who is who, and where the interesting events went."""

    hospital: str
    neighbour: str
    """In the same lane as the hospital."""
    stranger: str
    """In another lane, of the same area."""
    elsewhere: str
    """Of another area."""
    repeated: str
    """Id of an event that was delivered three times."""
    conflicting: str
    """Id of an event that came again with other content."""
    unregistered: str
    """Id of an event whose provider nobody knows."""
    malformed: str
    """Position of a record of the hospital that is no JSON."""


async def publish(api: Api) -> City:
    hospital, neighbour = events.providers(1, LANES, 2)
    [stranger] = events.providers(2, LANES, 1)
    [elsewhere] = events.providers(3, LANES, 1)
    unknown = events.providers(1, LANES, 3)[2]
    await api.booked(await api.append(*events.registry(range(LANES), LANES), *_elsewhere()))
    publisher = api.caller("publisher", subject="gateways")
    registrations = [events.registered(code, id=f"reg-{code}") for code in (hospital, neighbour, stranger)]
    registrations.append(events.registered(elsewhere, id=f"reg-{elsewhere}", area=OTHER_AREA))
    await api.booked(await publisher.publish(*registrations))

    first = _settlement(hospital, "h-1", {POOLED: 685_280, SERIOUS: 28_155, ASSISTANCE: 62_139})
    positions = await publisher.publish(
        first,
        _settlement(hospital, "h-2", {POOLED: 14_720}),
        _settlement(hospital, "h-3", {POOLED: 100}, service_date="2025-03-05"),
        _settlement(hospital, "h-visitor", {POOLED: 5_000}, insured_area="110000"),
        _settlement(hospital, "h-one-stop", {POOLED: 7_000, ASSISTANCE: 900}, advanced=[ASSISTANCE]),
        _settlement(neighbour, "n-1", {POOLED: 1_234}),
        _settlement(stranger, "s-1", {POOLED: 99_999}),
        _settlement(elsewhere, "e-1", {POOLED: 4_321}, area=OTHER_AREA, insured_area=OTHER_AREA, source=OTHER_SOURCE),
        events.settlement(hospital, id="h-reversed", funds={POOLED: 14_720}, reverses=events.reference("h-2"),
                          service_date="2025-03-04"),
    )  # fmt: skip
    positions += await publisher.publish(first, first)
    positions += await publisher.publish(_settlement(hospital, "h-2", {POOLED: 14_721}))
    positions += await publisher.publish(_settlement(unknown, "u-1", {POOLED: 500}))
    good = _settlement(hospital, "h-malformed", {POOLED: 1})
    [malformed] = await api.append(Message(good.topic, good.key, b'{"total": ', good.headers))
    await api.booked([*positions, malformed])
    return City(hospital, neighbour, stranger, elsewhere, "h-1", "h-2", "u-1", malformed)


def _elsewhere() -> list[Message]:
    """The gateway of another area."""
    return [
        events.source_registered(OTHER_SOURCE, "hospital", id="elsewhere", key=partition.lane_key(lane, LANES),
                                 areas=[OTHER_AREA])
        for lane in range(LANES)
    ]  # fmt: skip


def _settlement(provider: str, id: str, funds: dict[str, int], **changes: object) -> Message:
    return events.settlement(provider, id=id, funds=funds, cash=79_847, **changes)
