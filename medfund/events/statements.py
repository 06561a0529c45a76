"""Statements of a supplier to a hospital: submitted, matched, disputed line by line, confirmed, and requested of the
clearing service, which pays.

What stays true: a line of a statement is one blue invoice, less its red letters; an invoice is in one statement at
most; a line in dispute stops nothing but itself. Source: domain.md R3.3-R3.5, R3.7, R10, c.2 (40-43, 47).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from medfund import money
from medfund.events import rules
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    Count,
    Day,
    Digest,
    Fund,
    Invoice,
    PayableRef,
    Provider,
    Ref,
    StatementRef,
    Text,
    Uscc,
)
from medfund.events.kinds import Event, Place, kind
from medfund.events.purchases import A_BLUE, A_PURCHASE, A_RED, Purchase
from medfund.events.refusals import Problem, Reason
from medfund.events.suppliers import A_SUPPLIER


class OfStatement(Purchase, frozen=True, kw_only=True):
    statement_ref: StatementRef


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An invoice as its supplier lists it: a red letter is below zero."""

    invoice: Invoice
    amount: Amount


_STATEMENT: Mapping[str, Any] = {**A_PURCHASE, "statement_ref": "DZ202609"}


# -- facts


def _declared(event: "StatementSubmitted") -> Problem | None:
    if len({one.invoice for one in event.lines}) != len(event.lines) or not event.lines:
        return Problem(Reason.BAD_CODE, "$.lines: at least one, and each invoice once")
    if (found := sum(map(money.fen, (one.amount for one in event.lines)))) != money.fen(event.total):
        return Problem(Reason.IDENTITY_MISMATCH, f"$.total is {event.total}, its lines make {money.yuan(found)}")
    return None


@kind("statement.submitted", family="purchases", key="provider", rules=(_declared,))
class StatementSubmitted(OfStatement, frozen=True, kw_only=True):
    """A supplier asks to be paid for the invoices of a month; `period` is its first day. Source: R3.3, c.2 (40)."""

    period: Day
    submitted_on: Day
    total: Amount
    lines: list[Listed]
    submitted_by: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_STATEMENT,
        "period": "2026-09-01",
        "submitted_on": "2026-10-03",
        "total": "115749.20",
        "lines": [{"invoice": A_BLUE, "amount": "116983.20"}, {"invoice": A_RED, "amount": "-1234.00"}],
        "submitted_by": "staff-s-0017",
    }


@kind("statement.withdrawn", family="purchases", key="provider")
class StatementWithdrawn(OfStatement, frozen=True, kw_only=True):
    """The supplier takes it back, while nothing of it was requested: its invoices are free again. Source: c.2 (40)."""

    withdrawn_on: Day
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {**_STATEMENT, "withdrawn_on": "2026-10-04", "reason": "发票漏列"}


@kind("statement.confirmed", family="purchases", key="provider")
class StatementConfirmed(OfStatement, frozen=True, kw_only=True):
    """The hospital agrees with what is not in dispute. Source: R3.3, c.2 (42)."""

    confirmed_on: Day
    confirmed_by: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_STATEMENT,
        "confirmed_on": "2026-10-05",
        "confirmed_by": "staff-h-0093",
    }


@kind("statement.line.disputed", family="purchases", key="provider")
class StatementLineDisputed(OfStatement, frozen=True, kw_only=True):
    """Somebody of the hospital or the agency says that an invoice, or one `line` of an order in it, is not to be paid
    for the time being. The clock of that line stands still from `disputed_on`. Source: R3.7, c.2 (41).
    """

    invoice: Invoice
    disputed_on: Day
    reason: Text
    order_no: Ref | None = None
    line: Count | None = None
    disputed_by: Ref | None = None
    speaks_for: Literal["HOSPITAL", "AGENCY"] = "HOSPITAL"

    example: ClassVar[Mapping[str, Any]] = {
        **_STATEMENT,
        "invoice": A_BLUE,
        "disputed_on": "2026-10-04",
        "reason": "数量有误",
    }


@kind("statement.line.resolved", family="purchases", key="provider")
class StatementLineResolved(OfStatement, frozen=True, kw_only=True):
    """A dispute of somebody's ends, and the clock of the line goes on: it is to be paid, or never by the fund (DROP).
    What does not match is not mended by it. Source: R3.7, c.2 (41).
    """

    invoice: Invoice
    resolved_on: Day
    outcome: Literal["PAY", "DROP"]
    reason: Text
    order_no: Ref | None = None
    line: Count | None = None
    resolved_by: Ref | None = None
    speaks_for: Literal["HOSPITAL", "AGENCY"] = "HOSPITAL"
    """What the agency disputes ends by the agency alone."""

    example: ClassVar[Mapping[str, Any]] = {
        **_STATEMENT,
        "invoice": A_BLUE,
        "resolved_on": "2026-10-12",
        "outcome": "PAY",
        "reason": "已核对",
    }


class Agreed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A statement and what of it is to be requested, as people saw it; without some invoices whose numbers are
    registered elsewhere too."""

    supplier: Uscc
    statement_ref: StatementRef
    amount: Amount
    without: list[Invoice] | UnsetType = UNSET


@kind("statements.agreed", family="agency", key="provider", rules=(rules.two_people("approvers"),))
class StatementsAgreed(Event, frozen=True, kw_only=True):
    """Two people of the agency have agreed to a plan over the area, in which these statements of one hospital are: each
    is requested where it still is what they saw. No plan has an invoice that is in another lane too. Source: R3.3.
    """

    provider: Provider
    area: Area
    plan_ref: Ref
    plan_hash: Digest
    statements: list[Agreed]
    approvers: list[Ref]
    agreed_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "plan_ref": "JS-152500-20261007",
        "plan_hash": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
        "statements": [{"supplier": A_SUPPLIER, "statement_ref": "DZ202609", "amount": "115749.20"}],
        "approvers": ["staff-7c41", "staff-02e9"],
        "agreed_on": "2026-10-07",
    }


_BY_TWO = (rules.not_negative("amounts"), rules.two_people("approvers"))


@kind("arrears.registered", family="agency", key="provider", rules=_BY_TWO)
class ArrearsRegistered(Event, frozen=True, kw_only=True):
    """What a hospital owes a supplier from before go-live: its own debt, never the fund's, in no cycle and in no 2105.

    `since` is the day from which it is old, `approvers` are two people of the agency. Books 9003 / 9903 by its answer.
    Source: S1, R3.7, c.2 (47).
    """

    provider: Provider
    area: Area
    supplier: Uscc
    arrears_ref: Ref
    amounts: Amounts
    since: Day
    evidence_ref: Ref
    approvers: list[Ref]

    example: ClassVar[Mapping[str, Any]] = {
        **A_PURCHASE,
        "arrears_ref": "QK-2021-0007",
        "amounts": {"310100": "7748700.00"},
        "since": "2020-06-30",
        "evidence_ref": "doc-2026-0113",
        "approvers": ["staff-7c41", "staff-02e9"],
    }


@kind("arrears.cleared", family="agency", key="provider", rules=_BY_TWO)
class ArrearsCleared(Event, frozen=True, kw_only=True):
    """So much of old arrears was paid by the hospital, or forgiven, as two people of the agency say. Source: S1, c.2
    (47)."""

    provider: Provider
    area: Area
    supplier: Uscc
    arrears_ref: Ref
    amounts: Amounts
    cleared_on: Day
    because: Literal["PAID_BY_HOSPITAL", "FORGIVEN"]
    evidence_ref: Ref
    approvers: list[Ref]

    example: ClassVar[Mapping[str, Any]] = {
        **A_PURCHASE,
        "arrears_ref": "QK-2021-0007",
        "amounts": {"310100": "7748700.00"},
        "cleared_on": "2026-12-30",
        "because": "PAID_BY_HOSPITAL",
        "evidence_ref": "doc-2026-0871",
        "approvers": ["staff-7c41", "staff-02e9"],
    }


# -- decisions


DisputeCode: TypeAlias = Literal[
    "NO_ORDER", "NOT_ORDERED", "NOT_SHIPPED", "NOT_ACCEPTED", "TOO_MANY", "PRODUCT", "PRICE", "AMOUNT", "SUPPLIER",
    "SCOPE", "MANDATE", "CONTRACT", "TWO_INVOICES", "DATES", "BY_HOSPITAL", "BY_AGENCY",
]  # fmt: skip
"""Why a line is in dispute. The last two are what somebody says, the others what does not match."""
RefusedCode: TypeAlias = Literal["NAME_TAKEN", "NO_INVOICE", "NOT_YOURS", "IN_ANOTHER", "AMOUNT", "NOTHING_LEFT"]

_DECISION: Mapping[str, Any] = {**_STATEMENT, "cause": {"topic": "purchases", "lane": 3, "offset": 8207}}


class StatementDecision(OfStatement, frozen=True, kw_only=True):
    cause: Place


class Dispute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Of an invoice, or of one line of an order in it."""

    invoice: Invoice
    code: DisputeCode
    detail: Text
    order_no: Ref | None = None
    line: Count | None = None


@kind("statement.matched", family="direct-pay", key="provider")
class StatementMatched(StatementDecision, frozen=True, kw_only=True):
    """A statement was taken: its invoices are in it and in no other one. `disputes` are lines that do not match; the
    others go on, the first of them to be paid by `due`. Books nothing. Source: R3.3, R3.4.
    """

    period: Day
    submitted_on: Day
    policy_ref: Digest
    invoices: list[Invoice]
    disputes: list[Dispute]
    submitted_by: Ref | None = None
    due: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "period": "2026-09-01",
        "submitted_on": "2026-10-03",
        "policy_ref": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
        "invoices": [A_BLUE],
        "disputes": [
            {"invoice": A_BLUE, "order_no": "CG20260820000417", "line": 1, "code": "PRICE", "detail": "12.35 > 12.34"}
        ],
    }


@kind("statement.refused", family="direct-pay", key="provider")
class StatementRefused(StatementDecision, frozen=True, kw_only=True):
    """A statement was not taken, and why: its supplier submits another one. Books nothing. Source: R3.4.

    NAME_TAKEN: there is one of that name; NO_INVOICE: an invoice is not registered; NOT_YOURS: it
    is of another supplier; IN_ANOTHER: in another statement; AMOUNT: of another amount; NOTHING_LEFT: taken back whole.
    """

    code: RefusedCode
    detail: Text
    invoice: Invoice | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "code": "IN_ANOTHER",
        "detail": f"invoice {A_BLUE} is in statement DZ202608",
        "invoice": A_BLUE,
    }


@kind("statement.ended", family="direct-pay", key="provider")
class StatementEnded(StatementDecision, frozen=True, kw_only=True):
    """A statement was withdrawn: its invoices are free again. Books nothing. Source: c.2 (40)."""

    example: ClassVar[Mapping[str, Any]] = _DECISION


@kind("statement.disputes.noted", family="direct-pay", key="provider")
class StatementDisputesNoted(StatementDecision, frozen=True, kw_only=True):
    """Lines that came into dispute on a day, or out of it: a mismatch was mended, or somebody said so. `dropped` are
    invoices, or lines of them, that the fund never pays. Both days stay. Books nothing. Source: R3.4, R3.7.
    """

    on: Day
    opened: list[Dispute]
    closed: list[Dispute]
    dropped: list[Dispute]
    due: Day | None = None
    """By when the first of what goes on, and was not requested, is to be paid."""

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "on": "2026-10-12",
        "opened": [],
        "closed": [
            {"invoice": A_BLUE, "order_no": "CG20260820000417", "line": 1, "code": "NOT_ACCEPTED", "detail": "9480"}
        ],
        "dropped": [],
    }


@kind("statement.confirmation.noted", family="direct-pay", key="provider")
class StatementConfirmationNoted(StatementDecision, frozen=True, kw_only=True):
    """The hospital confirmed, or said nothing for as long as the policy waits (AUTO); ESCALATED: it was silent, and
    somebody of the agency has to see to it. Books nothing. Source: R3.3, c.2 (42).
    """

    on: Day
    mode: Literal["HOSPITAL", "AUTO", "ESCALATED"]
    detail: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "on": "2026-10-05", "mode": "HOSPITAL"}


class RequestedLine(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An invoice, what of it is to be paid, and by when: written as a list, for there may be many.

    `accepted` is the day from which its cycle counts.
    """

    invoice: Invoice
    amount: Amount
    due: Day
    accepted: Day | None = None


def requested(event: Any) -> Problem | None:
    """The lines are the amounts."""
    if not event.lines or any(one.amount.startswith("-") or one.amount == "0.00" for one in event.lines):
        return Problem(Reason.BAD_AMOUNT, "$.lines: at least one, and each is above zero")
    found, total = sum(money.fens([one.amount for one in event.lines])), sum(map(money.fen, event.amounts.values()))
    if found != total:
        return Problem(
            Reason.IDENTITY_MISMATCH, f"$.amounts make {money.yuan(total)}, the lines make {money.yuan(found)}"
        )
    return None


A_REQUEST: Mapping[str, Any] = {
    "payable_ref": f"{A_SUPPLIER}/DZ202609/1",
    "instalment": 1,
    "amounts": {"310100": "79137.73", "390100": "36611.47"},
    "key": {"310100": 6837, "390100": 3163},
    "key_version": "2026-08",
    "lines": [[A_BLUE, "115749.20", "2026-09-30"]],
    "due": "2026-09-30",
}


@kind("statement.requested", family="direct-pay", key="provider", rules=(requested,))
class StatementRequested(StatementDecision, frozen=True, kw_only=True):
    """So much of a statement is to be paid by the fund on the hospital's behalf: what is confirmed, matches, and was
    agreed to. `amounts` are the sums of what `money.split` by `key` makes of each line; what was in dispute then is
    another `instalment`. Books nothing: the clearing service's answer does. Source: R3.5, R10, c.2 (43).
    """

    payable_ref: PayableRef
    instalment: Count
    amounts: Amounts
    key: dict[Fund, Count]
    key_version: Ref
    lines: list[RequestedLine]
    due: Day
    policy_ref: Digest
    plan_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        **A_REQUEST,
        "cause": {"topic": "agency", "lane": 3, "offset": 512},
        "policy_ref": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
        "plan_ref": "JS-152500-20261007",
    }


@kind("statement.withheld", family="direct-pay", key="provider")
class StatementWithheld(StatementDecision, frozen=True, kw_only=True):
    """People agreed to a statement that is not any more what they saw: nothing is requested, another plan may.
    Books nothing. Source: R3.3, design §3."""

    plan_ref: Ref
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "cause": {"topic": "agency", "lane": 3, "offset": 512},
        "plan_ref": "JS-152500-20261007",
        "detail": "115749.20 was agreed to, 114515.20 is to be paid now",
    }


@kind("statement.line.reduced", family="direct-pay", key="provider", rules=(rules.not_negative("amounts"),))
class StatementLineReduced(StatementDecision, frozen=True, kw_only=True):
    """A red letter takes back so much of a line that was requested, by fund: what `money.split` by the key of its
    instalment made of the line before, less what it makes of it now. Books nothing: the clearing service's answer says
    where it hits. Source: R3.5, R3.7, R10.
    """

    payable_ref: PayableRef
    invoice: Invoice
    red: Invoice
    amounts: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "payable_ref": f"{A_SUPPLIER}/DZ202609/1",
        "invoice": A_BLUE,
        "red": A_RED,
        "amounts": {"310100": "843.69", "390100": "390.31"},
    }


@kind("invoice.red.unmatched", family="direct-pay", key="provider")
class InvoiceRedUnmatched(Purchase, frozen=True, kw_only=True):
    """A red letter takes nothing back, and why: its blue invoice did not come in time, or has no more so much left.

    `refused`: it never will; where it is false, it still does when its blue invoice comes. Books nothing. Source: R3.4.
    """

    cause: Place
    red: Invoice
    blue: Invoice
    detail: Text
    refused: bool

    example: ClassVar[Mapping[str, Any]] = {
        **A_PURCHASE,
        "cause": {"topic": "purchases", "lane": 3, "offset": 8209},
        "red": A_RED,
        "blue": A_BLUE,
        "detail": "1234.00 of 1000.00 that are left",
        "refused": True,
    }


class OfDeadline(StatementDecision, frozen=True, kw_only=True):
    """By when the first line of a statement that is not paid has to be."""

    due: Day
    unpaid: Amount


_DEADLINE: Mapping[str, Any] = {
    **_DECISION,
    "cause": {"topic": "time", "lane": 3, "offset": 300},
    "due": "2026-10-16",
    "unpaid": "115749.20",
}


@kind("statement.deadline.approaching", family="direct-pay", key="provider")
class StatementDeadlineApproaching(OfDeadline, frozen=True, kw_only=True):
    """Books nothing. Source: R3.3."""

    example: ClassVar[Mapping[str, Any]] = _DEADLINE


@kind("statement.deadline.breached", family="direct-pay", key="provider")
class StatementDeadlineBreached(OfDeadline, frozen=True, kw_only=True):
    """The day has passed, and the bank's statement of it can have come. Books nothing. Source: R3.3, R10."""

    example: ClassVar[Mapping[str, Any]] = _DEADLINE


class OfArrears(Purchase, frozen=True, kw_only=True):
    cause: Place
    arrears_ref: Ref
    amounts: Amounts
    left: Amounts


_ARREARS: Mapping[str, Any] = {
    **A_PURCHASE,
    "cause": {"topic": "agency", "lane": 3, "offset": 97},
    "arrears_ref": "QK-2021-0007",
    "amounts": {"310100": "7748700.00"},
}


@kind("arrears.noted", family="direct-pay", key="provider", rules=(rules.not_negative("amounts", "left"),))
class ArrearsNoted(OfArrears, frozen=True, kw_only=True):
    """Arrears are in the register. Books 9003 / 9903. Source: S1, c.4."""

    since: Day

    example: ClassVar[Mapping[str, Any]] = {**_ARREARS, "left": {"310100": "7748700.00"}, "since": "2020-06-30"}


@kind("arrears.lowered", family="direct-pay", key="provider", rules=(rules.not_negative("amounts", "left"),))
class ArrearsLowered(OfArrears, frozen=True, kw_only=True):
    """So much of them is cleared. Books 9903 / 9003. Source: S1, c.4."""

    cleared_on: Day

    example: ClassVar[Mapping[str, Any]] = {**_ARREARS, "left": {}, "cleared_on": "2026-12-30"}
