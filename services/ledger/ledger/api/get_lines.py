"""GET /v1/lines: the journal itself, line by line, each with the id that `explain` opens."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ledger.api import amounts, examples, line_id, parties
from ledger.api.filters import Filters
from ledger.api.parties import PartyName
from medfund import money
from medfund.http import answers, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.examples import of as example_of
from medfund.http.questions import Day
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "lines.sql")
ORDER = {"lane": int, "party": str, "recorded_date": date, "topic": str, "first_offset": int, "ordinal": int}


class Question(questions.Waiting, questions.Page, Filters):
    type: Annotated[
        str | None,
        Field(pattern=r"^[a-z_.]{1,60}\.v[0-9]{1,3}$", description="Event type", examples=["settlement.recorded.v1"]),
    ] = None
    service_from: Annotated[Day | None, Field(description="First service date")] = None
    service_to: Annotated[Day | None, Field(description="Last service date")] = None


class Line(BaseModel):
    id: Annotated[str, Field(description="`lane-topic-first_offset-ordinal`, for `explain`")]
    type: str
    book: Literal["OPS", "STAT"]
    area: str
    fund: str
    fund_name: Name
    debit: str
    debit_name: Name
    credit: str
    credit_name: Name
    amount: Yuan
    party: str
    party_name: PartyName
    counterpart: str
    credit_counterpart: Annotated[str | None, Field(description="Of the credit side, where it is another one")]
    insutype: str
    clr_type: str
    benefit_year: int
    service_date: date | None
    value_date: date
    recorded_date: date
    lane: int
    topic: str
    first_offset: Annotated[
        int, Field(description="First and last event that the line sums, among others between them")
    ]
    last_offset: int
    events: Annotated[int, Field(description="How many events it sums")]


class Answer(BaseModel):
    model_config = example_of(examples.LINES)

    book: Literal["OPS", "STAT"]
    lines: list[Line]
    total: Annotated[Yuan, Field(description="The sum of the amounts of this answer")]
    next: str | None
    positions: Positions


@router.get("/v1/lines", responses=answers.or_problems(*answers.PAGING), summary="Journal lines")
async def lines(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Lines of the journal by provider, in the order in which they were recorded.

    A line moves one amount from its credit account to its debit account inside one area and one fund. It sums the
    events alike of one batch, and names the range of offsets that they lie in.
    """
    pages = Pages(here.cursor_key, questions.sealed("lines", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.party, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            SQL.lines, within.lanes, question.book, *within.predicates, *question.narrowing,
            question.type, question.service_from, question.service_to, *after, question.limit + 1,
        )  # fmt: skip
        names = await parties.names(connection, within.lanes, (row["party"] for row in found))
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    return Answer(
        book=question.book,
        positions=positions,
        lines=[line(row, names) for row in rows],
        total=money.yuan(sum(row["amount"] for row in rows)),
        next=following,
    )


def line(row: Any, names: Mapping[str, str]) -> Line:
    """A row of the journal as it is answered."""
    return Line(
        **{
            **row,
            "id": line_id.text(row),
            "amount": money.yuan(row["amount"]),
            "fund_name": answers.fund_name(row["fund"]),
            "debit_name": amounts.account_name(row["debit"]),
            "party_name": names.get(row["party"]),
            "credit_name": amounts.account_name(row["credit"]),
        }
    )
