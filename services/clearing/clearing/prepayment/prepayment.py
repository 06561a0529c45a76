"""One prepayment of one provider and one fund, from its application to the day when nothing of it is open. Pure.

What stays true: what was disbursed is what is outstanding, what was taken back and what was returned; only the bank
makes it grow. Source: R2.4.
"""

from datetime import date
from typing import Literal

from msgspec import field

from clearing import dimensions
from clearing.funds import Fens, added, fens
from clearing.names import Name
from clearing.payable import Payable
from medfund import money
from medfund.events.payments import PaymentReturned, PaymentReturnUndone, Purpose
from medfund.events.prepayments import (
    Grade,
    OfPrepayment,
    PrepaymentAdjusted,
    PrepaymentApproved,
    PrepaymentChecked,
    PrepaymentCleared,
    PrepaymentDisbursed,
    PrepaymentKind,
    PrepaymentOverdue,
    PrepaymentPurchasesNoted,
    PrepaymentRecalled,
    PrepaymentRefused,
    PrepaymentReturned,
)
from medfund.lanes.draft import Part, Things

Status = Literal["CHECKED", "REFUSED", "APPROVED", "RECALLED", "CLEARED", "OVERDUE"]
ACCOUNTS: dict[PrepaymentKind, str] = {"ANNUAL": "1101", "MONTHLY": "1101", "BULK": "1102"}
PURPOSES: dict[PrepaymentKind, Purpose] = {"ANNUAL": "PREPAYMENT", "MONTHLY": "PREPAYMENT", "BULK": "BULK"}
CLR_TYPE = "YF"
"""In the place of a clearing type: what is prepaid is of none."""


class Prepayment(Payable, kw_only=True):
    """Its payable (2102) stays empty: it is owed by the provider, and not to it."""

    kind: PrepaymentKind
    fund: str
    year: int
    status: Status
    grade: Grade | None = None
    contract_ref: str | None = None
    agreed: int = 0
    """Of a BULK one: what was agreed to be purchased in a year."""
    purchased: int = 0
    pay_by: date | None = None
    plan_ref: str = ""
    base: int = 0
    """What the provider was paid in a month, as its plan says."""
    granted: int = 0
    """Of a MONTHLY one: for each month."""
    month: date | None = None
    """Of a MONTHLY one: the first day of the month that it was paid for last."""
    outstanding: Fens = field(default_factory=dict)
    """1101, or 1102. Below zero where its payment came back after something of it was taken: it is to be paid again."""
    taken: Fens = field(default_factory=dict)
    """By offsets."""
    returned: Fens = field(default_factory=dict)
    """In cash."""
    early: Fens = field(default_factory=dict)
    """Of that: before it was due; it lowers the last parts of the schedule."""
    last_back: date | None = None
    """The last day on which something was taken back or came back: the bank's, or the one that was open."""
    txns: list[str] = field(default_factory=list)
    """Of the bank, by which it was returned."""
    due_at_once: bool = False
    """Recalled, or overdue."""
    blocks: int | None = None
    """The year in which there is no grant, because this one was not returned in time."""
    steps: int = 0
    """How many of its history were told."""

    @property
    def account(self) -> str:
        return ACCOUNTS[self.kind]

    @property
    def open(self) -> bool:
        waits = self.status in ("CHECKED", "APPROVED", "RECALLED")
        return any(self.outstanding.values()) or any(self.pending.values()) or waits

    @property
    def over(self) -> bool:
        """Whether nothing of it is out, or on its way, or to be given still."""
        to_give = 0 if self.status == "RECALLED" else self.granted - given(self)
        return not self.left and not any(self.pending.values()) and to_give <= 0

    @property
    def matters(self) -> bool:
        """Whether anything can still happen to it, or because of it."""
        return self.open or self.blocks is not None

    @property
    def owed(self) -> bool:
        return False

    @property
    def owing_back(self) -> Fens:
        return self.outstanding

    def disbursed(self, amounts: Fens, sign: int = 1) -> None:
        self.outstanding = added(self.outstanding, amounts, sign)

    def came_back(self, event: PaymentReturned) -> None:
        self.disbursed(fens(event.amounts), -1)

    def went_again(self, event: PaymentReturnUndone) -> None:
        self.disbursed(fens(event.amounts))

    @property
    def left(self) -> int:
        return self.outstanding.get(self.fund, 0)


PREPAYMENTS: Part[Things[Name, Prepayment]] = Part("prepayments", Things)


def given(prepayment: Prepayment) -> int:
    """What the bank has paid of it."""
    parts = prepayment.outstanding, prepayment.taken, prepayment.returned
    return sum(part.get(prepayment.fund, 0) for part in parts)


def name(provider: str, kind: PrepaymentKind, period: str, fund: str) -> str:
    """`period` is a year, a month or a contract."""
    word = {"ANNUAL": "YF", "MONTHLY": "YY", "BULK": "JC"}[kind]
    return f"{provider}/{word}-{period}/{fund}"


def checked(known: Prepayment | None, event: PrepaymentChecked) -> Prepayment:
    """`known`: what was refused of it before."""
    one = _of(event, event.fund, "CHECKED")
    one.steps = known.steps if known else 0
    one.grade, one.contract_ref, one.pay_by = event.grade, event.contract_ref, event.pay_by
    one.agreed = money.fen(event.agreed) if event.agreed else 0
    return one


def refused(known: Prepayment | None, event: PrepaymentRefused) -> Prepayment:
    """Of one that was found good before, its end; else a record of the refusal."""
    if known is None:
        return _of(event, event.fund, "REFUSED")
    known.status = "REFUSED"
    return known


def _of(event: OfPrepayment, fund: str, status: Status) -> Prepayment:
    return Prepayment(
        ref=event.prepayment_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=event.cause.offset,
        cut_off=date(event.benefit_year, 1, 1),
        kind=event.prepayment_kind,
        fund=fund,
        year=event.benefit_year,
        status=status,
    )


def approved(prepayment: Prepayment, event: PrepaymentApproved) -> None:
    prepayment.status, prepayment.plan_ref = "APPROVED", event.plan_ref
    prepayment.granted = fens(event.amounts).get(prepayment.fund, 0)
    prepayment.base = money.fen(event.base)


def purchased(prepayment: Prepayment, event: PrepaymentPurchasesNoted) -> None:
    prepayment.purchased = money.fen(event.purchased)


def recalled(prepayment: Prepayment, event: PrepaymentRecalled) -> None:
    prepayment.status, prepayment.due_at_once = "RECALLED", True


def overdue(prepayment: Prepayment, event: PrepaymentOverdue) -> None:
    prepayment.status, prepayment.due_at_once, prepayment.blocks = "OVERDUE", True, event.blocks_year


def cleared(prepayment: Prepayment, event: PrepaymentCleared) -> None:
    """What came late clears it, and blocks the next year all the same."""
    if event.on.year <= prepayment.year:
        prepayment.blocks = None
    prepayment.status = "CLEARED"


def adjusted(prepayment: Prepayment, event: PrepaymentAdjusted) -> None:
    prepayment.plan_ref, prepayment.granted = event.plan_ref, fens(event.amounts).get(prepayment.fund, 0)


def disbursed(prepayment: Prepayment, event: PrepaymentDisbursed) -> None:
    prepayment.month = event.value_date.replace(day=1)


def take(prepayment: Prepayment, amounts: Fens, day: date | None) -> None:
    """An offset pays off so much of it."""
    prepayment.outstanding = added(prepayment.outstanding, amounts, -1)
    prepayment.taken = added(prepayment.taken, amounts)
    _back_on(prepayment, day)


def _back_on(prepayment: Prepayment, day: date | None) -> None:
    days = (day, prepayment.last_back)
    prepayment.last_back = max((one for one in days if one is not None), default=None)


def returned(prepayment: Prepayment, event: PrepaymentReturned) -> None:
    amounts = fens(event.amounts)
    prepayment.outstanding = added(prepayment.outstanding, amounts, -1)
    prepayment.returned = added(prepayment.returned, amounts)
    prepayment.early = added(prepayment.early, fens(event.early or {}))
    _back_on(prepayment, event.value_date)
    line = event.bank_txn if event.booked_on is None else f"{event.bank_txn} {event.booked_on} IN"
    prepayment.txns = [*prepayment.txns, line]
