"""What a lane of a deciding service knows and says to whoever asks: what was said of its areas, its working days, its
day, and what people know providers by."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from medfund import calendar as calendars
from medfund.calendar import Calendar, Notice
from medfund.events.agency import CalendarPublished
from medfund.events.kinds import KINDS, Event
from medfund.http.database import Connection
from medfund.lanes.capability import known_after
from medfund.lanes.composed import Composed
from medfund.lanes.draft import Known
from medfund.lanes.kept import TYPES
from medfund.postgres import queries

SQL = queries.load(__file__, "knowledge.sql")
_notice = msgspec.json.Decoder(CalendarPublished).decode


async def of(connection: Connection, rules: type[Composed], lane: int, *said: type[Event]) -> Known:
    """What facts of some types have said, as a lane of a service knows it."""
    found = rules.known
    for row in await connection.fetch(SQL.known, lane, [TYPES[one] for one in said]):
        found = known_after(rules.keeps, found, msgspec.json.decode(row["body"], type=KINDS[row["type"]].event))
    return found


async def calendar(connection: Connection, lane: int, version: str | None = None) -> Calendar:
    """The working days as a lane knows them, or as it knew them in a version: what a deadline rests on."""
    found = calendars.shipped()
    for row in await connection.fetch(SQL.known, lane, [TYPES[CalendarPublished]]):
        event: Any = _notice(row["body"])
        notice = Notice(event.year, event.notice_ref, frozenset(event.holidays), frozenset(event.workdays))
        if found.version == version:
            break
        found = found.with_notice(notice)
    return found


async def today(connection: Connection) -> date | None:
    """In any lane."""
    return await connection.fetchval(SQL.today)  # type: ignore[no-any-return]


async def names(connection: Connection, lanes: Sequence[int], providers: Iterable[str]) -> Mapping[str, str]:
    """What people know some providers by; one that nobody has told is left out."""
    rows = await connection.fetch(SQL.names, lanes, sorted(set(providers)))
    return {row["provider"]: row["name"] for row in rows}
