"""Prepayments: who asks for one, what was granted, and what became of it, as facts and as decisions.

What stays true: a prepayment is of one provider, one fund and one kind; its name is on everything that is said of it.
ANNUAL and MONTHLY are booked in 1101, BULK (集采) in 1102. Source: domain.md R2, c.2 (28-34), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from medfund.events import rules
from medfund.events.bank import BankAccount, LeftFrom
from medfund.events.dimensions import A_DECISION, Decision
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    Count,
    Day,
    Digest,
    Fund,
    Insutype,
    PayableRef,
    PaymentRef,
    Provider,
    Ratio,
    Ref,
    Text,
    Words,
    Year,
)
from medfund.events.kinds import Event, Place, Rule, kind
from medfund.events.refusals import Problem, Reason

PrepaymentKind: TypeAlias = Literal["ANNUAL", "MONTHLY", "BULK"]
Grade: TypeAlias = Literal["A", "B", "C", "D"]
GateReason: TypeAlias = Literal["TOO_FEW_MONTHS", "DEFICIT_LAST_YEAR", "DEFICIT_AHEAD"]

RefusalCode: TypeAlias = Literal[
    "GATE", "TOO_LATE", "TWICE", "BLOCKED", "AGREEMENT", "AGREEMENT_TOO_NEW", "MERGED", "SPLIT", "MOVED", "BREACH",
    "NOT_ASSESSED", "ASSESSMENT_FAILED", "GRADE", "DOCUMENTS", "OPEN_BEFORE", "TOO_LITTLE", "UNKNOWN_FUND",
    "NO_CALENDAR", "INSUTYPE",
]  # fmt: skip

_NAME = "H15250200017/YF-2026/310100"


def _not_negative(*names: str) -> Rule:
    def check(event: Event) -> Problem | None:
        for name in names:
            if getattr(event, name).startswith("-"):
                return Problem(Reason.BAD_AMOUNT, f"$.{name}: {getattr(event, name)} must not be negative")
        return None

    return check


# -- facts


@kind("prepayment.applied", family="prepayments", key="provider")
class PrepaymentApplied(Event, frozen=True, kw_only=True):
    """A provider asks for prepayments of a year, for drugs and consumables alone; each fund is judged by itself.

    Each fund is one that bears the insurance type, or is refused. `documents` are references to its promises (no frozen
    assets, able to repay). A BULK one names the purchase
    contract, its day, and what was agreed for a year, by fund. Source: R2.2, R2.4, R2.6, c.2 (29).
    """

    area: Area
    provider: Provider
    insutype: Insutype
    prepayment_kind: PrepaymentKind
    year: Year
    funds: list[Fund]
    documents: list[Ref]
    applied_on: Day
    contract_ref: Ref | None = None
    contracted_on: Day | None = None
    agreed: Amounts | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "insutype": "310",
        "prepayment_kind": "ANNUAL",
        "year": 2026,
        "funds": ["310100"],
        "documents": ["promise-assets-2026", "promise-use-2026"],
        "applied_on": "2026-01-06",
    }


@kind("prepayment.granted", family="agency", key="provider", rules=(_not_negative("base", "amount"),))
class PrepaymentGranted(Event, frozen=True, kw_only=True):
    """What an approved plan gives one provider from one fund; `prepayment.approved` says that it holds.

    `base` is the mean of the monthly fund settlements of `months` months, `ratio` that of the credit grade. A later
    plan that refers to this one gives the whole new amount, and nothing where nothing changes. `approvers` are two
    people, of the agency and of the finance department. Source: R2.3, R2.4, c.2 (30).
    """

    plan_ref: Ref
    plan_hash: Digest
    area: Area
    provider: Provider
    prepayment_ref: PayableRef
    prepayment_kind: PrepaymentKind
    year: Year
    fund: Fund
    base: Amount
    months: Count
    ratio: Ratio
    amount: Amount
    approvers: list[Ref]
    granted_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "plan_ref": "YF-152500-2026-1",
        "plan_hash": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
        "area": "152500",
        "provider": "H15250200017",
        "prepayment_ref": _NAME,
        "prepayment_kind": "ANNUAL",
        "year": 2026,
        "fund": "310100",
        "base": "10704732.42",
        "months": 12,
        "ratio": "0.9",
        "amount": "9634259.18",
        "approvers": ["staff-7c41", "staff-02e9"],
        "granted_on": "2026-02-03",
    }


@kind("prepayment.purchases.reported", family="prepayments", key="provider", rules=(rules.not_negative("purchased"),))
class PrepaymentPurchasesReported(Event, frozen=True, kw_only=True):
    """How much of a contract was purchased so far, by fund: a BULK prepayment is taken back along it. Source: R2.6."""

    area: Area
    provider: Provider
    contract_ref: Ref
    reported_on: Day
    purchased: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "contract_ref": "JC-2026-0017",
        "reported_on": "2026-03-31",
        "purchased": {"310100": "1000000.00"},
    }


@kind("prepayment.recall.ordered", family="agency", key="provider")
class PrepaymentRecallOrdered(Event, frozen=True, kw_only=True):
    """The agency wants a prepayment back before its time, and why. `prepayment.recalled` says that it is due.

    Source: R2.2, R2.4, edge case 50, c.2 (32).
    """

    area: Area
    provider: Provider
    prepayment_ref: PayableRef
    code: Literal["MISUSE", "AGREEMENT", "GATE_LOST", "OTHER"]
    reason: Text
    staff_ref: Ref
    ordered_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "prepayment_ref": _NAME,
        "code": "MISUSE",
        "reason": "挪用于基建",
        "staff_ref": "staff-7c41",
        "ordered_on": "2026-06-11",
    }


@kind("bank.prepayment.repaid", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankPrepaymentRepaid(Event, frozen=True, kw_only=True):
    """A provider paid a prepayment back in cash: the bank names it, or it was found in suspense (2190), as item
    `found_in` of the bank account `found_on`. Source: R2.4, c.2 (33), c.4."""

    area: Area
    provider: Provider
    prepayment_ref: PayableRef
    bank_account: LeftFrom
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    booked_on: Day | None = None
    found_in: Ref | None = None
    found_on: BankAccount | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "prepayment_ref": _NAME,
        "bank_account": "1002",
        "bank_txn": "202612280000017",
        "value_date": "2026-12-28",
        "amounts": {"310100": "634259.18"},
    }


# -- decisions


@kind("prepayment.gate.evaluated", family="clearing", key="lane")
class PrepaymentGateEvaluated(Event, frozen=True, kw_only=True):
    """Whether a fund of an area can bear prepayments, and why not: on its figures, under a policy. Every lane tells.
    Books nothing.

    `months` is how many months of expenditure the surplus covers, for people; what was compared is exact. Source: R2.1,
    c.2 (28).
    """

    area: Area
    cause: Place
    policy_ref: Digest
    fund: Fund
    as_of: Day
    months: str
    allowed: bool
    reasons: list[GateReason]

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "cause": {"topic": "agency", "lane": 3, "offset": 91},
        "policy_ref": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
        "fund": "390100",
        "as_of": "2025-12-31",
        "months": "5.5537",
        "allowed": False,
        "reasons": ["TOO_FEW_MONTHS"],
    }


_DECISION: Mapping[str, Any] = {
    **A_DECISION,
    "clr_type": "YF",
    "cause": {"topic": "prepayments", "lane": 3, "offset": 12},
    "prepayment_ref": _NAME,
    "prepayment_kind": "ANNUAL",
    "day": "2026-03-02",
}
_RULES = (rules.not_negative("amounts"),)


class OfPrepayment(Decision, frozen=True, kw_only=True):
    """Something that happened to one prepayment. `day` is the one that was open."""

    prepayment_ref: PayableRef
    prepayment_kind: PrepaymentKind
    day: Day | None = None


@kind("prepayment.checked", family="clearing", key="provider")
class PrepaymentChecked(OfPrepayment, frozen=True, kw_only=True):
    """A provider may have a prepayment from a fund: the next plan of the area considers it. Books nothing.

    `grade` is its credit grade, which decides the ratio; `pay_by` the day until which it is to be paid. Source: R2.2,
    R2.4, R2.6.
    """

    fund: Fund
    grade: Grade
    contract_ref: Ref | None = None
    agreed: Amount | None = None
    pay_by: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "fund": "310100", "grade": "B", "pay_by": "2026-03-31"}


@kind("prepayment.refused", family="clearing", key="provider")
class PrepaymentRefused(OfPrepayment, frozen=True, kw_only=True):
    """A provider gets no prepayment from a fund, and why. Books nothing. Source: R2.1, R2.2, R2.4, c.2 (30)."""

    fund: Fund
    code: RefusalCode
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "prepayment_ref": "H15250200017/YF-2026/390100",
        "fund": "390100",
        "code": "GATE",
        "detail": "fund 390100 has 5.5537 months of surplus, and 6 are needed",
    }


@kind("prepayment.purchases.noted", family="clearing", key="provider")
class PrepaymentPurchasesNoted(OfPrepayment, frozen=True, kw_only=True):
    """How much was purchased of what a BULK prepayment was given for; it is due in proportion. Source: R2.6."""

    purchased: Amount

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "prepayment_ref": "H15250200017/JC-JC-2026-0017/310100",
        "prepayment_kind": "BULK",
        "purchased": "1000000.00",
    }


@kind("prepayment.approved", family="clearing", key="provider", rules=_RULES)
class PrepaymentApproved(OfPrepayment, frozen=True, kw_only=True):
    """A prepayment is granted, and is ordered to be paid. Books nothing: the bank's confirmation does.

    Source: R2.3, c.2 (30).
    """

    plan_ref: Ref
    base: Amount
    ratio: Ratio
    amounts: Amounts
    approvers: list[Ref]

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "plan_ref": "YF-152500-2026-1",
        "base": "10704732.42",
        "ratio": "0.9",
        "amounts": {"310100": "9634259.18"},
        "approvers": ["staff-7c41", "staff-02e9"],
    }


@kind("prepayment.adjusted", family="clearing", key="provider")
class PrepaymentAdjusted(OfPrepayment, frozen=True, kw_only=True):
    """A later plan gives another amount: `delta` by fund is what it is more, or less. What is less than was paid is due
    at once. Books nothing. Source: R2.4, c.2 (32)."""

    plan_ref: Ref
    amounts: Amounts
    delta: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "plan_ref": "YF-152500-2026-2",
        "amounts": {"310100": "9000000.00"},
        "delta": {"310100": "-634259.18"},
    }


@kind("prepayment.disbursed", family="clearing", key="provider", rules=_RULES)
class PrepaymentDisbursed(OfPrepayment, frozen=True, kw_only=True):
    """The bank paid it: from now on it exists. Books nothing beside its `payment.settled`. Source: c.2 (31), c.4."""

    payment_ref: PaymentRef
    value_date: Day
    amounts: Amounts
    outstanding: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "payment_ref": f"{_NAME}/P1/310100",
        "value_date": "2026-02-27",
        "amounts": {"310100": "9634259.18"},
        "outstanding": {"310100": "9634259.18"},
    }


@kind("prepayment.recalled", family="clearing", key="provider", rules=_RULES)
class PrepaymentRecalled(OfPrepayment, frozen=True, kw_only=True):
    """All that is open of it is due at once: it is taken from whatever the provider is paid next in the fund, or is
    paid back. Books nothing. Source: R2.4, R6.4, c.2 (32), edge cases 42, 49, 50.
    """

    code: Literal["MISUSE", "AGREEMENT", "GATE_LOST", "OTHER"]
    reason: Text
    amounts: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "code": "MISUSE",
        "reason": "挪用于基建",
        "amounts": {"310100": "9634259.18"},
    }


@kind("prepayment.returned", family="clearing", key="provider", rules=_RULES)
class PrepaymentReturned(OfPrepayment, frozen=True, kw_only=True):
    """A provider paid back in cash. Books 1002 / 1101 (1102). Source: R2.4, c.2 (33), c.4.

    `early` is what of it was not due yet: it lowers the last parts of the schedule (R10).
    """

    bank_account: LeftFrom
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    outstanding: Amounts
    early: Amounts | None = None
    booked_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "bank_account": "1002",
        "bank_txn": "202612280000017",
        "value_date": "2026-12-28",
        "amounts": {"310100": "634259.18"},
        "outstanding": {},
    }


@kind("prepayment.cleared", family="clearing", key="provider")
class PrepaymentCleared(OfPrepayment, frozen=True, kw_only=True):
    """Nothing of it is open at the end of its year, or what was overdue has come; of a bulk purchase, all of what was
    given is back. Books nothing. Source: R2.4, R2.6."""

    on: Day

    example: ClassVar[Mapping[str, Any]] = {**_DECISION, "on": "2026-12-31"}


@kind("prepayment.overdue", family="clearing", key="provider", rules=_RULES)
class PrepaymentOverdue(OfPrepayment, frozen=True, kw_only=True):
    """It was not all returned by the end of its year: no grant in `blocks_year`, and all of it is due.

    Books nothing. Source: R2.4, c.2 (34), edge case 45.
    """

    on: Day
    blocks_year: Year
    amounts: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "on": "2026-12-31",
        "blocks_year": 2027,
        "amounts": {"310100": "634259.18"},
    }
