"""Claims: what a provider submits as a closed batch, and what is decided about it until it is approved or rejected.

Source: domain.md R1, R1.3, c.2 (11-14, 20-22), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from medfund.events import rules
from medfund.events.dimensions import A_BATCH, A_DECISION, Decision, OfProvider
from medfund.events.fields import Amounts, Area, ClrWay, Count, Day, Digest, Fund, PayableRef, Provider, Ref, Text
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason

BATCH_MAX = 50
"""So that the names of its payments, which are made of it, are references too."""


def _short_batch(event: "ClaimBatchSubmitted") -> Problem | None:
    if len(event.batch) <= BATCH_MAX:
        return None
    return Problem(Reason.BAD_CODE, f"$.batch: {len(event.batch)} characters, at most {BATCH_MAX} are allowed")


@kind(
    "claim.batch.submitted",
    family="claims",
    key="provider",
    rules=(_short_batch, rules.in_order("period_from", "period_to"), rules.advanced_in("amounts")),
)
class ClaimBatchSubmitted(OfProvider, frozen=True, kw_only=True):
    """A provider claims the settlements of a period (3203): of one insurance type, clearing type and clearing method.

    The set is every settlement and every reversal of these dimensions with its service date in the period that stands
    on the log before this event and is in no other live batch. `settlements` counts them, `amounts` sums them by fund
    (a fund that sums to zero may be left out), `settlement_root` is `merkle.root` of their references. Source: R1.2,
    c.2 (10).
    """

    batch: PayableRef
    clr_way: ClrWay
    mode: Literal["MONTH", "WEEK", "DAY"]
    period_from: Day
    period_to: Day
    settlements: Count
    settlement_root: Digest
    amounts: Amounts
    submitted_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "insured_area": "152500",
        "insutype": "310",
        "clr_type": "21",
        "clr_way": "3",
        "benefit_year": 2026,
        "advanced": [],
        "batch": "H15250200017-310-21-202601",
        "mode": "MONTH",
        "period_from": "2026-01-01",
        "period_to": "2026-01-31",
        "settlements": 4211,
        "settlement_root": "a3f1c5d7e9b20416283a4c5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708193",
        "amounts": {"310100": "2100000.37", "310200": "456789.12"},
        "submitted_on": "2026-02-06",
    }


@kind("claim.batch.withdrawal.requested", family="claims", key="provider")
class ClaimBatchWithdrawalRequested(Event, frozen=True, kw_only=True):
    """A provider asks to take a batch back (3204); `claim.batch.withdrawn` says that it was. Source: R3.6, c.2 (11)."""

    area: Area
    provider: Provider
    batch: PayableRef
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "batch": "H15250200017-310-21-202601",
        "reason": "明细对账不符，撤回重新申报",
    }


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
    **A_DECISION,
    "batch": A_BATCH,
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
    **A_DECISION,
    "cause": {"topic": "time", "lane": 3, "offset": 66},
    "batch": A_BATCH,
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
        **A_DECISION,
        "batch": A_BATCH,
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
