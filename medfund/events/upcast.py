"""Old versions of events, lifted to the newest.

What stays true: an event that was accepted once is read for ever. An old version keeps its own frozen type, registered
with `lift=`, a pure function from it to the next version; readers only ever see the newest.
"""

from collections.abc import Mapping

from medfund.events.kinds import Event, Kind


def newest(event: Event, kind: Kind, kinds: Mapping[str, Kind]) -> Event:
    """The event in the newest version of its type, lifted version by version."""
    while kind.lift is not None:
        event = kind.lift(event)
        kind = kinds[f"{kind.name}.v{kind.version + 1}"]
    return event
