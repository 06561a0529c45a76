"""Facts from audit and supervision: findings and their appeals, final deductions, holds, recoveries, fines.

A finding has no effect until it is decided; a hold leaves the money owed; a recovery takes back what was paid. Whatever
has to be judged against what was decided before is booked by the decision that answers it, not by the fact. Source:
domain.md R1.3, R6, c.2 (4, 5, 15-17, 60-62).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from medfund import money
from medfund.events import rules
from medfund.events.bank import BankAccount
from medfund.events.dimensions import OfProvider
from medfund.events.fields import (
    Amounts,
    Area,
    Count,
    Day,
    Digest,
    HashRef,
    PayableRef,
    Provider,
    Ref,
    Text,
    Words,
)
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason, quoted

Stage: TypeAlias = Literal["RULES", "FIRST", "SECOND", "FINAL"]
"""Where an audit stands: review by rules (智能审核), then 初审, 复审 and 终审 (R1.3)."""
Ground: TypeAlias = Literal["RULE", "SAMPLE", "PERSON", "TRACE_CODE"]
"""Why a finding was raised: a rule, a sample that is extrapolated, a suspended person, a trace code sold twice."""


class OfFinding(Event, frozen=True, kw_only=True):
    """Something that happened to one finding of one batch."""

    area: Area
    provider: Provider
    batch: PayableRef
    finding_ref: Ref


_FINDING: Mapping[str, Any] = {
    "area": "152500",
    "provider": "H15250200017",
    "batch": "H15250200017-310-21-202601",
    "finding_ref": "F-202601-000815",
}


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What was looked at of a claim, and what was wrong with it, by fund; the rest is taken to be alike."""

    looked_at: Amounts
    wrong: Amounts


class Trace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A trace code that two settlements claim: the hash of the code, and the settlement that sold it first.

    A split pack (拆零) may repeat its code, goods of the no-code list have none. Source: R6.6.
    """

    code: HashRef
    sold_first: HashRef
    split_pack: bool
    no_code_list: bool


def _what_it_rests_on(event: "AuditFindingRaised") -> Problem | None:
    needed = {"RULE": (), "SAMPLE": ("sample",), "PERSON": ("staff_ref",), "TRACE_CODE": ("trace",)}[event.ground]
    for name in ("sample", "staff_ref", "trace"):
        given = getattr(event, name) is not None
        if given and name not in needed:
            return Problem(Reason.UNKNOWN_FIELD, f"$.{name}: a finding of ground {event.ground} does not have it")
        if not given and name in needed:
            return Problem(Reason.MISSING_FIELD, f"$.{name} is missing: a finding of ground {event.ground} has it")
    if (event.settlement_ref is None) != (event.ground == "SAMPLE"):
        return Problem(Reason.BAD_CODE, "$.settlement_ref: every finding but a sample's is about one settlement")
    return None


def _sample_is_sound(event: "AuditFindingRaised") -> Problem | None:
    if event.sample is None:
        return None
    if event.amounts:
        return Problem(Reason.BAD_AMOUNT, "$.amounts: a sample's amounts follow from it, and must be empty")
    for fund, wrong in event.sample.wrong.items():
        looked_at = event.sample.looked_at.get(fund, "0.00")
        if not 0 <= money.fen(wrong) <= money.fen(looked_at):
            return Problem(Reason.BAD_AMOUNT, f"$.sample.wrong[{quoted(fund)}]: {wrong} of {looked_at} looked at")
    return None


@kind(
    "audit.finding.raised",
    family="reviews",
    key="provider",
    rules=(rules.not_negative("amounts"), _what_it_rests_on, _sample_is_sound),
)
class AuditFindingRaised(OfFinding, frozen=True, kw_only=True):
    """A review doubts one line of one settlement: so much of it, by fund, should not be paid.

    No money moves until `audit.deduction.finalised`. Two findings on one `line_ref` count once, the larger one. A
    finding of ground SAMPLE names no settlement: what was wrong with a sample is extrapolated to the claim. `staff_ref`
    is a staff code, never a citizen's. Source: R1.3, R6.5, R6.6, R10, c.2 (15).
    """

    stage: Stage
    rule_code: Ref
    amounts: Amounts
    ground: Ground = "RULE"
    settlement_ref: HashRef | None = None
    line_ref: Ref | None = None
    staff_ref: Ref | None = None
    sample: Sample | None = None
    trace: Trace | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_FINDING,
        "stage": "FIRST",
        "rule_code": "R-0117",
        "amounts": {"310100": "412.30"},
        "settlement_ref": "9f2c6a0de3b14785a1c05e7739d84bf2",
        "line_ref": "3",
    }


@kind("audit.finding.reviewed", family="reviews", key="provider", rules=(rules.not_negative("amounts"),))
class AuditFindingReviewed(OfFinding, frozen=True, kw_only=True):
    """A later stage looked at a finding again: `amounts` are what remains of it; nothing where it was dropped.

    Source: R1.3.
    """

    stage: Stage
    amounts: Amounts

    example: ClassVar[Mapping[str, Any]] = {**_FINDING, "stage": "SECOND", "amounts": {"310100": "380.00"}}


@kind("audit.appeal.filed", family="reviews", key="provider")
class AuditAppealFiled(OfFinding, frozen=True, kw_only=True):
    """A provider contests a finding (核实申诉); `appeal_ref` is its own number of that. Source: R1.3, c.2 (16)."""

    reason: Text
    appeal_ref: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {**_FINDING, "reason": "项目与病程记录一致", "appeal_ref": "SS-2026-0031"}


@kind("audit.appeal.decided", family="reviews", key="provider", rules=(rules.not_negative("upheld"),))
class AuditAppealDecided(OfFinding, frozen=True, kw_only=True):
    """What an appeal gives back of a finding, by fund; nothing where it was turned down.

    After the claim was approved, what was deducted is undone and paid. Source: R1.3, c.2 (16), edge case 18.
    """

    upheld: Amounts
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {**_FINDING, "upheld": {"310100": "120.00"}, "reason": "部分采纳"}


@kind("audit.stage.completed", family="reviews", key="provider")
class AuditStageCompleted(Event, frozen=True, kw_only=True):
    """A stage has looked at everything that it has to look at in some batches: `rows` doubtful rows. Source: R1.3."""

    area: Area
    provider: Provider
    batches: list[PayableRef]
    stage: Stage
    rows: Count

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "batches": ["H15250200017-310-21-202601"],
        "stage": "FIRST",
        "rows": 41,
    }


@kind(
    "audit.deduction.finalised",
    family="reviews",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.advanced_in("amounts")),
)
class AuditDeductionFinalised(OfProvider, frozen=True, kw_only=True):
    """What audit takes off claims that are in review, after appeals: one list for the batches it names.

    `amounts` are the sums by fund, `list_hash` the SHA-256 of the list of deductions. Where findings were raised for
    these batches, the sums must be what the findings come to. Books nothing: `claim.deducted` does. Source: R1.3, c.4.
    """

    batches: list[PayableRef]
    amounts: Amounts
    list_hash: Digest

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "insured_area": "152500",
        "insutype": "310",
        "clr_type": "21",
        "benefit_year": 2026,
        "advanced": [],
        "batches": ["H15250200017-310-21-202601"],
        "amounts": {"310100": "29230.55"},
        "list_hash": "5d1f3e0b7a9c48265b0f1e2d3c4a59687f8e9dacbb1a2c3d4e5f60718293a4b5",
    }


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
