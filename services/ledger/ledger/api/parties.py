"""What people know the parties of an answer by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from medfund.http.database import Connection
from medfund.postgres import queries

SQL = queries.load(__file__, "parties.sql")
PartyName = Annotated[str | None, Field(description="Of a provider, as it was registered; null where it was not told")]


async def names(connection: Connection, lanes: Sequence[int], parties: Iterable[str]) -> Mapping[str, str]:
    """One that nobody has told, and the area of the fund's own money, are left out."""
    rows = await connection.fetch(SQL.names, lanes, sorted(set(parties)))
    return {row["provider"]: row["name"] for row in rows}
