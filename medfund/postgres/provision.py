"""What an administrator does once per service: its schema and its three roles.

`<service>_owner` migrates, `<service>_worker` projects, `<service>_reader` answers. Grants on tables go to the
groups `medfund_worker` and `medfund_reader`; a role reaches a table only in the schema that it may use.
"""

import asyncpg

from medfund.postgres import queries

SQL = queries.load(__file__, "provision.sql")
ROLES = ("owner", "worker", "reader")


async def provision(admin: asyncpg.Connection, service: str, passwords: dict[str, str]) -> None:
    """Create or update the roles of a service and its schema. `passwords`: one for each of `ROLES`."""
    schema = service.replace("-", "_")
    async with admin.transaction():
        await admin.execute(SQL.groups)
        for role in ROLES:
            await admin.execute("select set_config('medfund.password', $1, true)", passwords[role])
            await admin.execute(SQL.role.replace("{role}", f"{schema}_{role}").replace("{schema}", schema))
        await admin.execute(SQL.schema.replace("{schema}", schema))
