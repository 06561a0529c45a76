"""GET /v1/explain: why a number is what it is. From a balance to its lines, from a line to its events on the log."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator

from ledger import explain as proofs
from ledger.api import amounts, examples, get_lines, line_id, parties
from ledger.api.amounts import Amounts
from ledger.api.filters import Filters
from ledger.api.get_lines import Line
from ledger.api.parties import PartyName
from medfund import money
from medfund.events.codec import Accepted
from medfund.http import answers, problems, questions, reach
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Context, Here
from medfund.http.cursors import Pages
from medfund.http.examples import shown
from medfund.http.tokens import Principal
from medfund.http.wording import Wrong
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "lines.sql")
BALANCES = queries.load(__file__, "balances.sql")


class Question(questions.Page, Filters):
    line: Annotated[
        str | None, Field(pattern=line_id.PATTERN, description="Id of a journal line", examples=["3-claims-1180-0"])
    ] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Question":
        """A line stands for itself; a balance needs to say whose and of which account."""
        others = self.model_fields_set - {"line", "cursor", "limit"}
        # Clients that are generated send defaults too.
        if self.line is not None and any(getattr(self, name) != Question.model_fields[name].default for name in others):
            raise Wrong("with `line` nothing else can be asked", "给出 `line` 时不得再给其他条件")
        if self.line is None and (self.party is None or self.account is None):
            raise Wrong("give `line`, or `party` and `account`", "请给出 `line`，或同时给出 `party` 与 `account`")
        return self


class BalanceExplained(BaseModel):
    """A balance from the day buckets, held against the journal lines that make it."""

    party: str
    party_name: PartyName
    account: str
    account_name: Name
    balance: Annotated[Amounts, Field(description="From the balances")]
    journal: Annotated[Amounts, Field(description="From the lines")]
    journal_lines: Annotated[int, Field(description="How many lines there are; this page may hold fewer")]
    proved: Annotated[bool, Field(description="Both are the same")]
    lines: list[Line]
    next: str | None
    positions: Positions


class EventOfLine(BaseModel):
    """An event on the log, and what it brings to the line."""

    source: str
    id: str
    type: str
    time: str
    recorded_at: datetime
    lane: int
    topic: str
    offset: int
    amount: Yuan
    data: dict[str, Any]


class LineExplained(BaseModel):
    """A journal line, and the very events that it sums, read from the log."""

    line: Line
    events: list[EventOfLine]
    events_total: Annotated[int, Field(description="How many events bring something; this page may hold fewer")]
    total: Annotated[Yuan, Field(description="The sum of all of them")]
    proved: Annotated[bool, Field(description="Booking these events again makes this very line")]
    next: str | None


@router.get(
    "/v1/explain",
    responses={
        **answers.or_problems("cursor_invalid", "not_found", "too_much", "log_unavailable", "question_too_slow"),
        200: {"content": {"application/json": {"examples": shown(examples.EXPLAINED)}}},
    },
    summary="From a balance to its lines, from a line to its events",
)
async def explain(
    question: Annotated[Question, Query()], caller: Caller, here: Here
) -> BalanceExplained | LineExplained:
    """With `party` and `account`: the balance, the sum of its journal lines, and the lines page by page.

    With `line`: the line, and the very events on the log that it sums, each with its place and its share. `proved` says
    that booking those events again makes the same line.
    """
    if question.line is not None:
        return await _explain_line(question, question.line, caller, here)
    return await _explain_balance(question, caller, here)


async def _explain_balance(question: Question, caller: Principal, here: Context) -> BalanceExplained:
    party, account = question.party or "", question.account or ""  # both are given, or it would not have come here
    pages = Pages(here.cursor_key, questions.sealed("explain", caller, question), get_lines.ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=party, lanes=here.lanes)
    common = (within.lanes, question.book, *within.predicates, *question.narrowing)
    async with here.database.snapshot(caller) as connection:
        kept = await connection.fetch(BALANCES.trial_balance, *common, None)
        [journal] = await connection.fetch(SQL.turnover, *common)
        found = await connection.fetch(SQL.lines, *common, None, None, None, *after, question.limit + 1)
        names = await parties.names(connection, within.lanes, [party])
        positions = await answers.positions(connection, within.lanes)
    rows, following = pages.cut(found, question.limit)
    balance, recounted = amounts.totals(kept), amounts.totals([journal])
    return BalanceExplained(
        party=party,
        party_name=names.get(party),
        account=account,
        account_name=amounts.account_name(account),
        positions=positions,
        balance=balance,
        journal=recounted,
        journal_lines=journal["lines"],
        proved=balance == recounted,
        lines=[get_lines.line(row, names) for row in rows],
        next=following,
    )


async def _explain_line(question: Question, asked: str, caller: Principal, here: Context) -> LineExplained:
    pages = Pages(here.cursor_key, questions.sealed("explain", caller, question), {"offset": int})
    (after,) = pages.after(question.cursor)
    row, names = await _line(asked, caller, here)
    proof = proofs.prove(proofs.line_of(row), await _accepted(row, here), _families(here))
    shown = [
        {"offset": event.record.offset, "event": event, "amount": amount}
        for event, amount in proof.contributions
        if after is None or event.record.offset > after
    ]
    rows, following = pages.cut(shown[: question.limit + 1], question.limit)
    return LineExplained(
        line=get_lines.line(row, names),
        events=[_event(row, contribution["event"], contribution["amount"]) for contribution in rows],
        events_total=len(proof.contributions),
        total=money.yuan(proof.total),
        proved=proof.proved,
        next=following,
    )


def _families(here: Context) -> dict[str, str]:
    return {f"{here.prefix}.{family}": family for family in here.service.topics}


async def _line(asked: str, caller: Principal, here: Context) -> tuple[Any, Mapping[str, str]]:
    """The row of a line that the caller may see, with the name of its party; any other does not exist."""
    key = line_id.parse(asked)
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        row = key and await connection.fetchrow(SQL.line, *key, *within.predicates)
        if not row:
            raise problems.unknown("line")
        return row, await parties.names(connection, [row["lane"]], [row["party"]])


async def _accepted(row: Any, here: Context) -> list[Accepted]:
    """The events of the line's stretch that took effect at the very place where they stand."""
    line, lane = proofs.line_of(row), row["lane"]
    events = [
        event
        async for records in here.reading.stretch(lane, line.topic, line.first_offset, line.last_offset)
        for record in records
        if proofs.may_belong(line, record)
        and isinstance(event := here.service.decode([record], line.topic)[0], Accepted)
    ]
    kept = await here.database.rows(SQL.accepted_at, lane, line.topic, [event.identity for event in events])
    places = {(found["identity"], found["offset"]) for found in kept}
    return [event for event in events if (event.identity, event.record.offset) in places]


def _event(row: Any, event: Accepted, amount: int) -> EventOfLine:
    return EventOfLine(
        source=event.source,
        id=event.id,
        type=event.type,
        time=event.time,
        recorded_at=datetime.fromtimestamp(event.record.timestamp / 1000, UTC),
        lane=row["lane"],
        topic=row["topic"],
        offset=event.record.offset,
        amount=money.yuan(amount),
        data=msgspec.json.decode(event.record.value or b"{}"),
    )
