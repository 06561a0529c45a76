"""What is taken from what a provider is owed for what it owes. Source: domain.md R3.6, c.4."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from medfund.events import rules
from medfund.events.dimensions import A_BATCH, A_DECISION, Decision, InstantStat
from medfund.events.fields import Amounts, Area, Count, Day, Fund, PayableRef
from medfund.events.kinds import kind
from medfund.events.refusals import Problem, Reason


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
        **A_DECISION,
        "cause": {"topic": "time", "lane": 3, "offset": 412},
        "payable_ref": A_BATCH,
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
