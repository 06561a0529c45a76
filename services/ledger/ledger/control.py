"""Control accounts against open items: what the books say is owed is what the clearing service holds as owed.

Asked as an auditor would, of both: the accounts in our own tables, the open items in a view that the clearing service
shows to readers. Compared at a cut at which every decision is on the log and booked; where a lane is so busy that there
is no such moment within the patience given, that is said.
"""

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from ledger.verify import Report, snapshot
from medfund import money
from medfund.lanes.log import LaneLog, Log
from medfund.postgres import queries

SQL = queries.load(__file__, "control.sql")

ACCOUNTS = ("1101", "1102", "1103", "1104", "1107", "1109", "2101", "2102", "2103", "2105", "2108")
OF_SUPPLIERS = ("1109", "2105")
"""Of these, supplier by supplier."""
TOPIC = "clearing"
PATIENCE_S = 10.0
PAUSE_S = 0.2

Items = dict[tuple[str, str, str, str], int]
"""Provider, account, supplier and fund -> fen, debit less credit."""


async def compare(
    report: Report, books: asyncpg.Connection, clearing: asyncpg.Connection, log: Log, lanes: Sequence[int]
) -> None:
    """Count the items that there are into the report, and blame each that differs."""
    report.open_items = 0
    for lane in lanes:
        source = await log.open_lane(lane, [TOPIC])
        try:
            found = await _at_rest(books, clearing, source, lane)
        finally:
            await source.close()
        if found is None:
            report.blame(f"open items lane={lane}: decisions are on their way, nothing was compared")
            continue
        booked, held = found
        report.open_items += len(held)
        for place in sorted({*booked, *held}):
            if booked.get(place, 0) != held.get(place, 0):
                provider, account, supplier, fund = place
                of = f" supplier={supplier}" if supplier else ""
                report.blame(
                    f"open items lane={lane} provider={provider} account={account}{of} fund={fund}: "
                    f"{money.yuan(held.get(place, 0))} by clearing, {money.yuan(booked.get(place, 0))} in the books"
                )


async def _at_rest(
    books: asyncpg.Connection, clearing: asyncpg.Connection, source: LaneLog, lane: int
) -> tuple[Items, Items] | None:
    """Both sides at one cut: nothing was on its way, and nothing came while they were read."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        end = await source.end(TOPIC)
        async with snapshot(clearing):
            waiting, held = await clearing.fetchval(SQL.undelivered, lane), await clearing.fetch(SQL.open_items, lane)
        async with snapshot(books):
            reached = await books.fetchval(SQL.booked, lane)
            booked = await books.fetch(SQL.control_accounts, lane, ACCOUNTS, OF_SUPPLIERS)
        if not waiting and (reached or 0) == end == await source.end(TOPIC):
            return _items(booked), _items(held)
        await asyncio.sleep(PAUSE_S)
    return None


def _items(rows: Sequence[asyncpg.Record]) -> Items:
    return {(row["provider"], row["account"], row["supplier"], row["fund"]): row["fen"] for row in rows}
