"""GET /v1/balances: where money stands, by provider, fund and account, on any two days."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ledger.api import amounts, examples, parties
from ledger.api.amounts import Amounts
from ledger.api.filters import Filters
from ledger.api.parties import PartyName
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.examples import of as example_of
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "balances.sql")
ORDER = {"lane": int, "party": str, "account": str, "fund": str, "area": str, "counterpart": str}


NOTHING = Name(
    zh="所查询的范围内没有任何记账。机构或统筹区代码有误、日期过早或不在您可查看的范围内时，也是如此。",
    en="Nothing is booked of what was asked for. So it is, too, where the code of a provider or an area is mistaken, a"
    " day is too early, or it is not yours to see.",
)


class Question(questions.Waiting, questions.Page, Filters):
    pass


class Balance(Amounts):
    area: str
    fund: str
    fund_name: Name
    party: Annotated[str, Field(description="Provider, or the area where the balance is the fund's own")]
    party_name: PartyName
    counterpart: Annotated[str, Field(description="Insured area of a visitor, or supplier; mostly empty")]
    account: str
    account_name: Name
    lane: Annotated[int, Field(description="A provider's are all in one; the fund's own in the lanes of their events")]


class Answer(BaseModel):
    model_config = example_of(examples.BALANCES)

    book: Literal["OPS", "STAT"]
    as_of: date | None
    known_on: date | None
    balances: list[Balance]
    nothing: Annotated[
        Name | None,
        Field(description="Where there are no balances alone: that nothing is booked of what was asked for"),
    ] = None
    totals: Annotated[Amounts, Field(description="The sum of the balances of this answer")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/balances",
    response_model_exclude_unset=True,
    responses=answers.or_problems(*answers.PAGING),
    summary="Balances by provider, fund and account",
)
async def balances(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Where money stands as of a value date, as it was known on a recorded date.

    One line for each area, fund, provider, counterpart and account; the fund's own money has the area as `party`, and a
    line for each lane. The answer is one snapshot: it names the positions it reflects, and its totals are the sums of
    its lines.
    """
    pages = Pages(here.cursor_key, questions.sealed("balances", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.party, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            SQL.balances,
            within.lanes,
            question.book,
            *within.predicates,
            *question.narrowing,
            *after,
            question.limit + 1,
        )
        names = await parties.names(connection, within.lanes, (row["party"] for row in found))
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    return Answer(
        book=question.book,
        as_of=question.as_of,
        known_on=question.known_on,
        positions=positions,
        balances=[_balance(row, names) for row in rows],
        totals=amounts.totals(rows),
        next=following,
        **({} if rows or question.cursor else {"nothing": NOTHING}),
    )


def _balance(row: Any, names: Mapping[str, str]) -> Balance:
    return Balance(
        **dict(amounts.amounts(row["debit"], row["credit"])),
        area=row["area"],
        fund=row["fund"],
        fund_name=answers.fund_name(row["fund"]),
        party=row["party"],
        party_name=names.get(row["party"]),
        counterpart=row["counterpart"],
        account=row["account"],
        account_name=amounts.account_name(row["account"]),
        lane=row["lane"],
    )
