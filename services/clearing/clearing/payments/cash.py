"""What moved on the bank accounts of the funds, as the books have it: one row for each line of a bank account. Pure.

What stays true: the sum of an account's moves up to a value date is what the ledger's bank account shows on that day.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from clearing.funds import fens
from medfund.events.bank import TreasuryFundsReceived
from medfund.events.clearing import RecoverySettled
from medfund.events.payments import PaymentReturned, PaymentSettled, SuspenseOpened, SuspensePlaced
from medfund.events.prepayments import PrepaymentReturned
from medfund.events.treasury import OpeningBalanceRecorded

BANKS = ("1002", "1003")


class Move(NamedTuple):
    """`fen` is above zero for what came in. `ref` is what it was for, of which provider if of any."""

    area: str
    fund: str
    bank_account: str
    value_date: date
    bank_txn: str
    provider: str
    ref: str
    fen: int


def moved(
    area: str, bank_account: str, value_date: date, bank_txn: str, ref: str, amounts: Mapping[str, str], sign: int,
    provider: str = "",
) -> list[Move]:  # fmt: skip
    """Nothing where no bank account is meant: what comes out of suspense moved when it went there."""
    if bank_account not in BANKS:
        return []
    return [
        Move(area, fund, bank_account, value_date, bank_txn, provider, ref, sign * fen)
        for fund, fen in fens(amounts).items()
        if fen
    ]


def received(event: TreasuryFundsReceived) -> list[Move]:
    """From the fiscal special account to the expenditure account."""
    ref = event.request_ref or event.plan_ref
    return [
        move
        for account, sign in (("1002", 1), ("1003", -1))
        for move in moved(event.area, account, event.value_date, event.bank_txn, ref, event.amounts, sign)
    ]


def opening(event: OpeningBalanceRecorded) -> list[Move]:
    return moved(event.area, event.account, event.value_date, "opening", event.evidence_ref, event.amounts, 1)


def answered(event: PaymentSettled | PaymentReturned, sign: int) -> list[Move]:
    """Of one payment: what left the bank account, or came back to it."""
    account, txn = event.bank_account, event.bank_txn
    return moved(event.area, account, event.value_date, txn, event.payment_ref, event.amounts, sign, event.provider)


def recovered(event: RecoverySettled) -> list[Move]:
    account, txn = event.bank_account, event.bank_txn
    return moved(event.area, account, event.value_date, txn, event.case_ref, event.amounts, 1, event.provider)


def repaid(event: PrepaymentReturned) -> list[Move]:
    account, txn, ref = event.bank_account, event.bank_txn, event.prepayment_ref
    return moved(event.area, account, event.value_date, txn, ref, event.amounts, 1, event.provider)


def placed(event: SuspensePlaced) -> list[Move]:
    """Between the two accounts: the other one moved as well, and no line of it was ever in suspense."""
    if event.placed_as != "FISCAL":
        return []
    other = "1003" if event.bank_account == "1002" else "1002"
    sign = -1 if event.direction == "IN" else 1
    return moved(event.area, other, event.value_date, event.bank_txn, event.item_ref, event.amounts, sign)


def suspended(event: SuspenseOpened) -> list[Move]:
    sign = 1 if event.direction == "IN" else -1
    return moved(event.area, event.bank_account, event.value_date, event.bank_txn, event.item_ref, event.amounts, sign)
