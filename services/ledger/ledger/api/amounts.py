"""Debit, credit and balance, as the answers of the books have them."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from ledger import chart
from medfund import money
from medfund.http.answers import Name, Yuan

Side = Literal["debit", "credit", "none"]


class Amounts(BaseModel):
    """Turnover on both sides; `balance` is debit less credit, and `side` says which of them is larger."""

    debit: Yuan
    credit: Yuan
    balance: Yuan
    side: Side


def amounts(debit: int, credit: int) -> Amounts:
    """From fen."""
    balance = debit - credit
    side: Side = "debit" if balance > 0 else "credit" if balance < 0 else "none"
    return Amounts(debit=money.yuan(debit), credit=money.yuan(credit), balance=money.yuan(balance), side=side)


def totals(rows: Sequence[Any]) -> Amounts:
    """The sum of the rows of this very answer."""
    return amounts(sum(row["debit"] for row in rows), sum(row["credit"] for row in rows))


def account_name(code: str) -> Name:
    account = chart.ACCOUNTS.get(code)
    return Name(zh=account.zh, en=account.en) if account else Name(zh=code, en=code)
