"""What an administrator does once per service: its schema and its roles, each of which may do what its process needs.

`<service>_owner` migrates, `<service>_worker` projects, `<service>_api` answers and keeps commands, `<service>_bank`
works on the bank's files, `<service>_reader` only reads. Grants on tables go to groups (`medfund_worker` and so on); a
role reaches a table only in the schema that it may use. Nobody else comes into the database, and nobody makes temporary
tables.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg

from medfund.postgres import queries

SQL = queries.load(__file__, "provision.sql")


class Role(NamedTuple):
    """`connections` at most at a time, -1: as many as there are lanes to hold. The processes ask for less time than
    `statement_s` themselves: it is for whoever comes in with their password and asks for none."""

    groups: Sequence[str]
    connections: int
    statement_s: int


ROLES: Mapping[str, Role] = {
    "owner": Role((), 4, 0),
    "worker": Role(("medfund_worker",), -1, 60),
    "api": Role(("medfund_reader", "medfund_api"), 128, 10),
    "bank": Role(("medfund_bank",), 4, 60),
    "reader": Role(("medfund_reader",), 16, 60),
}


async def provision(admin: asyncpg.Connection, service: str, passwords: Mapping[str, str]) -> None:
    """Create or update the roles of a service and its schema. `passwords`: one for each role that it has."""
    schema = service.replace("-", "_")
    async with admin.transaction():
        await admin.execute(SQL.groups)
        await admin.execute(SQL.schema.replace("{schema}", schema))
        for name, password in passwords.items():
            await _role(admin, schema, name, password)
        await admin.execute(SQL.owner.replace("{schema}", schema))


async def _role(admin: asyncpg.Connection, schema: str, name: str, password: str) -> None:
    role = ROLES[name]
    settings = {"password": password, "groups": ",".join(role.groups), "statement": f"{role.statement_s}s"}
    for setting, value in settings.items():
        await admin.execute("select set_config($1, $2, true)", f"medfund.{setting}", value)
    statement = SQL.role.replace("{role}", f"{schema}_{name}").replace("{schema}", schema)
    await admin.execute(statement.replace("{connections}", str(role.connections)))
