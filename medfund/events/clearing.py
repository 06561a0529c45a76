"""Decisions about what a provider is owed and paid: claim batches, payments, offsets.

What stays true: each carries every amount, dimension and reference that its posting needs, in both books; amounts are
per fund and funds are never netted against each other. Source: domain.md R1, R3.6, c.2 (11-24), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from medfund import money
from medfund.events import rules
from medfund.events.dimensions import Decision, InstantStat
from medfund.events.fields import (
    Amounts,
    Area,
    ClrWay,
    Count,
    Day,
    Digest,
    Fund,
    HashRef,
    PayableRef,
    Provider,
    Ratio,
    Ref,
    Text,
    Words,
)
from medfund.events.kinds import Event, Place, kind
from medfund.events.refusals import Problem, Reason, quoted
from medfund.events.reviews import Ground, Stage

_DECISION: Mapping[str, Any] = {
    "provider": "H15250200017",
    "area": "152500",
    "insured_area": "152500",
    "insutype": "310",
    "clr_type": "21",
    "benefit_year": 2026,
    "advanced": [],
    "cause": {"topic": "claims", "lane": 3, "offset": 1048576},
    "policy_ref": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
}
_BATCH = "H15250200017-310-21-202601"


class ClaimBatch(Decision, frozen=True, kw_only=True):
    """A closed set of settlements that a provider claims together; `amounts` are what was claimed, by fund.

    An amount may be negative, when reversals outweigh settlements. `settlement_root` is the root hash of the list.
    """

    batch: PayableRef
    clr_way: ClrWay
    period_from: Day
    period_to: Day
    settlements: Count
    settlement_root: Digest
    amounts: Amounts


_CLAIM: Mapping[str, Any] = {
    **_DECISION,
    "batch": _BATCH,
    "clr_way": "3",
    "period_from": "2026-01-01",
    "period_to": "2026-01-31",
    "settlements": 4211,
    "settlement_root": "a3f1c5d7e9b20416283a4c5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708193",
    "amounts": {"310100": "2100000.37", "310200": "456789.12"},
}


class Besides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A live batch of the same dimensions and days: what it holds is not in this one."""

    batch: PayableRef
    period_from: Day
    period_to: Day
    before: Count
    """Its settlements stand before this offset of the lane's claims."""


@kind(
    "claim.batch.accepted",
    family="clearing",
    key="provider",
    rules=(
        rules.in_order("period_from", "period_to"),
        rules.in_order("cut_off", "clock_start"),
        rules.in_order("due_15", "due_20"),
        rules.advanced_in("amounts"),
    ),
)
class ClaimBatchAccepted(ClaimBatch, frozen=True, kw_only=True):
    """A batch passed the hard checks, and its clock runs from the day after `cut_off`.

    `due_15` and `due_20` are the 15th and the 20th working day. Where no calendar covers the span they are the first
    days that these can fall on, and `latest_15` and `latest_20` the last. What is in the batches of `besides` is not
    in this one. Books 2100 / 2101, mirrored where negative. Source: R1.2, R1.4, c.4.
    """

    cut_off: Day
    clock_start: Day
    due_15: Day
    due_20: Day
    calendar_version: Ref
    submitted_on: Day | None = None
    latest_15: Day | None = None
    latest_20: Day | None = None
    mode: Literal["MONTH", "WEEK", "DAY"] = "MONTH"
    besides: list[Besides] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_CLAIM,
        "cut_off": "2026-02-10",
        "clock_start": "2026-02-11",
        "due_15": "2026-03-09",
        "due_20": "2026-03-16",
        "calendar_version": "cn-2024-2026-30451dc4",
    }


@kind(
    "claim.batch.withdrawn",
    family="clearing",
    key="provider",
    rules=(rules.in_order("period_from", "period_to"), rules.advanced_in("amounts")),
)
class ClaimBatchWithdrawn(ClaimBatch, frozen=True, kw_only=True):
    """A batch was taken back (3204) before anything was paid or deducted: books 2101 / 2100. Source: R3.6, c.4."""

    reason: Text

    example: ClassVar[Mapping[str, Any]] = {**_CLAIM, "reason": "明细对账不符，撤回重新申报"}


class ClaimError(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One thing that is wrong with a batch; `fund` and `day` where it is an amount that differs (3202)."""

    code: Literal[
        "BATCH_KNOWN",
        "PERIOD",
        "NO_SETTLEMENTS",
        "COUNT",
        "AMOUNT",
        "ROOT",
        "TWICE",
        "DAY",
        "ADVANCED",
        "NO_POLICY",
        "NOT_ACTIVE",
    ]
    detail: Text
    fund: Fund | None = None
    day: Day | None = None


Target: TypeAlias = Literal["WD_15", "WD_20", "MONTH_END"]
"""What a claim is to be paid by: 15 or 20 working days after its cut-off, or the end of the month after its period."""


class ClaimDeadline(Decision, frozen=True, kw_only=True):
    """Something about one of the days that a claim has to be paid by. Books nothing."""

    batch: PayableRef
    target: Target
    due: Day


_DEADLINE: Mapping[str, Any] = {
    **_DECISION,
    "cause": {"topic": "time", "lane": 3, "offset": 66},
    "batch": _BATCH,
    "target": "WD_15",
    "due": "2026-03-09",
}


@kind("claim.deadline.approaching", family="clearing", key="provider")
class ClaimDeadlineApproaching(ClaimDeadline, frozen=True, kw_only=True):
    """So many working days are left, and the claim is not paid in full. Source: R1.4, c.2 (13)."""

    days_left: Count

    example: ClassVar[Mapping[str, Any]] = {**_DEADLINE, "days_left": 3}


@kind("claim.deadline.breached", family="clearing", key="provider")
class ClaimDeadlineBreached(ClaimDeadline, frozen=True, kw_only=True):
    """The day is over and the claim was not paid in full: `seen_on` is the bank's value date that came too late, or the
    day that opened when the bank's statement of the due day could have come. Source: R1.4, R10, c.2 (13)."""

    seen_on: Day

    example: ClassVar[Mapping[str, Any]] = {**_DEADLINE, "seen_on": "2026-03-10"}


@kind("claim.deadline.recalculated", family="clearing", key="provider")
class ClaimDeadlineRecalculated(ClaimDeadline, frozen=True, kw_only=True):
    """A notice of working days moved a deadline from `was` to `due`; `latest` is given while it is provisional.

    `cut_off` is given where the cut-off, which rolls, moved too. Source: R1.4, c.2 (13).
    """

    was: Day
    latest: Day | None
    calendar_version: Ref
    cut_off: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DEADLINE,
        "cause": {"topic": "agency", "lane": 3, "offset": 9},
        "was": "2026-03-03",
        "latest": None,
        "calendar_version": "cn-2024-2026-30451dc4",
    }


@kind("claim.breach.withdrawn", family="clearing", key="provider")
class ClaimBreachWithdrawn(ClaimDeadline, frozen=True, kw_only=True):
    """What was told as breached is not: the bank says that the claim was paid in full by then, on `paid_on`, or a
    notice moved the deadline. Source: R1.4, R10."""

    paid_on: Day | None

    example: ClassVar[Mapping[str, Any]] = {
        **_DEADLINE,
        "cause": {"topic": "bank", "lane": 3, "offset": 512},
        "paid_on": "2026-03-09",
    }


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a batch that was rejected said of itself."""

    clr_way: ClrWay
    mode: Literal["MONTH", "WEEK", "DAY"]
    period_from: Day
    period_to: Day
    submitted_on: Day
    settlements: Count
    amounts: Amounts


@kind("claim.batch.rejected", family="clearing", key="provider")
class ClaimBatchRejected(Decision, frozen=True, kw_only=True):
    """A batch did not pass the hard checks; nothing is booked and its clock never ran. `submission` is not told of
    those that were rejected before it was part of this. Source: R1.3, c.2 (12)."""

    batch: PayableRef
    errors: list[ClaimError]
    submission: Submission | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "batch": _BATCH,
        "errors": [
            {
                "code": "AMOUNT",
                "detail": "claimed 2100000.38, recorded 2100000.37, a difference of 0.01",
                "fund": "310100",
            }
        ],
        "submission": {
            "clr_way": "3",
            "mode": "MONTH",
            "period_from": "2026-01-01",
            "period_to": "2026-01-31",
            "submitted_on": "2026-02-06",
            "settlements": 4211,
            "amounts": {"310100": "2100000.38", "310200": "456789.12"},
        },
    }


@kind("fact.disputed", family="clearing", key="provider")
class FactDisputed(Event, frozen=True, kw_only=True):
    """A fact contradicts what was decided before: nothing follows from it, and somebody has to look. Books nothing.

    A deduction of a batch that is not in review, a bank's answer to a payment that nobody ordered. Source: design §3.
    """

    provider: Provider
    area: Area
    cause: Place
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "cause": {"topic": "bank", "lane": 3, "offset": 78},
        "detail": "no payment pay-152500-20260227-0009 was ordered",
    }


class MadeGood(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a later P1 makes good of the negative P1 of an earlier batch."""

    batch: PayableRef
    amounts: Amounts


@kind("instant.payment.approved", family="clearing", key="provider", rules=(rules.advanced_in("amounts"),))
class InstantPaymentApproved(Decision, frozen=True, kw_only=True):
    """The part of a claim that is paid at once (P1), by fund, before the waterfall: `round2(claimed x ratio)`.

    `ratio` is the exact ratio of each fund. A negative P1 is not paid; later ones make it good, and are paid the less:
    `made_good` (R1.6, R10). Books nothing: its offsets and its payment do. Source: R1.5, c.2 (14).
    """

    payable_ref: PayableRef
    amounts: Amounts
    ratio: dict[Fund, Ratio]
    made_good: list[MadeGood] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "payable_ref": _BATCH,
        "amounts": {"310100": "1890000.33", "310200": "411110.21"},
        "ratio": {"310100": "0.9", "310200": "0.9"},
    }


def _bond_of_a_negative_is_nothing(event: "ClaimBatchApproved") -> Problem | None:
    for fund, bond in event.bond.items():
        approved = event.approved.get(fund, "0.00")
        if bond != "0.00" and not 0 <= money.fen(bond) <= money.fen(approved):
            return Problem(Reason.BAD_AMOUNT, f"$.bond[{quoted(fund)}]: {bond} of an approved {approved}")
    return None


@kind(
    "claim.batch.approved",
    family="clearing",
    key="provider",
    rules=(
        rules.sums("approved", "bond", "net"),
        _bond_of_a_negative_is_nothing,
        rules.advanced_in("approved"),
    ),
)
class ClaimBatchApproved(Decision, frozen=True, kw_only=True):
    """What remains of the claims of `batches` after audit, and the quality bond kept from it, by fund.

    approved = bond + net. The batches of a month are approved together: one bond on the month's amount (R1.6).
    `in_review` is what is not approved yet (R1.3, an audit that is not finished in time), and is approved later; so is
    what an appeal gives back. Books 2101 / 2102 net and 2101 / 2103 bond; a fund that is negative books 2102 / 2101.
    Source: R1.5, c.4.
    """

    payable_ref: PayableRef
    batches: list[PayableRef]
    approved: Amounts
    bond: Amounts
    net: Amounts
    in_review: Amounts | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "cause": {"topic": "reviews", "lane": 3, "offset": 5120},
        "payable_ref": _BATCH,
        "batches": [_BATCH],
        "approved": {"310100": "2070769.82", "310200": "456789.12"},
        "bond": {"310100": "103538.49", "310200": "0.00"},
        "net": {"310100": "1967231.33", "310200": "456789.12"},
    }


def _offset_makes_sense(event: "OffsetApplied") -> Problem | None:
    p1 = event.taken_from == "P1" or event.account == "1104"
    if event.taken_from == "P1" and event.account == "1104":
        return Problem(Reason.BAD_CODE, "$.account: 1104 cannot be taken from a P1, which is 1104 itself")
    for name, needed in (("instant_stat", p1), ("recovery_year", event.account == "1107")):
        if needed == (getattr(event, name) is not None):
            continue
        if needed:
            return Problem(Reason.MISSING_FIELD, f"$.{name} is missing: {event.taken_from} / {event.account} needs it")
        return Problem(Reason.UNKNOWN_FIELD, f"$.{name}: {event.taken_from} / {event.account} does not have it")
    return None


@kind(
    "offset.applied",
    family="clearing",
    key="provider",
    rules=(_offset_makes_sense, rules.not_negative("amounts"), rules.advanced_in("amounts")),
)
class OffsetApplied(Decision, frozen=True, kw_only=True):
    """What the provider owes was taken from what it is owed, inside one fund: one item, one step of the waterfall.

    `taken_from` is what the money was taken from: the P1 itself, an approved payable (2102) or a clearing payable
    (2104), named by `payable_ref`, and the dimensions are its own. `account` and `item_ref` are the open item;
    `item_insured_area` and `item_advanced` say whose item it is (a visitor's, another payer's). `step` is the step of
    the waterfall, `order` the place within it. `recovery_year` is given for 1107 alone, `instant_stat` where a P1 is
    one of the two sides; `day`, the one that was open, for 1101 and 1102. Books 1104, 2102 or 2104 / account; a payable
    that makes good another claim's negative one (account 2102, step 0) books nothing. Source: R3.6, c.2 (19), c.4.
    """

    payable_ref: PayableRef
    taken_from: Literal["P1", "2102", "2104"]
    account: Literal["1101", "1102", "1103", "1104", "1107", "1108", "2102"]
    item_ref: PayableRef
    item_insured_area: Area
    item_advanced: list[Fund]
    step: Count
    order: Count
    amounts: Amounts
    day: Day | None = None
    instant_stat: InstantStat | None = None
    recovery_year: Literal["CURRENT", "PRIOR"] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_DECISION,
        "cause": {"topic": "time", "lane": 3, "offset": 412},
        "payable_ref": _BATCH,
        "taken_from": "2102",
        "account": "1107",
        "item_ref": "case-2026-0017",
        "item_insured_area": "152500",
        "item_advanced": [],
        "step": 2,
        "order": 1,
        "amounts": {"310100": "219947.40"},
        "recovery_year": "CURRENT",
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
        **_DECISION,
        "cause": {"topic": "reviews", "lane": 3, "offset": 5120},
        "payable_ref": _BATCH,
        "batches": [_BATCH],
        "amounts": {"310100": "29230.55"},
        "deductions": [
            {
                "batch": _BATCH,
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
        **_DECISION,
        "batch": "H15250200017-310-21-202602",
        "of_batch": _BATCH,
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
        **_DECISION,
        "cause": {"topic": "reviews", "lane": 3, "offset": 4711},
        "batch": _BATCH,
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


class PayableHold(Decision, frozen=True, kw_only=True):
    """What a hold stops of an approved payable, or sets free again, by fund."""

    hold_ref: Ref
    payable_ref: PayableRef
    amounts: Amounts


_HOLD: Mapping[str, Any] = {
    **_DECISION,
    "cause": {"topic": "reviews", "lane": 3, "offset": 5200},
    "hold_ref": "case-2026-0042",
    "payable_ref": _BATCH,
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

    Books 2102 / 2108. Source: R6.1, c.4.
    """

    to_come: Amounts
    reason: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {**_HOLD, "to_come": {}, "reason": "条例第三十条：涉嫌骗保"}


@kind(
    "claim.payable.released",
    family="clearing",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.not_negative("to_come"), rules.advanced_in("amounts")),
)
class ClaimPayableReleased(PayableHold, frozen=True, kw_only=True):
    """A held payable may be paid: books 2108 / 2102. `to_come` will not be held any more. Source: R6, c.4."""

    to_come: Amounts

    example: ClassVar[Mapping[str, Any]] = {**_HOLD, "to_come": {}}


RecoveryYear: TypeAlias = Literal["CURRENT", "PRIOR"]
"""Whether a recovery takes back the expense of the year in which it was decided, or an earlier one's (R6.2)."""


class OfRecovery(Decision, frozen=True, kw_only=True):
    """Something about one recovery, by fund."""

    case_ref: PayableRef
    recovery_year: RecoveryYear
    amounts: Amounts


_RECOVERY: Mapping[str, Any] = {
    **_DECISION,
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

    example: ClassVar[Mapping[str, Any]] = {**_RECOVERY, "decided_on": "2026-02-27", "reason": "飞行检查：重复收费"}


@kind("recovery.settled", family="clearing", key="provider", rules=_RECOVERY_RULES)
class RecoverySettled(OfRecovery, frozen=True, kw_only=True):
    """A recovery, or a part of it, was paid in cash into the fiscal special account, or found in suspense.

    Books 1003, or 2190, / 1107. Source: c.4.
    """

    bank_txn: Words
    value_date: Day
    bank_account: Literal["1003", "2190"] = "1003"
    booked_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {**_RECOVERY, "bank_txn": "202603050000217", "value_date": "2026-03-05"}


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
        **_RECOVERY,
        "amounts": {"310100": "19947.40"},
        "to_open": {"310100": "10000.00"},
        "to_payable": {"310100": "9947.40"},
        "reason": "行政复议：部分撤销",
    }
