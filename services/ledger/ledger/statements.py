"""The books' bank accounts against the bank's statements: what was in each at the end of a day, to the fen.

What stays true: days are the bank's booking days; the money of an account moves in many lanes, so only all lanes
together are compared, at a cut at which whatever the bank and the agency told is decided and booked. Where not all
lanes are looked at nothing is compared, and the count of statements stays None; where there is no such cut within the
patience given, that is said.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack

import asyncpg

from ledger.verify import PROBLEMS_MAX, Report, snapshot
from medfund import money
from medfund.lanes.log import LaneLog, Log
from medfund.postgres import queries

SQL = queries.load(__file__, "statements.sql")

FACTS = ("agency", "bank", "reviews")
"""What moves a bank account, by itself or by the decision that answers it, begins here."""
DECISIONS = ("clearing",)
PATIENCE_S = 10.0
PAUSE_S = 0.2

Places = Mapping[tuple[int, str], int]
"""Lane and topic -> offset of the next record."""


async def compare(
    report: Report,
    books: asyncpg.Connection,
    clearing: asyncpg.Connection,
    log: Log,
    lanes: Sequence[int],
    *,
    of: int,
) -> None:
    """Count the statements that there are into the report, and name the day from which one differs. `of`: how many
    lanes there are."""
    if set(lanes) != set(range(of)):
        return
    async with AsyncExitStack() as opened:
        sources = {}
        for lane in lanes:
            sources[lane] = await log.open_lane(lane, [*FACTS, *DECISIONS])
            opened.push_async_callback(sources[lane].close)
        found = await _at_rest(books, clearing, sources)
    if found is None:
        report.not_compared.append(f"statements of {of} lanes: events are on their way")
        return
    report.statements, differences = found
    for row in differences:
        report.differs(
            f"statement area={row['area']} fund={row['fund']} account={row['bank_account']} day={row['day']}: "
            f"{money.yuan(row['closing'])} by the bank, {money.yuan(row['books'])} in the books, "
            f"a difference of {money.yuan(row['closing'] - row['books'])}"
        )


async def _at_rest(
    books: asyncpg.Connection, clearing: asyncpg.Connection, sources: Mapping[int, LaneLog]
) -> tuple[int, list[asyncpg.Record]] | None:
    """The comparison at one cut: every fact was decided and every decision booked, and no fact came meanwhile. Other
    decisions may come: they answer facts that move no bank account."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        facts = await _ends(sources, FACTS)
        async with snapshot(clearing):
            waiting, decided = await clearing.fetchval(SQL.undelivered), await clearing.fetch(SQL.positions)
        decisions = await _ends(sources, DECISIONS)
        if not waiting and _reached(decided, facts):
            async with snapshot(books):
                booked = await books.fetch(SQL.positions)
                if _reached(booked, {**facts, **decisions}) and facts == await _ends(sources, FACTS):
                    counted = await books.fetchval(SQL.count_statements)
                    return counted, await books.fetch(SQL.differences, PROBLEMS_MAX)
        await asyncio.sleep(PAUSE_S)
    return None


async def _ends(sources: Mapping[int, LaneLog], topics: Iterable[str]) -> Places:
    return {(lane, topic): await source.end(topic) for lane, source in sources.items() for topic in topics}


def _reached(positions: Sequence[asyncpg.Record], ends: Places) -> bool:
    """A topic of which nothing was read yet has no position."""
    found = {(row["lane"], row["topic"]): row["next_offset"] for row in positions}
    return all(found.get(place, 0) >= end for place, end in ends.items())
