"""Payments by their names, as far as the caller may see them."""

from collections.abc import Sequence
from typing import NamedTuple

from clearing.api import naming
from medfund.http.context import Context
from medfund.http.tokens import Principal
from medfund.postgres import queries

SQL = queries.load(__file__, "named.sql")


class Whose(NamedTuple):
    lane: int
    area: str
    provider: str


async def payments(caller: Principal, here: Context, refs: Sequence[str], provider: str | None) -> Whose:
    """Whose some payments of a provider are. Raises `Problem`."""
    among = naming.within(caller, here, provider)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(SQL.payments, among.lanes, among.areas, among.parties, sorted(set(refs)))
        if len(found) < len(set(refs)):
            raise await naming.unknown(connection, among, "payment")
    row = found[0]
    return Whose(row["lane"], row["area"], row["provider"])


async def doubts(caller: Principal, here: Context, whose: Whose, refs: Sequence[str]) -> list[str]:
    """Why the bank may pay, or has paid, what some payments of a provider are to pay."""
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(SQL.doubts, whose.lane, whose.provider, sorted(set(refs)))
    return [row["why"] for row in rows]
