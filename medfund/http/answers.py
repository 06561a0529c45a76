"""Parts that several answers share: names, money, the positions an answer reflects, what may go wrong."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from medfund import codes, money
from medfund.http import problems
from medfund.http.database import Connection
from medfund.postgres import queries

SQL = queries.load(__file__, "positions.sql")

Yuan = Annotated[str, Field(pattern=money.SUM_PATTERN, description="Yuan with two decimals")]
Positions = Annotated[
    dict[str, dict[str, int]], Field(description="By lane and topic: every event before this offset is in the answer")
]

ACCESS = (
    "token_missing", "token_refused", "role_not_allowed", "parameter_invalid", "parameter_unknown", "busy",
    "database_unavailable",
)  # fmt: skip
PAGING = ("cursor_invalid", "question_too_slow", "not_booked_yet")


def or_problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of what a locked route may answer instead."""
    return problems.responses(*ACCESS, *codes)


class Name(BaseModel):
    zh: str
    en: str


def fund_name(code: str) -> Name:
    label = codes.label(codes.FUNDS, code)
    return Name(zh=label.zh, en=label.en)


async def positions(connection: Connection, lanes: Sequence[int]) -> dict[str, dict[str, int]]:
    """Read in the snapshot of the rows, so that both speak of one moment."""
    found: dict[str, dict[str, int]] = {str(lane): {} for lane in lanes}
    for row in await connection.fetch(SQL.positions, lanes):
        found[str(row["lane"])][row["topic"]] = row["next_offset"]
    return found
