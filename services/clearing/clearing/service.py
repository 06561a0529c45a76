"""Clearing as a deciding service of lanes: its capabilities learn from facts, answer them, and change what follows."""

from collections.abc import Sequence

import asyncpg
from prometheus_client import Gauge

from clearing import days
from clearing.capabilities import CAPABILITIES, SHELVES, known_of
from medfund.lanes.composed import Composed
from medfund.lanes.days import CALENDAR, TODAY
from medfund.lanes.draft import Draft, Known

CALENDAR_DAYS = Gauge(
    "medfund_calendar_days",
    "For how many days after the present one the notices say whether they are worked",
    ["service"],  # so that it is told by those processes alone that know it
)


class Clearing(Composed):
    name = own = "clearing"
    facts: Sequence[str] = ("agency", "claims", "prepayments", "reviews", "bank", "time")
    capabilities = CAPABILITIES
    shelves = SHELVES
    known = known_of(CAPABILITIES)

    async def load(self, connection: asyncpg.Connection, lane: int) -> Draft:
        draft = await super().load(connection, lane)
        _tell_calendar(draft.known)
        return draft

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        await super().write(connection, lane, draft)
        _tell_calendar(draft.known)


def _tell_calendar(known: Known) -> None:
    if (today := known[TODAY]) is not None:
        CALENDAR_DAYS.labels("clearing").set(days.known_ahead(known[CALENDAR], today))
