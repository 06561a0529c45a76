"""What moved on the bank accounts of the funds, as the books have it: one row for each line of a bank account. Pure.

What stays true: the sum of an account's moves up to a value date is what the ledger's bank account shows on that day;
up to a booking day it is what the bank's statement of that day shows.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from clearing.funds import fens
from medfund.events.bank import Direction, TreasuryFundsReceived
from medfund.events.direct import CameInCash, HospitalShortfallCollected, SupplierRefunded
from medfund.events.kinds import Event, Place
from medfund.events.payments import (
    Answered,
    OfSuspense,
    PaymentReturned,
    PaymentReturnUndone,
    PaymentSettled,
    SuspenseOpened,
    SuspensePlaced,
)
from medfund.events.prepayments import PrepaymentReturned
from medfund.events.supervision import RecoverySettled
from medfund.events.treasury import OpeningBalanceRecorded
from medfund.lanes.draft import Draft, Part

BANKS = ("1002", "1003")
DIRECTIONS: Mapping[int, Direction] = {1: "IN", -1: "OUT"}


class Move(NamedTuple):
    """`fen` is above zero for what came in. `ref` is what it was for, of which provider if of any; `booked_on` the
    bank's booking day."""

    area: str
    fund: str
    bank_account: str
    value_date: date
    bank_txn: str
    provider: str
    ref: str
    fen: int
    booked_on: date
    direction: Direction


MOVES: Part[list[Move]] = Part("moves of bank accounts", list)


def moved(
    area: str, bank_account: str, value_date: date, bank_txn: str, ref: str, amounts: Mapping[str, str], sign: int,
    booked_on: date | None = None, provider: str = "",
) -> list[Move]:  # fmt: skip
    """A row for each fund; none for 1190 and 2190: that money moved when it entered suspense."""
    if bank_account not in BANKS:
        return []
    day, direction = booked_on or value_date, DIRECTIONS[sign]
    return [
        Move(area, fund, bank_account, value_date, bank_txn, provider, ref, sign * fen, day, direction)
        for fund, fen in fens(amounts).items()
        if fen
    ]


def received(event: TreasuryFundsReceived) -> list[Move]:
    """From the fiscal special account to the expenditure account."""
    ref = event.request_ref or event.plan_ref
    return [
        move
        for account, sign in (("1002", 1), ("1003", -1))
        for move in moved(
            event.area, account, event.value_date, event.bank_txn, ref, event.amounts, sign, event.booked_on
        )
    ]


def opening(event: OpeningBalanceRecorded) -> list[Move]:
    return moved(event.area, event.account, event.value_date, "opening", event.evidence_ref, event.amounts, 1)


def answered(event: Answered) -> list[Move]:
    """Of one payment: what left the bank account, or came back to it."""
    return _line(event, event.payment_ref, 1 if isinstance(event, PaymentReturned) else -1, provider=event.provider)


def recovered(event: RecoverySettled) -> list[Move]:
    return _line(event, event.case_ref, 1, provider=event.provider)


def repaid(event: PrepaymentReturned) -> list[Move]:
    return _line(event, event.prepayment_ref, 1, provider=event.provider)


def came(event: CameInCash) -> list[Move]:
    return _line(event, event.payable_ref, 1, provider=event.provider)


def placed(event: SuspensePlaced) -> list[Move]:
    """Between the two accounts: the other one moved as well, and no line of it was ever in suspense."""
    if event.placed_as != "FISCAL":
        return []
    other = "1003" if event.bank_account == "1002" else "1002"
    return _line(event, event.item_ref, -1 if event.direction == "IN" else 1, other)


def suspended(event: SuspenseOpened) -> list[Move]:
    return _line(event, event.item_ref, 1 if event.direction == "IN" else -1)


def _line(
    event: Answered | RecoverySettled | PrepaymentReturned | CameInCash | OfSuspense, ref: str, sign: int,
    account: str = "", provider: str = "",
) -> list[Move]:  # fmt: skip
    account, txn, days = account or event.bank_account, event.bank_txn, (event.value_date, event.booked_on)
    return moved(event.area, account, days[0], txn, ref, event.amounts, sign, days[1], provider)


OF_FACTS: Mapping[type[Event], Callable[[Any], list[Move]]] = {
    TreasuryFundsReceived: received,
    OpeningBalanceRecorded: opening,
}
OF_DECISIONS: Mapping[type[Event], Callable[[Any], list[Move]]] = {
    PaymentSettled: answered,
    PaymentReturned: answered,
    PaymentReturnUndone: answered,
    RecoverySettled: recovered,
    PrepaymentReturned: repaid,
    HospitalShortfallCollected: came,
    SupplierRefunded: came,
    SuspenseOpened: suspended,
    SuspensePlaced: placed,
}


def learned(moved: Callable[[Any], list[Move]]) -> Callable[[Draft, Any, Place], None]:
    return lambda draft, event, place: draft[MOVES].extend(moved(event))


def decided(moved: Callable[[Any], list[Move]]) -> Callable[[Draft, Any], None]:
    return lambda draft, event: draft[MOVES].extend(moved(event))
