"""Parts that several answers share: names, money, the positions an answer reflects, what may go wrong."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
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
ProviderName = Annotated[str | None, Field(description="As it was registered; null where it was not told")]

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


class ByFund(BaseModel):
    fund: str
    fund_name: Name
    amount: Yuan


def by_fund(amounts: Mapping[str, int]) -> list[ByFund]:
    """Fen as yuan, fund by fund; a fund of which there is nothing is left out."""
    return [
        ByFund(fund=fund, fund_name=fund_name(fund), amount=money.yuan(fen))
        for fund, fen in sorted(amounts.items())
        if fen
    ]


def total(amounts: Mapping[str, int]) -> str:
    return money.yuan(sum(amounts.values()))


def total_of(many: Iterable[Mapping[str, int]]) -> str:
    return money.yuan(sum(fen for amounts in many for fen in amounts.values()))


def told(text: str | None) -> str:
    """For people: what nobody has told is said to be so."""
    return text or "名称未登记 name not told"


def day_text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


async def positions(connection: Connection, lanes: Sequence[int]) -> dict[str, dict[str, int]]:
    """Read in the snapshot of the rows, so that both speak of one moment."""
    found: dict[str, dict[str, int]] = {str(lane): {} for lane in lanes}
    for row in await connection.fetch(SQL.positions, lanes):
        found[str(row["lane"])][row["topic"]] = row["next_offset"]
    return found
