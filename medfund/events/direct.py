"""Decisions about what the fund pays suppliers on hospitals' behalf, and takes back: 2105, 1103, 1109.

What stays true: what is owed to a supplier and what its hospital owes come into being together, fen for fen; where a
red letter hits is decided where both are known. Source: domain.md R3.5-R3.7, R10, c.2 (43-45), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType

from medfund import money
from medfund.events import rules
from medfund.events.bank import BankAccount, LeftFrom
from medfund.events.dimensions import A_DECISION, Decision
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    Count,
    Day,
    Fund,
    Invoice,
    PayableRef,
    Provider,
    Ref,
    StatementRef,
    Text,
    Uscc,
    Words,
)
from medfund.events.kinds import Event, Place, kind
from medfund.events.purchases import A_BLUE, A_RED
from medfund.events.refusals import Problem, Reason
from medfund.events.statements import A_REQUEST, RequestedLine, requested
from medfund.events.suppliers import A_SUPPLIER


class OfSupplier(Decision, frozen=True, kw_only=True):
    """About what a supplier is owed for one hospital, or owes back."""

    supplier: Uscc
    amounts: Amounts


_DECISION: Mapping[str, Any] = {
    **A_DECISION,
    "cause": {"topic": "direct-pay", "lane": 3, "offset": 640},
    "clr_type": "ZJ",
    "supplier": A_SUPPLIER,
    "payable_ref": A_REQUEST["payable_ref"],
    "amounts": A_REQUEST["amounts"],
}
_AMOUNTS = rules.not_negative("amounts")


@kind("statement.approved", family="clearing", key="provider", rules=(_AMOUNTS, requested))
class StatementApproved(OfSupplier, frozen=True, kw_only=True):
    """What was requested for a supplier is taken over, to be paid by `due`. A supplier is owed nothing but by this.

    `lines` in the order in which they are paid, each split over the funds by `key`. It is ordered when the first day
    after `approved_on` opens. `payee` is who is paid, where the supplier has assigned what it is owed. Books 1103 /
    2105. Source: R3.5, c.2 (43), c.4.
    """

    payable_ref: PayableRef
    statement_ref: StatementRef
    instalment: Count
    key: dict[Fund, Count]
    key_version: Ref
    lines: list[RequestedLine]
    due: Day
    approved_on: Day | None = None
    payee: Uscc | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        **A_REQUEST,
        "statement_ref": "DZ202609",
        "approved_on": "2026-10-07",
    }


@kind("supplier.payment.blocked", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierPaymentBlocked(OfSupplier, frozen=True, kw_only=True):
    """A supplier is not paid for the time being: what the hospital has not given back of what was paid for it
    (`exposure`, over all funds) is above its `cap`. Books nothing. Source: R3.6.
    """

    payable_ref: PayableRef
    exposure: Amount
    cap: Amount

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "exposure": "10704732.43", "cap": "10704732.42"}


@kind("supplier.payment.unblocked", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierPaymentUnblocked(OfSupplier, frozen=True, kw_only=True):
    """What was blocked is paid now. Books nothing. Source: R3.6."""

    payable_ref: PayableRef

    example: ClassVar[Mapping[str, Any]] = _DECISION


class PaidLine(RequestedLine, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An invoice, what of it was paid now, and by when it had to be."""


@kind("supplier.payment.settled", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierPaymentSettled(OfSupplier, frozen=True, kw_only=True):
    """Which lines of a statement were paid with `value_date`, by the bank or by what the supplier owed (NETTED); or are
    open again, for the money came back (RETURNED). Books nothing: `payment.settled`, `supplier.debt.netted` and
    `payment.returned` do. Source: c.2 (44), R3.6.
    """

    payable_ref: PayableRef
    statement_ref: StatementRef
    how: Literal["BANK", "NETTED", "RETURNED"]
    value_date: Day
    lines: list[PaidLine]

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "statement_ref": "DZ202609",
        "how": "BANK",
        "value_date": "2026-09-30",
        "lines": A_REQUEST["lines"],
    }


@kind("supplier.debt.netted", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierDebtNetted(OfSupplier, frozen=True, kw_only=True):
    """What a supplier owes back of a hospital's purchases is taken from what it is paid for that hospital next, fund by
    fund. Books 2105 / 1109. Source: R3.7, R10, c.4.
    """

    payable_ref: PayableRef

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "amounts": {"310100": "2051.10"}}


@kind(
    "red_letter.applied",
    family="clearing",
    key="provider",
    rules=(rules.not_negative("unpaid", "came_back", "paid", "recovered"),
           rules.sums("amounts", "unpaid", "came_back", "paid", "recovered")),
)  # fmt: skip
class RedLetterApplied(OfSupplier, frozen=True, kw_only=True):
    """Where a red letter hits a line of a statement, by fund.

    `unpaid`: neither paid nor recovered, 2105 / 1103; `paid`, and not recovered from the hospital yet, 1109 / 1103;
    `recovered`: paid and recovered, the hospital gets it back, 1109 / 2102; `came_back`: recovered, but the supplier's
    payment came back, 2105 / 2102. What is not recovered is hit first. `owed_back_in` is the hospital's payable (2102).
    Source: R3.7, R10, c.4.
    """

    payable_ref: PayableRef
    invoice: Invoice
    red: Invoice
    unpaid: Amounts
    paid: Amounts
    recovered: Amounts
    came_back: Amounts
    owed_back_in: Ref | None = None
    applied_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "invoice": A_BLUE,
        "red": A_RED,
        "amounts": {"310100": "843.69", "390100": "390.31"},
        "unpaid": {},
        "paid": {"310100": "843.69", "390100": "300.00"},
        "recovered": {"390100": "90.31"},
        "came_back": {},
        "applied_on": "2026-11-04",
        "owed_back_in": f"{A_REQUEST['payable_ref']}/H",
    }


@kind("supplier.overpaid", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierOverpaid(OfSupplier, frozen=True, kw_only=True):
    """The bank has paid a supplier what a red letter had taken back meanwhile: it owes that. Books 1109 / 2105.
    Source: R3.7, c.2 (24)."""

    payable_ref: PayableRef

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "amounts": {"310100": "843.69"}}


@kind("supplier.payee.noted", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierPayeeNoted(OfSupplier, frozen=True, kw_only=True):
    """Who is paid from now on what is open of a payable; what is on its way stays. Books nothing. Source: c.2 (46)."""

    payable_ref: PayableRef
    payee: Uscc

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "payee": "91371000MA0000002A"}


class OfAccount(Event, frozen=True, kw_only=True):
    area: Area
    cause: Place
    supplier: Uscc
    bank_account_ref: Ref


_ACCOUNT: Mapping[str, Any] = {
    "area": "152500",
    "cause": {"topic": "agency", "lane": 3, "offset": 440},
    "supplier": A_SUPPLIER,
    "bank_account_ref": "acct-s-000093",
}


@kind("supplier.account.noted", family="clearing", key="lane")
class SupplierAccountNoted(OfAccount, frozen=True, kw_only=True):
    """Where a supplier is paid to, since which day it is another account than before, who entered it, and who else has
    made sure of it: the whole new state, of a lane. Books nothing. Source: edge case 38, R3.7."""

    changed_on: Day
    confirmed_by: Ref | None = None
    entered_by: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {**_ACCOUNT, "changed_on": "2026-06-01", "entered_by": "staff-31ad"}


@kind("supplier.account.refused", family="clearing", key="lane")
class SupplierAccountRefused(OfAccount, frozen=True, kw_only=True):
    """Somebody's word for a supplier's account does not count, and why. Books nothing. Source: edge case 38."""

    staff_ref: Ref
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_ACCOUNT,
        "staff_ref": "staff-31ad",
        "detail": "staff-31ad entered account acct-s-000093: another one confirms it",
    }


# -- what another fund takes over


def _two_funds(event: Any) -> Problem | None:
    if event.from_fund == event.to_fund:
        return Problem(Reason.UNKNOWN_FUND, "$.to_fund: it is the same fund")
    return None


def _something(event: "InterFundTrueUpAgreed") -> Problem | None:
    if money.fen(event.amount) <= 0:
        return Problem(Reason.BAD_AMOUNT, f"$.amount: {event.amount} must be above zero")
    return None


_PEOPLE = rules.two_people("approvers")


@kind("inter_fund.true_up.agreed", family="agency", key="provider", rules=(_PEOPLE, _two_funds, _something))
class InterFundTrueUpAgreed(Event, frozen=True, kw_only=True):
    """Two people of the agency have agreed that a fund takes over what another one cannot recover from a hospital's
    payables of its own: so much of what its suppliers were paid, the oldest first. Source: R3.5, c.2 (63).
    """

    provider: Provider
    area: Area
    from_fund: Fund
    to_fund: Fund
    amount: Amount
    agreed_on: Day
    approvers: list[Ref]

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "from_fund": "390100",
        "to_fund": "310100",
        "amount": "1015.32",
        "agreed_on": "2026-12-30",
        "approvers": ["staff-7c41", "staff-02e9"],
    }


@kind("inter_fund.trued_up", family="clearing", key="provider", rules=(_AMOUNTS, _two_funds))
class InterFundTruedUp(Decision, frozen=True, kw_only=True):
    """A fund takes over what a hospital owes another one of a payable, and owes that fund so much until it has paid it
    in cash. Books 1120 / 1103 in the one, 1103 / 2120 in the other; `amounts` are the one's. Source: R3.5, c.4.
    """

    payable_ref: PayableRef
    from_fund: Fund
    to_fund: Fund
    amounts: Amounts
    value_date: Day

    example: ClassVar[Mapping[str, Any]] = {
        **{name: value for name, value in _DECISION.items() if name != "supplier"},
        "from_fund": "390100",
        "to_fund": "310100",
        "amounts": {"390100": "1015.32"},
        "value_date": "2026-12-30",
    }


@kind(
    "red_letter.followed",
    family="clearing",
    key="provider",
    rules=(_two_funds, rules.not_negative("amounts", "owed", "recovered", "undone", "given_back"),
           rules.sums("amounts", "undone", "paid")),
)  # fmt: skip
class RedLetterFollowed(OfSupplier, frozen=True, kw_only=True):
    """A red letter hits what another fund took over: `amounts`, of `from_fund`.

    What is `paid` is the supplier's debt in the fund that took it over: `owed` by the hospital there still, 1109 /
    1103, or `recovered` there, 1109 / 2102. Where the supplier's payment came back, it is `undone`: what of it is
    recovered there is `given_back` to the hospital first, 1103 / 2102; then the two funds change places, and it is 2105
    / 1103 in the first one. Source: R10, c.4.
    """

    payable_ref: PayableRef
    invoice: Invoice
    red: Invoice
    from_fund: Fund
    to_fund: Fund
    paid: Amounts
    owed: Amounts
    recovered: Amounts
    undone: Amounts
    given_back: Amounts
    applied_on: Day
    owed_back_in: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "invoice": A_BLUE,
        "red": A_RED,
        "from_fund": "390100",
        "to_fund": "310100",
        "amounts": {"390100": "90.31"},
        "paid": {"390100": "90.31"},
        "owed": {"310100": "50.00"},
        "recovered": {"310100": "40.31"},
        "undone": {},
        "given_back": {},
        "applied_on": "2027-01-04",
        "owed_back_in": f"{A_REQUEST['payable_ref']}/H",
    }


@kind("hospital.shortfall.carried", family="clearing", key="provider", rules=(_AMOUNTS,))
class HospitalShortfallCarried(Decision, frozen=True, kw_only=True):
    """What a hospital was owed of a payable was too small for what its suppliers were paid: so much is due in that fund
    still (1103), and first of what it is owed next. Books nothing. Source: R3.6, c.2 (45)."""

    payable_ref: PayableRef
    amounts: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **{name: value for name, value in _DECISION.items() if name != "supplier"},
        "cause": {"topic": "audit", "lane": 3, "offset": 640},
        "clr_type": "21",
        "payable_ref": "B-202609",
        "amounts": {"310100": "11079.99"},
    }


# -- what comes back in cash


class BankDirectRepaid(Event, frozen=True, kw_only=True):
    """The bank names what it is of, or it was found in suspense (2190), as item `found_in` of the bank account
    `found_on`."""

    area: Area
    provider: Provider
    payable_ref: PayableRef
    bank_account: LeftFrom
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    booked_on: Day | None = None
    found_in: Ref | None = None
    found_on: BankAccount | None = None


_CAME: Mapping[str, Any] = {
    "bank_account": "1002",
    "bank_txn": "202612280000023",
    "value_date": "2026-12-28",
    "amounts": {"310100": "11079.99"},
}
_REPAID: Mapping[str, Any] = {
    **_CAME,
    "area": "152500",
    "provider": "H15250200017",
    "payable_ref": A_REQUEST["payable_ref"],
}


@kind("bank.shortfall.repaid", family="bank", key="provider", rules=(_AMOUNTS,))
class BankShortfallRepaid(BankDirectRepaid, frozen=True, kw_only=True):
    """A hospital paid in cash what its payables were too small for. Source: R3.6, c.2 (45), c.4."""

    example: ClassVar[Mapping[str, Any]] = _REPAID


@kind("bank.supplier.refunded", family="bank", key="provider", rules=(_AMOUNTS,))
class BankSupplierRefunded(BankDirectRepaid, frozen=True, kw_only=True):
    """A supplier paid back what it owes of a hospital's purchases; `payable_ref` is the supplier, or what the books
    began with. Source: R3.7, c.4."""

    example: ClassVar[Mapping[str, Any]] = {**_REPAID, "payable_ref": A_SUPPLIER, "amounts": {"310100": "843.69"}}


class CameInCash(Decision, frozen=True, kw_only=True):
    payable_ref: PayableRef
    amounts: Amounts
    bank_account: LeftFrom
    bank_txn: Words
    value_date: Day
    booked_on: Day | None = None


@kind("hospital.shortfall.collected", family="clearing", key="provider", rules=(_AMOUNTS,))
class HospitalShortfallCollected(CameInCash, frozen=True, kw_only=True):
    """A hospital has given back in cash what was paid for it. Books 1002 / 1103. Source: R3.6, c.2 (45), c.4."""

    example: ClassVar[Mapping[str, Any]] = {
        **_CAME,
        **{name: value for name, value in _DECISION.items() if name not in ("supplier", "amounts")},
    }


@kind("supplier.refunded", family="clearing", key="provider", rules=(_AMOUNTS,))
class SupplierRefunded(CameInCash, frozen=True, kw_only=True):
    """A supplier has given back in cash what it owed. Books 1002 / 1109. Source: R3.7, c.4."""

    supplier: Uscc

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        **_CAME,
        "payable_ref": A_SUPPLIER,
        "amounts": {"310100": "843.69"},
    }
