"""What a lane knows and says to whoever asks: people, rules and funds of its areas, its working days, its day."""

from datetime import date
from typing import Any

import msgspec

from clearing.service import Clearing
from medfund import calendar as calendars
from medfund.calendar import Calendar, Notice
from medfund.events.agency import CalendarPublished
from medfund.events.kinds import KINDS
from medfund.http.database import Connection
from medfund.lanes.capability import known_after
from medfund.lanes.draft import Known
from medfund.postgres import queries

SQL = queries.load(__file__, "knowledge.sql")
_notice = msgspec.json.Decoder(CalendarPublished).decode


async def of(connection: Connection, lane: int) -> Known:
    """What the areas have said of their people, their rules and their funds, as a lane knows it."""
    found = Clearing.known
    for row in await connection.fetch(SQL.known, lane):
        found = known_after(Clearing.keeps, found, msgspec.json.decode(row["body"], type=KINDS[row["type"]].event))
    return found


async def calendar(connection: Connection, lane: int, version: str | None = None) -> Calendar:
    """The working days as a lane knows them, or as it knew them in a version: what a deadline rests on."""
    found = calendars.shipped()
    for row in await connection.fetch(SQL.calendar, lane):
        event: Any = _notice(row["body"])
        notice = Notice(event.year, event.notice_ref, frozenset(event.holidays), frozenset(event.workdays))
        if found.version == version:
            break
        found = found.with_notice(notice)
    return found


async def today(connection: Connection) -> date | None:
    """In any lane."""
    return await connection.fetchval(SQL.today)  # type: ignore[no-any-return]
