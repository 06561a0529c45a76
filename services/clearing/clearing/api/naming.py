"""What commands name: payments and providers, as far as their caller may see them."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from medfund.http import reach
from medfund.http.context import Context
from medfund.http.problems import Problem
from medfund.http.tokens import Principal
from medfund.postgres import queries

SQL = queries.load(__file__, "naming.sql")


class Whose(NamedTuple):
    lane: int
    area: str
    provider: str


async def payments(caller: Principal, here: Context, refs: Sequence[str], provider: str | None) -> Whose:
    """Whose all of some payments are. Raises `Problem`."""
    within = reach.of(caller, area=None, party=provider, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(SQL.payments, within.lanes, within.areas, within.parties, sorted(set(refs)))
    names = {row["payment_ref"] for row in found}
    whose = {Whose(row["lane"], row["area"], row["provider"]) for row in found}
    if len(names) < len(set(refs)):
        raise Problem("not_found")
    if len(found) > len(names):
        raise Problem("ambiguous", "Several providers have a payment of this name: give `provider`")
    if len(whose) > 1:
        raise Problem(
            "parameter_invalid", "payments: they are of several providers; approve those of each by themselves"
        )
    return whose.pop()


async def doubts(caller: Principal, here: Context, whose: Whose, refs: Sequence[str]) -> list[str]:
    """Why the bank may pay, or has paid, what some payments of a provider are to pay."""
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(SQL.doubts, whose.lane, whose.provider, sorted(set(refs)))
    return [row["why"] for row in rows]


async def provider(caller: Principal, here: Context, code: str) -> asyncpg.Record:
    """Where a provider is registered, and where it is paid to. Raises `Problem`."""
    within = reach.of(caller, area=None, party=code, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.provider, within.lanes, within.areas, within.parties)
    if row is None:
        raise Problem("not_found")
    return row
