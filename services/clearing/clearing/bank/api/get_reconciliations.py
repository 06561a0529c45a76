"""GET /v1/reconciliations: each bank account of a day beside the books, and what is open between the two."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.api import runs
from medfund import money
from medfund.events.bank import BankAccount
from medfund.http import answers, examples, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.database import Connection
from medfund.http.questions import Area, Day, Fund
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "reconciliations.sql")
SHOWN_MAX = 100

Matched = Literal["ONE_TO_ONE", "ONE_TO_MANY", "MANY_TO_ONE", "SUSPENSE"]
Open = Literal["ON_ITS_WAY", "SUSPENSE", "BANK_ONLY", "BOOKS_ONLY", "DIFFERS"]
Owner = Literal["finance", "operator"]
MATCHED: dict[Matched, Name] = {
    "ONE_TO_ONE": Name(zh="一笔对一笔", en="a line for one thing"),
    "ONE_TO_MANY": Name(zh="一笔对多笔", en="a line for several"),
    "MANY_TO_ONE": Name(zh="多笔对一笔", en="several lines for one thing"),
    "SUSPENSE": Name(zh="待查", en="in suspense, or placed from there"),
}
OPEN: dict[Open, Name] = {
    "ON_ITS_WAY": Name(zh="在途", en="on its way"),
    "SUSPENSE": Name(zh="待查", en="in suspense"),
    "BANK_ONLY": Name(zh="银行已记账簿未记", en="at the bank alone"),
    "BOOKS_ONLY": Name(zh="账簿已记银行未记", en="in the books alone"),
    "DIFFERS": Name(zh="金额不符", en="another sum"),
}
OWNERS: dict[Owner, Name] = {"finance": Name(zh="财务", en="finance"), "operator": Name(zh="运维", en="the operator")}
REASONS: dict[Open, tuple[Owner, Name]] = {
    "ON_ITS_WAY": ("finance", Name(zh="已送银行，尚未回复", en="sent, and the bank has not said that it paid")),
    "SUSPENSE": ("finance", Name(zh="无法对应，待认定", en="nobody has said what it was")),
    "BANK_ONLY": ("operator", Name(zh="对账单有，账簿尚未记", en="on the statement, and no lane has booked it")),
    "BOOKS_ONLY": ("finance", Name(zh="回单有，对账单没有", en="told by a notification, and on no statement")),
    "DIFFERS": ("finance", Name(zh="与账簿金额不同", en="the books have another sum under its number")),
}


class Question(questions.Waiting):
    area: Area
    day: Annotated[Day, Field(description="The last statement up to this day is meant; ages are counted to it")]
    fund: Fund | None = None


class Lines(BaseModel):
    kind: Matched
    kind_name: Name
    lines: int
    came: Yuan
    went: Yuan


class Work(BaseModel):
    kind: Open
    kind_name: Name
    owner: Owner
    owner_name: Name
    reason: Name
    items: int
    total: Annotated[
        Yuan,
        Field(description="What it does to the account; for the last three kinds, the bank less the books"),
    ]
    oldest: date
    age_days: Annotated[int, Field(description="Of the oldest, to the day asked for")]


class Differing(BaseModel):
    kind: Open
    bank_txn: str
    value_date: date
    ref: Annotated[str, Field(description="What it is for, as its line or the books say")]
    bank: Yuan | None
    books: Yuan | None


class Account(BaseModel):
    area: str
    fund: str
    fund_name: Name
    bank_account: BankAccount
    day: Annotated[date, Field(description="Of the statement")]
    statement: str
    opening: Yuan
    closing: Yuan
    books: Annotated[Yuan, Field(description="What the books had at the end of that day")]
    difference: Annotated[Yuan, Field(description="The bank's closing balance less the books'")]
    lines: int
    matched: list[Lines]
    open: Annotated[list[Work], Field(description="What waits for somebody, by kind")]
    differing: Annotated[
        list[Differing],
        Field(description=f"The lines behind the last three kinds, at most {SHOWN_MAX}, the oldest first"),
    ]


RECONCILIATIONS: examples.Json = {
    "day": "2026-02-27",
    "agrees": True,
    "accounts": [
        {
            "area": samples.AREA,
            "fund": "310100",
            "fund_name": samples.FUNDS["310100"],
            "bank_account": "1002",
            "day": "2026-02-27",
            "statement": "BK20260227000004",
            "opening": "5000000.00",
            "closing": "3110123.12",
            "books": "3110123.12",
            "difference": "0.00",
            "lines": 2,
            "matched": [
                {
                    "kind": "ONE_TO_ONE",
                    "kind_name": examples.name("一笔对一笔", "a line for one thing"),
                    "lines": 1,
                    "came": "0.00",
                    "went": "1890000.33",
                },
                {
                    "kind": "SUSPENSE",
                    "kind_name": examples.name("待查", "in suspense, or placed from there"),
                    "lines": 1,
                    "came": "123.45",
                    "went": "0.00",
                },
            ],
            "open": [
                {
                    "kind": "SUSPENSE",
                    "kind_name": examples.name("待查", "in suspense"),
                    "owner": "finance",
                    "owner_name": examples.name("财务", "finance"),
                    "reason": examples.name("无法对应，待认定", "nobody has said what it was"),
                    "items": 1,
                    "total": "123.45",
                    "oldest": "2026-02-27",
                    "age_days": 0,
                }
            ],
            "differing": [],
        }
    ],
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(RECONCILIATIONS)

    day: date
    agrees: Annotated[
        bool | None,
        Field(description="Whether each account agrees; null where one has no statement of this very day"),
    ]
    accounts: list[Account]
    positions: Positions


@router.get(
    "/v1/reconciliations",
    responses=answers.or_problems("not_booked_yet", "question_too_slow"),
    summary="Bank statements of a day beside the books",
)
async def reconciliations(question: Annotated[Question, Query()], caller: Caller, here: Here) -> Answer:
    """Payments, books and statement of each account: what agrees, line for line, and what is open, with its owner, age
    and reason. Each line is looked for by the bank's own number.
    """
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(SQL.accounts, reach.whole_areas(within), question.day, question.fund)
        accounts = [await _account(connection, row, question.day) for row in found]
        positions = await answers.positions(connection, within.lanes)
    return Answer(
        day=question.day,
        positions=positions,
        agrees=_agree(question.day, accounts),
        accounts=accounts,
    )


def _agree(day: date, accounts: Sequence[Account]) -> bool | None:
    if any(account.difference != money.yuan(0) for account in accounts):
        return False
    return True if accounts and all(account.day == day for account in accounts) else None


async def _account(connection: Connection, row: asyncpg.Record, day: date) -> Account:
    which = row["area"], row["fund"], row["bank_account"]
    lines = {line["kind"]: line for line in await connection.fetch(SQL.matched, *which, row["day"])}
    differing = await connection.fetch(SQL.differing, *which, row["day"], SHOWN_MAX)
    open: dict[Open, asyncpg.Record | None] = {line["kind"]: line for line in differing}
    open["ON_ITS_WAY"] = await _on_its_way(connection, which, day)
    open["SUSPENSE"] = await connection.fetchrow(SQL.in_suspense, *which, day.isoformat())
    return Account(
        area=row["area"],
        fund=row["fund"],
        fund_name=answers.fund_name(row["fund"]),
        bank_account=row["bank_account"],
        day=row["day"],
        statement=row["statement_ref"],
        opening=money.yuan(row["opening"]),
        closing=money.yuan(row["closing"]),
        books=money.yuan(row["books"]),
        difference=money.yuan(row["closing"] - row["books"]),
        lines=row["lines"],
        matched=[
            Lines(
                kind=kind,
                kind_name=name,
                lines=line["lines"],
                came=money.yuan(line["came"]),
                went=money.yuan(line["went"]),
            )
            for kind, name in MATCHED.items()
            if (line := lines.get(kind))
        ],
        open=[_work(kind, found, day) for kind in OPEN if (found := open.get(kind))],
        differing=[_line(line) for line in differing],
    )


async def _on_its_way(connection: Connection, which: tuple[str, str, BankAccount], day: date) -> asyncpg.Record | None:
    area, fund, account = which
    if account != runs.PAID_FROM:
        return None
    return await connection.fetchrow(SQL.on_its_way, area, fund, day.isoformat())


def _work(kind: Open, found: asyncpg.Record, day: date) -> Work:
    owner, reason = REASONS[kind]
    return Work(
        kind=kind,
        kind_name=OPEN[kind],
        owner=owner,
        owner_name=OWNERS[owner],
        reason=reason,
        items=found["items"],
        total=money.yuan(found["fen"]),
        oldest=found["oldest"],
        age_days=(day - found["oldest"]).days,
    )


def _line(found: asyncpg.Record) -> Differing:
    return Differing(
        kind=found["kind"],
        bank_txn=found["bank_txn"],
        value_date=found["value_date"],
        ref=found["ref"],
        bank=_yuan(found["bank"]),
        books=_yuan(found["books"]),
    )


def _yuan(fen: int | None) -> str | None:
    return None if fen is None else money.yuan(fen)
