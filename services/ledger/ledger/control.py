"""Control accounts against open items: what the books say is owed is what the service that decides holds as owed.

Asked as an auditor would, of both: the accounts in our own tables, the open items in a view that each service that
decides shows to readers. Compared at a cut at which every decision is on the log and booked; where a lane is so busy
that there is no such moment within the patience given, that is said.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from ledger.verify import Report, snapshot
from medfund import money
from medfund.lanes.log import LaneLog, Log
from medfund.postgres import queries

SQL = queries.load(__file__, "control.sql")


class Held(NamedTuple):
    """What a service holds: the topic of its decisions, the accounts that show it, and those of them by supplier."""

    by: str
    accounts: Sequence[str]
    of_suppliers: Sequence[str]


CLEARING = Held(
    "clearing",
    ("1101", "1102", "1103", "1104", "1107", "1109", "2101", "2102", "2103", "2105", "2108"),
    ("1109", "2105"),
)
DIRECT_PAY = Held("direct-pay", ("9002", "9003"), ("9002", "9003"))
"""Memos: what orders are expected to cost, and hospitals' old arrears."""
PATIENCE_S = 10.0
PAUSE_S = 0.2

Items = dict[tuple[str, str, str, str], int]
"""Provider, account, supplier and fund -> fen, debit less credit."""


async def compare(
    report: Report,
    books: asyncpg.Connection,
    service: asyncpg.Connection,
    log: Log,
    lanes: Sequence[int],
    held_by: Held = CLEARING,
) -> None:
    """Count the items that there are into the report, and blame each that differs."""
    report.open_items = report.open_items or 0
    for lane in lanes:
        source = await log.open_lane(lane, [held_by.by])
        try:
            found = await _at_rest(books, service, source, lane, held_by)
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
                    f"{money.yuan(held.get(place, 0))} by {held_by.by}, {money.yuan(booked.get(place, 0))} in the books"
                )


async def _at_rest(
    books: asyncpg.Connection, service: asyncpg.Connection, source: LaneLog, lane: int, held_by: Held
) -> tuple[Items, Items] | None:
    """Both sides at one cut: nothing was on its way, and nothing came while they were read."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        end = await source.end(held_by.by)
        async with snapshot(service):
            waiting, held = await service.fetchval(SQL.undelivered, lane), await service.fetch(SQL.open_items, lane)
        async with snapshot(books):
            reached = await books.fetchval(SQL.booked, lane, held_by.by)
            booked = await books.fetch(SQL.control_accounts, lane, held_by.accounts, held_by.of_suppliers)
        if not waiting and (reached or 0) == end == await source.end(held_by.by):
            return _items(booked), _items(held)
        await asyncio.sleep(PAUSE_S)
    return None


def _items(rows: Sequence[asyncpg.Record]) -> Items:
    return {(row["provider"], row["account"], row["supplier"], row["fund"]): row["fen"] for row in rows}
