"""Payment runs: what they are made for."""

from datetime import date

from clearing.payments.planning import Wanted
from medfund.events.bank import BankAccount

PAID_FROM: BankAccount = "1002"
"""Payments leave from the expenditure account of their fund."""


def wanted(area: str, fund: str, *, due_until: date, execute_on: date) -> Wanted:
    return Wanted(area, fund, PAID_FROM, due_until, execute_on)
