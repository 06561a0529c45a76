"""Facts from audit and supervision that touch money: final deductions and holds.

A finding has no effect until it is decided; a hold leaves the money owed; neither is a recovery. Source: domain.md
R1.3, R6.1, c.2 (17, 60).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from medfund.events import rules
from medfund.events.dimensions import OfProvider
from medfund.events.fields import Amounts, Day, Digest, Ref, Text
from medfund.events.kinds import kind


@kind(
    "audit.deduction.finalised",
    family="reviews",
    key="provider",
    rules=(rules.not_negative("amounts"), rules.advanced_in("amounts")),
)
class AuditDeductionFinalised(OfProvider, frozen=True, kw_only=True):
    """What audit takes off claims that are in review, after appeals: one list for the batches it names.

    `amounts` are the sums by fund, `list_hash` the SHA-256 of the list of deductions. Books 2101 / 5001 (visitor 1106,
    other payer 1110). Source: R1.3, c.4.
    """

    batches: list[Ref]
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
    payable_ref: Ref
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
    """A payable is not paid for the time being, and stays owed: books 2102 (or 2104) / 2108. Source: R6, R6.1, c.4."""

    held_from: Day

    example: ClassVar[Mapping[str, Any]] = {**_HOLD, "reason": "条例第三十条：涉嫌骗保", "held_from": "2026-03-26"}


@kind("payment.hold.released", family="reviews", key="provider", rules=_RULES)
class PaymentHoldReleased(Hold, frozen=True, kw_only=True):
    """A held amount may be paid again, in full and without interest: books 2108 / 2102 (or 2104). Source: R6, c.4."""

    released_on: Day

    example: ClassVar[Mapping[str, Any]] = {**_HOLD, "reason": "经查未发现骗保行为", "released_on": "2026-03-30"}
