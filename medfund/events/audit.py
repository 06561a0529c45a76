"""Audit: findings and their appeals, the final deductions, and what becomes of them.

A finding has no effect until it is decided. Whatever has to be judged against what was decided before is booked by the
decision that answers it, not by the fact. Source: domain.md R1.3, c.2 (4, 5, 15-17), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from medfund import money
from medfund.events import rules
from medfund.events.dimensions import A_BATCH, A_DECISION, Decision, OfProvider
from medfund.events.fields import Amounts, Area, Count, Digest, HashRef, PayableRef, Provider, Ref, Text
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


class Deduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What one finding takes off, by fund, after all: nothing where another one on the same line takes more."""

    batch: PayableRef
    finding_ref: Ref
    rule_code: Ref
    amounts: Amounts
    settlement_ref: HashRef | None = None


@kind(
    "claim.deducted",
    family="clearing",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.advanced_in("amounts")),
)
class ClaimDeducted(Decision, frozen=True, kw_only=True):
    """What audit finally takes off the claims of `batches`, by fund, and which findings say so.

    A deduction is never more than that settlement's amount of that fund. A long list is several events. Books
    2101 / 5001 (visitor 1106, other payer 1110). Source: R1.3, R10, c.2 (17), c.4.
    """

    payable_ref: PayableRef
    batches: list[PayableRef]
    amounts: Amounts
    deductions: list[Deduction]
    list_hash: Digest

    example: ClassVar[Mapping[str, Any]] = {
        **A_DECISION,
        "cause": {"topic": "reviews", "lane": 3, "offset": 5120},
        "payable_ref": A_BATCH,
        "batches": [A_BATCH],
        "amounts": {"310100": "29230.55"},
        "deductions": [
            {
                "batch": A_BATCH,
                "finding_ref": "F-202601-000815",
                "rule_code": "R-0117",
                "settlement_ref": "9f2c6a0de3b14785a1c05e7739d84bf2",
                "amounts": {"310100": "29230.55"},
            }
        ],
        "list_hash": "5d1f3e0b7a9c48265b0f1e2d3c4a59687f8e9dacbb1a2c3d4e5f60718293a4b5",
    }


@kind(
    "audit.deduction.undone",
    family="clearing",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.advanced_in("amounts")),
)
class AuditDeductionUndone(Decision, frozen=True, kw_only=True):
    """What was deducted for a finding is owed again, in `batch`: the batch of a reversal of its settlement, so that it
    is not taken twice, or the claim's own after an appeal. `of_batch` is the batch that the finding is of, `after` what
    it was undone for, and `appeal_ref` the provider's number of that appeal, which may be against another finding on
    the line. What was undone before this was told has neither. Books 5001 (1106, 1110) / 2101. Source: R1.3, c.2 (66),
    c.4.
    """

    batch: PayableRef
    of_batch: PayableRef
    finding_ref: Ref
    amounts: Amounts
    after: Literal["APPEAL", "REVERSAL"] | None = None
    appeal_ref: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **A_DECISION,
        "batch": "H15250200017-310-21-202602",
        "of_batch": A_BATCH,
        "finding_ref": "F-202601-000815",
        "amounts": {"310100": "412.30"},
    }


class Appeal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An appeal against a finding: the provider's number and reason, what the finding took off when it was filed, and,
    once it is answered, what was upheld and why. What was filed before this was told has neither number nor reason."""

    contested: Amounts
    appeal_ref: Ref | None = None
    reason: Text | None = None
    upheld: Amounts | None = None
    answer: Text | None = None


@kind("claim.finding.noted", family="clearing", key="provider", rules=(rules.not_negative("amounts"),))
class ClaimFindingNoted(Decision, frozen=True, kw_only=True):
    """How a finding stands: the whole new state, not the difference.

    `amounts` are what it takes off as things stand, `settlement_amounts` what the funds bear of its settlement, and so
    the most that it can take. `late`: nobody had decided it when the audit ended, and it takes nothing off; what stands
    of it in the end is a recovery. `appeal` is the one that was filed or answered with this. Books nothing.
    Source: R1.3, R10, c.2 (15, 16).
    """

    batch: PayableRef
    finding_ref: Ref
    rule_code: Ref
    ground: Ground
    stage: Stage
    status: Literal["OPEN", "APPEALED", "ANSWERED"]
    amounts: Amounts
    settlement_amounts: Amounts
    settlement_ref: HashRef | None = None
    line_ref: Ref | None = None
    late: bool | None = None
    appeal: Appeal | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **A_DECISION,
        "cause": {"topic": "reviews", "lane": 3, "offset": 4711},
        "batch": A_BATCH,
        "finding_ref": "F-202601-000815",
        "rule_code": "R-0117",
        "ground": "RULE",
        "stage": "FIRST",
        "status": "OPEN",
        "amounts": {"310100": "412.30"},
        "settlement_amounts": {"310100": "8654.21"},
        "settlement_ref": "9f2c6a0de3b14785a1c05e7739d84bf2",
        "line_ref": "3",
        "appeal": {
            "contested": {"310100": "412.30"},
            "appeal_ref": "SS-2026-0031",
            "reason": "项目与病程记录一致",
            "upheld": {"310100": "120.00"},
            "answer": "部分采纳",
        },
    }
