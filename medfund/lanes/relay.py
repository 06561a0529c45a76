"""The outbox's way to the log: in the lane's order, at least once, each under the id that it was decided with."""

import asyncio

import asyncpg

from medfund import faults
from medfund.lanes import store
from medfund.lanes.log import Log

BATCH_MAX = 500
POLL_S = 5.0


async def run(
    claim: store.Claim, connection: asyncpg.Connection, log: Log, decided: asyncio.Event, stop: asyncio.Event
) -> None:
    """Relay until `stop`. What waited from before the claim goes first; `decided` wakes it."""
    while not stop.is_set():
        decided.clear()
        while await relay(claim, connection, log):
            pass
        await _either(decided, stop)


async def relay(claim: store.Claim, connection: asyncpg.Connection, log: Log) -> int:
    """Append what waits and take it off the outbox. A crash in between appends it again under the same ids."""
    waiting = await store.outbox(connection, claim.lane, BATCH_MAX)
    if waiting:
        await log.append(claim.lane, [row.decision for row in waiting])
        faults.point("before_sent")
        await store.sent(connection, claim, waiting[-1])
    return len(waiting)


async def _either(*events: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
