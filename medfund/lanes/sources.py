"""Whose word counts in a lane: the registry of sources as it was heard, and what each of them may say.

What stays true: whether an event may be said follows from the event, its append time, and what the log says of its
source by then, whatever the order in which topics are read. What widens a source's word holds from the moment it was
appended: an event is refused only when the lane has read the topic to its end. What narrows it holds `HEARD_MS` later,
and no lane judges events so much newer than what it has heard (`Lane`). Pure, but for what reads and writes the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import msgspec

from medfund import calendar, people
from medfund.events import speakers
from medfund.events.agency import PolicyPublished
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import KINDS
from medfund.events.openings import OpeningItemRecorded
from medfund.events.refusals import Reason, quoted
from medfund.events.sources import SourceRegistered, SourcesOpened
from medfund.events.speakers import Speaker
from medfund.events.treasury import OpeningBalanceRecorded, StaffMandated
from medfund.lanes import batch, store
from medfund.postgres import queries

SQL = queries.load(__file__, "sources.sql")

HEARD_MS = 60_000
REMEMBERED_MAX = 16_384
FOREVER = 1 << 62

Window: TypeAlias = tuple[int, int]
"""From one append time up to before another, in milliseconds."""


class Right(NamedTuple):
    """One registration of a source, and when it holds: until a little after the next one was appended."""

    told: SourceRegistered
    window: Window

    def why_not(self, type: str, event: Any) -> str | None:
        """What it lacks for an event; None where it lacks nothing."""
        told, area = self.told, getattr(event, "area", None)
        speaks = {Speaker(name) for name in told.speakers}
        speaking = speaks & speakers.said_by(KINDS[type])
        if not speaking:
            return f"speaks as {_names(speaks)}"
        if told.types is not None and type not in told.types:
            return "is registered for other types of events"
        if told.areas is not None and area not in told.areas:
            return "is registered for other areas" if area else "is not registered for every area"
        if told.organisations is not None and not speakers.spoken_for(event, speaking) & {*told.organisations}:
            return "is registered for other organisations"
        return None


@dataclass
class Sources:
    """What a lane knows of sources; a batch works on a draft of it."""

    rights: Mapping[str, Sequence[Right]] = field(default_factory=dict)
    asked_from: int = 0
    """Events that were appended before are judged as if there were no registry."""
    begun: bool = False
    """Whether it was booked from when on is asked, or that a source was registered."""
    kept: list[Accepted] = field(default_factory=list)
    """What this batch says of sources."""
    _windows: dict[tuple[Any, ...], Window] = field(default_factory=dict)
    """By source, type, area, provider and supplier: when such an event may be said. What is refused is not
    remembered."""

    def draft(self) -> "Sources":
        return Sources(self.rights, self.asked_from, self.begun, [], self._windows)

    def admit(self, accepted: Accepted) -> Refused | None:
        """Refuse what its source may not say; what is said of sources is heard."""
        event: Any = accepted.event
        try:
            key = (accepted.source, accepted.type, event.area, event.provider, getattr(event, "supplier", None))
        except AttributeError:
            return self._judged(accepted, None)
        window = self._windows.get(key)
        if window is not None and window[0] <= accepted.record.timestamp < window[1]:
            return None
        return self._judged(accepted, key)

    def admit_of(self, area: str, accepted: Accepted) -> Refused | None:
        """Refuse what its source might not say of the area in which the provider is now."""
        event = msgspec.structs.replace(accepted.event, area=area)
        found = self.may_say(accepted.source, accepted.type, event, accepted.record.timestamp)
        if isinstance(found, str):
            return batch.refuse(accepted, Reason.NOT_YOURS_TO_SAY, f"the provider is of another area: {found}")
        return None

    def asks(self, at: int) -> bool:
        """Whether what was appended at a moment is judged by who says it, and by all else that is asked since then."""
        return at >= self.asked_from

    def _judged(self, accepted: Accepted, key: tuple[Any, ...] | None) -> Refused | None:
        at = accepted.record.timestamp
        found = self.may_say(accepted.source, accepted.type, accepted.event, at)
        if isinstance(found, str):
            return batch.refuse(accepted, Reason.NOT_YOURS_TO_SAY, found)
        if key is not None:
            if len(self._windows) >= REMEMBERED_MAX:
                self._windows.clear()
            self._windows[key] = found
        elif isinstance(event := accepted.event, SourceRegistered | SourcesOpened) and self.hear(event, at):
            self.kept.append(accepted)
        return None

    def may_say(self, source: str, type: str, event: Any, at: int) -> Window | str:
        """When the source may say such an event, a moment in it among others; or why it may not."""
        if not self.asks(at):
            return (0, self.asked_from)
        if not _stood_behind(event):
            return f"{type} is said by two people, and a mandate by none whom it is for"
        said_by = speakers.said_by(KINDS[type])
        if (ours := speakers.OURS.get(source)) is not None:
            return (0, FOREVER) if ours in said_by else _refusal(source, f"speaks as {ours}", type)
        why = "is not registered"
        for right in reversed(self.rights.get(source, ())):
            if right.window[0] <= at < right.window[1]:
                flaw = right.why_not(type, event)
                if flaw is None:
                    return right.window
                why = flaw
            elif why == "is not registered":
                why = "is not registered for this day"
        return _refusal(source, why, type)

    def hear(self, event: SourceRegistered | SourcesOpened, at: int) -> bool:
        """What was appended at a moment; whether it changes anything. The first opening holds, and none after a
        registration."""
        if isinstance(event, SourceRegistered):
            before = [_ended(right, at + HEARD_MS) for right in self.rights.get(event.source, ())]
            self.rights = {**self.rights, event.source: (*before, Right(event, _days(event, at)))}
        elif self.begun:
            return False
        else:
            self.asked_from = at if event.asked_from is None else _midnight(event.asked_from)
        self.begun, self._windows = True, {}
        return True

    def expect(self, found: Iterable[Accepted | Refused]) -> bool:
        """Hear, before it is booked, from which moment on the lane asks who speaks: what stands before that word on its
        own topic is judged by it too. True when it is settled: an opening said it, or a registration came first, after
        which no opening counts."""
        for one in found:
            if isinstance(one, Accepted) and isinstance(one.event, SourceRegistered | SourcesOpened):
                ahead = self.draft()
                if ahead.admit(one) is None:
                    self.asked_from = ahead.asked_from
                    return True
        return False


def _stood_behind(event: Any) -> bool:
    """What takes two people names two, who are not one; neither has a mandate of their own making."""
    if not isinstance(event, StaffMandated | PolicyPublished | OpeningBalanceRecorded | OpeningItemRecorded):
        return True
    named = event.approvers or []
    own = isinstance(event, StaffMandated) and people.among(event.staff_ref, named)
    return len(named) == people.count(named) == 2 and not own


def _ended(right: Right, at: int) -> Right:
    return right._replace(window=(right.window[0], min(right.window[1], at)))


def _days(event: SourceRegistered, at: int) -> Window:
    last = FOREVER if event.valid_to is None else _midnight(event.valid_to + timedelta(days=1))
    return max(at, _midnight(event.valid_from)), last


def _midnight(day: date) -> int:
    """The moment at which a day begins in Shanghai."""
    return int(datetime(day.year, day.month, day.day, tzinfo=calendar.SHANGHAI).timestamp() * 1000)


def _refusal(source: str, why: str, type: str) -> str:
    return f"source {quoted(source)} {why}; {type} is said by {_names(speakers.said_by(KINDS[type]))}"


def _names(those: set[Speaker] | frozenset[Speaker]) -> str:
    return " or ".join(speaker for speaker in Speaker if speaker in those)


# The table


async def load(connection: asyncpg.Connection, lane: int) -> Sources:
    return heard(map(tuple, await connection.fetch(SQL.heard, lane)))


def heard(rows: Iterable[tuple[str, datetime, str]]) -> Sources:
    """From type, append time and content of what was kept, in the order of the log."""
    known = Sources()
    for type, appended_at, content in rows:
        event: Any = KINDS[type].decoder.decode(content)
        known.hear(event, round(appended_at.timestamp() * 1000))
    return known


async def write(connection: asyncpg.Connection, lane: int, kept: Sequence[Accepted]) -> None:
    if kept:
        records = [accepted.record for accepted in kept]
        await connection.execute(
            SQL.hear,
            lane,
            [record.offset for record in records],
            [store.instant(record.timestamp) for record in records],
            [accepted.type for accepted in kept],
            [msgspec.json.encode(accepted.event).decode() for accepted in kept],
        )
