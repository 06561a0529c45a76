"""GET /v1/cash: what is in each bank account of each fund, by both books and by the bank."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ledger import chart
from ledger.api import amounts, examples
from ledger.api.get_trial_balance import REPORT_TIMEOUT_S
from medfund import money
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.examples import of as example_of
from medfund.http.questions import Area, Day, Fund
from medfund.http.reach import Reach
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "cash.sql")
ACCOUNTS = [code for pair in chart.CASH_STAT.items() for code in (pair[0], pair[1].code)]
BANK_ACCOUNTS = (chart.EXPENDITURE.code, chart.FISCAL.code)

Place = tuple[str, str]
"""Area and fund."""


class Question(questions.Waiting):
    area: Area | None = None
    fund: Fund | None = None
    as_of: Annotated[Day | None, Field(description="Count what has a value date, and statements, up to this day")] = (
        None
    )


class Statement(BaseModel):
    day: date
    closing: Annotated[Yuan, Field(description="What the bank says")]
    books: Annotated[Yuan, Field(description="What OPS says as of that day, by all that is known now")]
    difference: Annotated[Yuan, Field(description="The bank less the books")]


class BankAccount(BaseModel):
    account: str
    account_name: Name
    ops: Yuan
    stat: Annotated[Yuan, Field(description="The same account in the statutory book")]
    statement: Annotated[Statement | None, Field(description="The bank's last one")]


class FundCash(BaseModel):
    area: str
    fund: str
    fund_name: Name
    accounts: list[BankAccount]
    suspense_out: Annotated[Yuan, Field(description="1190: left a bank account, and nobody knows yet for what")]
    suspense_in: Annotated[Yuan, Field(description="2190: came to a bank account, and nobody knows yet from what")]


class Answer(BaseModel):
    model_config = example_of(examples.CASH)

    as_of: date | None
    funds: list[FundCash]
    agrees: Annotated[bool, Field(description="Both books have the same, and what every last statement says")]
    positions: Positions


@router.get(
    "/v1/cash",
    responses=answers.or_problems("question_too_slow", "not_booked_yet"),
    summary="Bank accounts of each fund, by the books and by the bank",
)
async def cash(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """What is in the expenditure account and the fiscal special account of each fund, in both books, and what the bank
    said last; and the bank's money that nobody could place yet.

    A payment that the bank made and that is not booked yet shows as a difference, until it is.
    """
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller, statement_timeout_s=REPORT_TIMEOUT_S) as connection:
        narrowed = within.lanes, _areas(within), question.fund, question.as_of
        limit_s = REPORT_TIMEOUT_S + 1
        balances = await connection.fetch(SQL.balances, *narrowed, ACCOUNTS, timeout=limit_s)
        statements = await connection.fetch(SQL.statements, *narrowed, timeout=limit_s)
        positions = await answers.positions(connection, within.lanes)
    funds = _funds(balances, statements)
    return Answer(
        as_of=question.as_of,
        positions=positions,
        funds=funds,
        agrees=all(_agrees(account) for fund in funds for account in fund.accounts),
    )


def _areas(within: Reach) -> Sequence[str] | None:
    """A bank account is the area's: a part of what moved on it, of some organisations, is no balance."""
    return within.areas if within.parties is None else []


def _funds(balances: Sequence[Any], statements: Sequence[Any]) -> list[FundCash]:
    fen: dict[Place, dict[str, int]] = {}
    told: dict[Place, dict[str, Statement]] = {}
    for row in balances:
        fen.setdefault((row["area"], row["fund"]), {})[row["account"]] = row["fen"]
    for row in statements:
        told.setdefault((row["area"], row["fund"]), {})[row["bank_account"]] = _statement(row)
    return [_fund(*place, fen.get(place, {}), told.get(place, {})) for place in sorted({*fen, *told})]


def _fund(area: str, fund: str, fen: Mapping[str, int], told: Mapping[str, Statement]) -> FundCash:
    return FundCash(
        area=area,
        fund=fund,
        fund_name=answers.fund_name(fund),
        accounts=[
            BankAccount(
                account=code,
                account_name=amounts.account_name(code),
                ops=money.yuan(fen.get(code, 0)),
                stat=money.yuan(fen.get(chart.CASH_STAT[code].code, 0)),
                statement=told.get(code),
            )
            for code in BANK_ACCOUNTS
        ],
        suspense_out=money.yuan(fen.get(chart.SUSPENSE_OUT.code, 0)),
        suspense_in=money.yuan(-fen.get(chart.SUSPENSE_IN.code, 0)),
    )


def _statement(row: Any) -> Statement:
    return Statement(
        day=row["day"],
        closing=money.yuan(row["closing"]),
        books=money.yuan(row["books"]),
        difference=money.yuan(row["closing"] - row["books"]),
    )


def _agrees(account: BankAccount) -> bool:
    return account.ops == account.stat and (account.statement is None or account.statement.difference == "0.00")
