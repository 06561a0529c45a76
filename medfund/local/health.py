"""Whether a stack is well: what the API says of the books, and whether each other service works all its lanes.

The leases tell the latter, not the workers: one that hangs cannot say that all is well.
"""

import asyncio
import json

import asyncpg

from medfund.local.services import HEALTH, SERVICES, answer, variable
from medfund.local.state import State
from medfund.postgres import connect, queries

SQL = queries.load(__file__, "health.sql")
WITH_API = "ledger"


def faults(found: State) -> set[str]:
    """What is wrong, in the API's words; of another service with its name before them."""
    others = [service for service in SERVICES if service != WITH_API]
    told = {f"{service}_{fault}" for service in others for fault in asyncio.run(_of_lanes(found, service))}
    return told | _of_books(found)


def _of_books(found: State) -> set[str]:
    answered = answer(found.api_port, HEALTH)
    return {"no_answer"} if answered is None else set(json.loads(answered[1]).get("faults", ()))


async def _of_lanes(found: State, service: str) -> set[str]:
    dsn = found.environment.get(variable(service, "reader"), "")
    try:
        async with connect.connection(dsn, name="medfund health") as connection:
            [row] = await connection.fetch(SQL.lanes)
    except (*connect.UNAVAILABLE, asyncpg.PostgresError):
        return {"database_unavailable"}
    wanted = int(found.environment["MEDFUND_LANES"])
    wrong = {"lane_stopped": row["stopped"] > 0, "lane_without_worker": row["worked"] + row["stopped"] < wanted}
    return {fault for fault, holds in wrong.items() if holds}
