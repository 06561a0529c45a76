"""GET /v1/trial-balance: every account of every fund, and the proof that they balance."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ledger.api import amounts, examples
from ledger.api.amounts import Amounts
from ledger.api.filters import Filters
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions
from medfund.http.context import Caller, Here
from medfund.http.examples import of as example_of
from medfund.http.problems import Problem
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "balances.sql")
ACCOUNTS_MAX = 5000
REPORT_TIMEOUT_S = 10.0
"""A report over all lanes may take longer than a look-up."""


class Question(questions.Waiting, Filters):
    pass


class AccountLine(Amounts):
    account: str
    account_name: Name


class FundBooks(BaseModel):
    area: str
    fund: str
    fund_name: Name
    accounts: list[AccountLine]
    totals: Annotated[Amounts, Field(description="Debit equals credit, the balance is 0.00")]


class Answer(BaseModel):
    model_config = example_of(examples.TRIAL_BALANCE)

    book: Literal["OPS", "STAT"]
    as_of: date | None
    known_on: date | None
    funds: list[FundBooks]
    totals: Amounts
    balanced: Annotated[bool, Field(description="Whether debit equals credit in every fund that is shown whole")]
    positions: Positions


@router.get(
    "/v1/trial-balance",
    responses=answers.or_problems("too_much", "question_too_slow", "not_booked_yet"),
    summary="Trial balance per area, fund and book",
)
async def trial_balance(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Debit and credit turnover and the balance of every account, per area and fund.

    Funds are legally separate: each balances by itself. With `account` only one side of the books is shown, and
    nothing needs to balance.
    """
    within = reach.of(caller, area=question.area, party=question.party, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller, statement_timeout_s=REPORT_TIMEOUT_S) as connection:
        rows = await connection.fetch(
            SQL.trial_balance, within.lanes, question.book, *within.predicates, *question.narrowing, ACCOUNTS_MAX + 1,
            timeout=REPORT_TIMEOUT_S + 1,
        )  # fmt: skip
        positions = await answers.positions(connection, within.lanes)
    if len(rows) > ACCOUNTS_MAX:
        raise Problem("too_much", f"More than {ACCOUNTS_MAX} accounts: name an area or a fund")
    funds = [_fund(area, fund, list(group)) for (area, fund), group in groupby(rows, key=lambda row: (row[0], row[1]))]
    return Answer(
        book=question.book,
        as_of=question.as_of,
        known_on=question.known_on,
        positions=positions,
        funds=funds,
        totals=amounts.totals(rows),
        balanced=question.account is not None or all(fund.totals.side == "none" for fund in funds),
    )


def _fund(area: str, fund: str, rows: Sequence[Any]) -> FundBooks:
    return FundBooks(
        area=area,
        fund=fund,
        fund_name=answers.fund_name(fund),
        accounts=[
            AccountLine(
                **dict(amounts.amounts(row["debit"], row["credit"])),
                account=row["account"],
                account_name=amounts.account_name(row["account"]),
            )
            for row in rows
        ],
        totals=amounts.totals(rows),
    )
