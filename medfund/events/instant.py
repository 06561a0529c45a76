"""What is decided about paying a claim: its P1 at once, and the rest after audit.

Source: domain.md R1.2, R1.4, c.2, c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from medfund import money
from medfund.events import rules
from medfund.events.dimensions import A_BATCH, A_DECISION, Decision
from medfund.events.fields import Amounts, Fund, PayableRef, Ratio
from medfund.events.kinds import kind
from medfund.events.refusals import Problem, Reason, quoted


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
        **A_DECISION,
        "payable_ref": A_BATCH,
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
        **A_DECISION,
        "cause": {"topic": "reviews", "lane": 3, "offset": 5120},
        "payable_ref": A_BATCH,
        "batches": [A_BATCH],
        "approved": {"310100": "2070769.82", "310200": "456789.12"},
        "bond": {"310100": "103538.49", "310200": "0.00"},
        "net": {"310100": "1967231.33", "310200": "456789.12"},
    }
