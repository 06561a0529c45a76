"""Decisions about what the fund pays suppliers on hospitals' behalf, and takes back: 2105, 1103, 1109.

What stays true: what is owed to a supplier and what its hospital owes come into being together, fen for fen; where a
red letter hits is decided where both are known. Source: domain.md R3.5-R3.7, R10, c.2 (43-45), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from medfund.events import rules
from medfund.events.dimensions import A_DECISION, Decision
from medfund.events.fields import (
    Amount,
    Amounts,
    Count,
    Day,
    Fund,
    Invoice,
    PayableRef,
    Ref,
    StatementRef,
    Uscc,
)
from medfund.events.kinds import kind
from medfund.events.purchases import A_BLUE, A_RED
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

    `lines` in the order in which they are paid, each split over the funds by `key`. Books 1103 / 2105. Source: R3.5,
    c.2 (43), c.4.
    """

    payable_ref: PayableRef
    statement_ref: StatementRef
    instalment: Count
    key: dict[Fund, Count]
    key_version: Ref
    lines: list[RequestedLine]
    due: Day

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, **A_REQUEST, "statement_ref": "DZ202609"}


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

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "invoice": A_BLUE,
        "red": A_RED,
        "amounts": {"310100": "843.69", "390100": "390.31"},
        "unpaid": {},
        "paid": {"310100": "843.69", "390100": "300.00"},
        "recovered": {"390100": "90.31"},
        "came_back": {},
        "owed_back_in": f"{A_REQUEST['payable_ref']}/H",
    }
