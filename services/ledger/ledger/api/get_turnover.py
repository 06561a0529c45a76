"""GET /v1/turnover: what moved on an account, by fund and clearing type, added up from the journal itself."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ledger.api import amounts, examples
from ledger.api.amounts import Amounts
from ledger.api.filters import AccountCode, Filters
from medfund import codes
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions
from medfund.http.context import Caller, Here
from medfund.http.examples import of as example_of
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "turnover.sql")
SCAN_TIMEOUT_S = 20.0


class Question(questions.Waiting, Filters):
    account: AccountCode


class Turnover(Amounts):
    fund: str
    fund_name: Name
    clr_type: Annotated[str, Field(description="Clearing type; empty where an event has none")]
    clr_type_name: Name
    lines: int
    events: Annotated[
        int, Field(description="How many events the lines sum: one that touches two funds counts in both")
    ]


class Answer(BaseModel):
    model_config = example_of(examples.TURNOVER)

    book: Literal["OPS", "STAT"]
    account: str
    account_name: Name
    rows: list[Turnover]
    totals: Amounts
    positions: Positions


@router.get(
    "/v1/turnover",
    responses=answers.or_problems("question_too_slow", "not_booked_yet"),
    summary="Turnover of an account by fund and clearing type",
)
async def turnover(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Debit and credit of one account as its journal lines have them, by fund and clearing type.

    Reads the journal and not the balances, so it answers more slowly than they do and is a check on them.
    """
    within = reach.of(caller, area=question.area, party=question.party, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller, statement_timeout_s=SCAN_TIMEOUT_S) as connection:
        rows = await connection.fetch(
            SQL.turnover, within.lanes, question.book, *within.predicates, *question.narrowing,
            timeout=SCAN_TIMEOUT_S + 1,
        )  # fmt: skip
        positions = await answers.positions(connection, within.lanes)
    return Answer(
        book=question.book,
        account=question.account,
        account_name=amounts.account_name(question.account),
        positions=positions,
        rows=_turnovers(rows),
        totals=amounts.totals(rows),
    )


def _turnovers(rows: Sequence[Any]) -> list[Turnover]:
    return [
        Turnover(
            **dict(amounts.amounts(row["debit"], row["credit"])),
            fund=row["fund"],
            fund_name=answers.fund_name(row["fund"]),
            clr_type=row["clr_type"],
            clr_type_name=Name(**codes.label(codes.CLR_TYPES, row["clr_type"])._asdict()),
            lines=row["lines"],
            events=row["events"],
        )
        for row in rows
    ]
