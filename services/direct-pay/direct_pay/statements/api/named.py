"""A statement that people say something of, as far as they may see it."""

from datetime import date
from typing import Any, NamedTuple

import msgspec
from fastapi import Request, Response

from direct_pay.api import asking, declining
from direct_pay.api.asking import OfPair
from direct_pay.names import Name
from direct_pay.statements.statement import Statement
from medfund.http import commands, problems, reach
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Context
from medfund.http.questions import StatementRef
from medfund.http.tokens import Principal
from medfund.postgres import queries

SQL = queries.load(__file__, "named.sql")
statement_of = msgspec.json.Decoder(Statement).decode


class OfStatement(OfPair):
    statement: StatementRef


class Whose(NamedTuple):
    """A statement, and the day on which something is said of it."""

    lane: int
    name: Name
    statement: Statement
    today: date

    async def give(
        self, request: Request, response: Response, caller: Principal, here: Context, kind: Kind, why_not: str | None,
        **says: Any,
    ) -> Given:  # fmt: skip
        """`why_not`: nothing would come of it, where it was not asked for before. Raises `Problem`."""
        name = self.name
        about = {"provider": name.provider, "area": self.statement.area, "supplier": name.supplier}
        command = asking.command(kind, self.lane, {**about, "statement_ref": name.ref, **says})
        if why_not is not None and not await self._was_asked(caller, here, command):
            zh = declining.declined(why_not, None).detail_zh
            await here.access.refuse(request, "would_be_declined", why_not, about=[*name], reason=None, detail_zh=zh)
        return await commands.give(request, response, caller, here, command)

    async def _was_asked(self, caller: Principal, here: Context, command: Command) -> bool:
        async with here.database.snapshot(caller) as connection:
            return await commands.kept(connection, caller, here, command.id) is not None


async def statement(caller: Principal, here: Context, asked: OfStatement) -> Whose:
    """Raises `Problem`."""
    of = asking.pair(caller, asked)
    within = reach.of(caller, area=None, party=of.provider, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.statement, within.lanes, *within.predicates, *of, asked.statement)
        today = await asking.opened(connection)
    if row is None:
        raise problems.unknown("statement")
    name = Name(row["provider"], row["supplier"], row["ref"])
    return Whose(row["lane"], name, statement_of(row["body"]), today)
