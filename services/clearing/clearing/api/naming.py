"""Whose a name is: it belongs to a provider, as far as its caller may see that."""

import asyncpg

from medfund.http import knowledge, problems, reach
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.reach import Reach
from medfund.http.tokens import EVERYTHING, Principal
from medfund.postgres import queries

SQL = queries.load(__file__, "naming.sql")
names = knowledge.names


def within(caller: Principal, here: Context, provider: str | None) -> reach.Reach:
    """Where a provider's things are: of the one that is given, else of the only one that the caller speaks for. Raises
    `Problem`."""
    mine = caller.organisations
    if provider is None and (len(mine) != 1 or EVERYTHING in mine):
        raise Problem("parameter_invalid", "provider: say whose it is, for two providers may have chosen the same name")
    return reach.of(caller, area=None, party=provider or mine[0], lanes=here.lanes)


async def unknown(connection: Connection, within: Reach, name: str) -> Problem:
    """The provider whose things were asked for is not known, or it has none of that name."""
    known = await connection.fetchrow(SQL.provider, within.lanes, within.areas, within.parties)
    return problems.unknown(name if known else "provider")


async def provider(caller: Principal, here: Context, code: str) -> asyncpg.Record:
    """Where a provider is registered, and where it is paid to. Raises `Problem`."""
    among = reach.of(caller, area=None, party=code, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.provider, among.lanes, among.areas, among.parties)
    if row is None:
        raise problems.unknown("provider")
    return row
