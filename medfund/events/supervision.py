"""Supervision: agreements, holds, recoveries and fines.

A hold leaves the money owed; a recovery takes back what was paid. Whatever has to be judged against what was decided
before is booked by the decision that answers it, not by the fact. Source: domain.md R6, c.2 (60-62), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from medfund.events import rules
from medfund.events.bank import BankAccount
from medfund.events.dimensions import A_BATCH, A_DECISION, Decision, OfProvider
from medfund.events.fields import Amounts, Area, Count, Day, HashRef, PayableRef, Provider, Ref, Text, Words
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason


class Hold(OfProvider, frozen=True, kw_only=True):
    """What a hold stops or sets free: an amount by fund of a payable, approved (2102) or of a clearing (2104)."""

    hold_ref: Ref
    payable_ref: PayableRef
    account: Literal["2102", "2104"]
    amounts: Amounts
    reason: Text


_RULES = (rules.not_negative("amounts"), rules.advanced_in("amounts"))


_HOLD: Mapping[str, Any] = {
    "provider": "H15250200017",
    "area": "152500",
    "insured_area": "152500",
    "insutype": "390",
    "clr_type": "21",
    "benefit_year": 2026,
    "advanced": [],
    "hold_ref": "case-2026-0042",
    "payable_ref": "H15250200017-390-21-202602",
    "account": "2102",
    "amounts": {"390100": "500000.00"},
}


@kind("payment.hold.placed", family="reviews", key="provider", rules=_RULES)
class PaymentHoldPlaced(Hold, frozen=True, kw_only=True):
    """A payable is not to be paid for the time being, and stays owed. Books nothing: `claim.payable.held` does.

    A hold on a claim that is in review holds what is approved of it. Source: R6, R6.1, c.2 (60).
    """

    held_from: Day

    example: ClassVar[Mapping[str, Any]] = {**_HOLD, "reason": "条例第三十条：涉嫌骗保", "held_from": "2026-03-26"}


@kind("payment.hold.released", family="reviews", key="provider", rules=_RULES)
class PaymentHoldReleased(Hold, frozen=True, kw_only=True):
    """A held amount may be paid again, in full and without interest. Books nothing: `claim.payable.released` does.

    Source: R6, c.2 (60).
    """

    released_on: Day

    example: ClassVar[Mapping[str, Any]] = {**_HOLD, "reason": "经查未发现骗保行为", "released_on": "2026-03-30"}


@kind("provider.agreement.changed", family="reviews", key="provider")
class ProviderAgreementChanged(Event, frozen=True, kw_only=True):
    """The agreement with a provider was signed, suspended, resumed or terminated, from `effective_from` on.

    A suspension may name its last day, which is inside it. Services while an agreement is suspended or terminated are
    not payable, earlier ones are. A provider of which no agreement is known is taken to have one. Source: R6.4, R10,
    c.2 (4).
    """

    area: Area
    provider: Provider
    status: Literal["SIGNED", "SUSPENDED", "RESUMED", "TERMINATED"]
    effective_from: Day
    reason: Text
    doc_ref: Ref
    effective_to: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "status": "SUSPENDED",
        "effective_from": "2026-03-10",
        "effective_to": "2026-04-08",
        "reason": "中止医保服务协议",
        "doc_ref": "XYBF-2026-0031",
    }


@kind("person.qualification.changed", family="reviews", key="provider")
class PersonQualificationChanged(Event, frozen=True, kw_only=True):
    """Somebody's payment qualification is suspended, both days inside; without a last day until it is changed again.

    `staff_ref` is a staff code. The same `suspended_from` again replaces what was said of it; a last day before it
    takes the suspension back. Source: R6.5, R10, c.2 (5).
    """

    area: Area
    provider: Provider
    staff_ref: Ref
    suspended_from: Day
    points: Count
    suspended_to: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "staff_ref": "HY152500000123",
        "suspended_from": "2026-01-10",
        "suspended_to": "2026-02-09",
        "points": 9,
    }


class Recovery(OfProvider, frozen=True, kw_only=True):
    """Something about money that a provider has to give back: a case of supervision, amounts by fund."""

    case_ref: PayableRef
    amounts: Amounts


_RECOVERY: Mapping[str, Any] = {
    "provider": "H15250200017",
    "area": "152500",
    "insured_area": "152500",
    "insutype": "310",
    "clr_type": "21",
    "benefit_year": 2026,
    "advanced": [],
    "case_ref": "case-2026-0017",
    "amounts": {"310100": "219947.40"},
}


CASE_MAX = 50
"""So that the names of its payments, which are made of it, are references too."""


def _short_case(event: "RecoveryDecided") -> Problem | None:
    if len(event.case_ref) <= CASE_MAX:
        return None
    return Problem(Reason.BAD_CODE, f"$.case_ref: {len(event.case_ref)} characters, at most {CASE_MAX} are allowed")


@kind("recovery.decided", family="reviews", key="provider", rules=(_short_case, *_RULES))
class RecoveryDecided(Recovery, frozen=True, kw_only=True):
    """What was paid wrongly is to be given back: final, and taken from the next payables where it is not paid in cash.

    A `benefit_year` before that of `decided_on` is a prior year's. SELF_REPORTED (自查自纠) bears no fine. Books
    nothing: `recovery.opened` does. Source: R6, R6.2, R6.3, c.2 (61).
    """

    decided_on: Day
    origin: Literal["INSPECTION", "AUDIT", "REPORT", "TRACE_CODE", "SELF_REPORTED"]
    reason: Text
    settlement_ref: HashRef | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_RECOVERY,
        "decided_on": "2026-02-27",
        "origin": "INSPECTION",
        "reason": "飞行检查：重复收费",
    }


@kind("recovery.received", family="reviews", key="provider", rules=_RULES)
class RecoveryReceived(Recovery, frozen=True, kw_only=True):
    """Money of a recovery came to the fiscal special account (条例 art. 45), or was found in suspense (2190), as item
    `found_in` of the bank account `found_on`.

    Books nothing: `recovery.settled` does.

    Source: R6, c.2 (61).
    """

    bank_txn: Words
    value_date: Day
    bank_account: Literal["1003", "2190"] = "1003"
    booked_on: Day | None = None
    found_in: Ref | None = None
    found_on: BankAccount | None = None

    example: ClassVar[Mapping[str, Any]] = {**_RECOVERY, "bank_txn": "202603050000217", "value_date": "2026-03-05"}


@kind("bank.recovery.repaid", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankRecoveryRepaid(Event, frozen=True, kw_only=True):
    """Money that was found in suspense (2190), as item `found_in` of the bank account `found_on`, was placed as that of
    a case of which nothing was known: it is in suspense again, unless the case is there by now.

    Books nothing: `recovery.settled` does, or it stays where it is. Source: c.4.
    """

    area: Area
    provider: Provider
    case_ref: PayableRef
    bank_account: Literal["2190"]
    bank_txn: Words
    value_date: Day
    amounts: Amounts
    booked_on: Day | None = None
    found_in: Ref
    found_on: BankAccount

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "case_ref": "case-2026-0071",
        "bank_account": "2190",
        "bank_txn": "202603050000631",
        "value_date": "2026-03-05",
        "amounts": {"310100": "731.05"},
        "found_in": "S-2b9c41d07e5f8a36c1e4d972",
        "found_on": "1003",
    }


@kind("recovery.appeal.upheld", family="reviews", key="provider", rules=_RULES)
class RecoveryAppealUpheld(Recovery, frozen=True, kw_only=True):
    """A recovery, or a part of it, was wrong: it ends, and what was taken is paid back. Books nothing:
    `recovery.reversed` does. Source: R6.7, c.2 (61)."""

    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_RECOVERY,
        "amounts": {"310100": "19947.40"},
        "reason": "行政复议：部分撤销",
    }


@kind("fine.noted", family="reviews", key="provider", rules=_RULES)
class FineNoted(Recovery, frozen=True, kw_only=True):
    """A fine, which goes to the treasury and never into the fund: a memo alone, 9001 / 9901. Source: R6, c.2 (62)."""

    treasury_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        **_RECOVERY,
        "amounts": {"310100": "439894.80"},
        "treasury_ref": "FM-2026-00412",
    }


class PayableHold(Decision, frozen=True, kw_only=True):
    """What a hold stops of an approved payable, or sets free again, by fund; `account` is 2104 where it is of a
    clearing."""

    hold_ref: Ref
    payable_ref: PayableRef
    amounts: Amounts
    account: Literal["2102", "2104"] | UnsetType = UNSET


_HELD: Mapping[str, Any] = {
    **A_DECISION,
    "cause": {"topic": "reviews", "lane": 3, "offset": 5200},
    "hold_ref": "case-2026-0042",
    "payable_ref": A_BATCH,
    "amounts": {"310100": "500000.00"},
}


@kind(
    "claim.payable.held",
    family="clearing",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.not_negative("to_come"), rules.advanced_in("amounts")),
)
class ClaimPayableHeld(PayableHold, frozen=True, kw_only=True):
    """A payable is held, and stays owed; `to_come` is what will be held of a claim that is still in review.

    Books 2102, or 2104, / 2108. Source: R6.1, c.4.
    """

    to_come: Amounts
    reason: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {**_HELD, "to_come": {}, "reason": "条例第三十条：涉嫌骗保"}


@kind(
    "claim.payable.released",
    family="clearing",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.not_negative("to_come"), rules.advanced_in("amounts")),
)
class ClaimPayableReleased(PayableHold, frozen=True, kw_only=True):
    """A held payable may be paid: books 2108 / 2102, or 2104. `to_come` will not be held any more. Source: R6, c.4."""

    to_come: Amounts

    example: ClassVar[Mapping[str, Any]] = {**_HELD, "to_come": {}}


RecoveryYear: TypeAlias = Literal["CURRENT", "PRIOR"]
"""Whether a recovery takes back the expense of the year in which it was decided, or an earlier one's (R6.2)."""


class OfRecovery(Decision, frozen=True, kw_only=True):
    """Something about one recovery, by fund."""

    case_ref: PayableRef
    recovery_year: RecoveryYear
    amounts: Amounts


_OPENED: Mapping[str, Any] = {
    **A_DECISION,
    "cause": {"topic": "reviews", "lane": 3, "offset": 5301},
    "case_ref": "case-2026-0017",
    "recovery_year": "CURRENT",
    "amounts": {"310100": "219947.40"},
}


_RECOVERY_RULES = (rules.not_negative("amounts"), rules.advanced_in("amounts"))


@kind("recovery.opened", family="clearing", key="provider", rules=_RECOVERY_RULES)
class RecoveryOpened(OfRecovery, frozen=True, kw_only=True):
    """A provider owes what it has to give back. Books 1107 / 5001, 4001 for a prior year, 1106 or 1110 for a visitor or
    another payer. Source: R6, R6.2, c.2 (61), c.4."""

    decided_on: Day
    settlement_ref: HashRef | None = None
    reason: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {**_OPENED, "decided_on": "2026-02-27", "reason": "飞行检查：重复收费"}


@kind("recovery.settled", family="clearing", key="provider", rules=_RECOVERY_RULES)
class RecoverySettled(OfRecovery, frozen=True, kw_only=True):
    """A recovery, or a part of it, was paid in cash into the fiscal special account, or found in suspense.

    Books 1003, or 2190, / 1107. Source: c.4.
    """

    bank_txn: Words
    value_date: Day
    bank_account: Literal["1003", "2190"] = "1003"
    booked_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {**_OPENED, "bank_txn": "202603050000217", "value_date": "2026-03-05"}


@kind(
    "recovery.reversed",
    family="clearing",
    key="provider",
    rules=(
        rules.not_negative("amounts", "to_open", "to_payable"),
        rules.sums("amounts", "to_open", "to_payable"),
        rules.advanced_in("amounts"),
    ),
)
class RecoveryReversed(OfRecovery, frozen=True, kw_only=True):
    """A recovery, or a part of it, was wrong: `to_open` was still owed, `to_payable` was taken and is owed back.

    Books 5001 (4001, 1106, 1110) / 1107 and 2102. Source: R6.7, c.4.
    """

    to_open: Amounts
    to_payable: Amounts
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_OPENED,
        "amounts": {"310100": "19947.40"},
        "to_open": {"310100": "10000.00"},
        "to_payable": {"310100": "9947.40"},
        "reason": "行政复议：部分撤销",
    }
