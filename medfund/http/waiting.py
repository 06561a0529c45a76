"""Read what you wrote: wait, not for long, until a position is booked."""

import asyncio
import time

from medfund.http.answers import SQL
from medfund.http.database import Database
from medfund.http.problems import Problem

WAIT_S = 5.0
FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.1


async def until_booked(database: Database, position: str | None, *, lanes: int) -> None:
    """Return when the position is booked. Raises `Problem` after `WAIT_S`.

    Asks the positions row again and again: a lane notifies nobody, and a connection is held only while asking.
    """
    if position is None:
        return
    topic, lane, offset = position.split(":")
    if int(lane) >= lanes:
        raise Problem("parameter_invalid", f"wait_for: there are {lanes} lanes")
    deadline, pause_s = time.monotonic() + WAIT_S, FIRST_PAUSE_S
    while True:
        rows = await database.rows(SQL.next_offset, int(lane), topic)
        next_offset = rows[0]["next_offset"] if rows else 0
        if next_offset > int(offset):
            return
        if time.monotonic() + pause_s > deadline:
            raise Problem("not_booked_yet", next_offset=next_offset)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
