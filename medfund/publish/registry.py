"""What a lane would say of the sources in a file.

By the log's own registry, where whoever publishes may read it; else by the table of speakers alone.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from medfund.events import codec, speakers
from medfund.events.codec import Accepted
from medfund.events.kinds import KINDS
from medfund.events.refusals import quoted
from medfund.lanes import watching
from medfund.lanes.log import BatchUnreadable
from medfund.lanes.sources import Sources

LANE = 0
"""What is said of sources is in every lane."""
SAID = frozenset({b"source.registered.v1", b"sources.opened.v1"})
READ_LIMIT_S = 10.0
LOOK_MS = 250


class Speaking:
    """Who may say what, as far as it is known; what a file says of sources is heard in its order."""

    def __init__(self, known: Sources | None = None) -> None:
        self._known = known

    def why_not(self, event: Accepted) -> str | None:
        """Why a lane would refuse an event that is appended now; None where it would not, for all that is known."""
        if self._known is not None:
            refused = self._known.admit(event)
            return refused.detail if refused else None
        said_by = speakers.said_by(KINDS[event.type])
        if speakers.could_be(event.source) & said_by:
            return None
        theirs = " or ".join(sorted(said_by))
        return f"source {quoted(event.source)} can never say this; {event.type} is said by {theirs}"


async def read(bootstrap: str, *, prefix: str, lanes: int, identity: Mapping[str, Any]) -> Speaking:
    """What the log says of sources. Where it says nothing, may not be read, or not in time, the table has to do."""
    known, place = Sources(), TopicPartition(f"{prefix}.agency", LANE)
    try:
        async with (
            asyncio.timeout(READ_LIMIT_S),
            watching.reader(bootstrap, "read_committed", identity=identity) as log,
        ):
            if place.topic not in await log.topics():
                return Speaking()
            log.assign([place])
            end = (await log.end_offsets([place]))[place]
            await log.seek_to_beginning(place)
            while await log.position(place) < end:
                for record in (await log.getmany(place, timeout_ms=LOOK_MS)).get(place, ()):
                    _hear(known, record, lanes)
    except (KafkaError, BatchUnreadable, OSError, TimeoutError):
        return Speaking()
    return Speaking(known if known.begun else None)


def _hear(known: Sources, record: ConsumerRecord, lanes: int) -> None:
    if dict(record.headers).get("ce_type") in SAID:
        found = codec.decode(record, family="agency", lanes=lanes)
        if isinstance(found, Accepted):
            known.admit(found)
