"""What became of each prepayment, step by step, for people to read: no rule depends on it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from clearing.names import Name
from clearing.prepayment.prepayment import PREPAYMENTS
from medfund import money
from medfund.events.kinds import Event
from medfund.events.offsets import OffsetApplied
from medfund.events.openings import OpeningItemTaken
from medfund.events.payments import PaymentReturned, PaymentReturnUndone
from medfund.events.prepayments import (
    PrepaymentAdjusted,
    PrepaymentApproved,
    PrepaymentChecked,
    PrepaymentCleared,
    PrepaymentDisbursed,
    PrepaymentOverdue,
    PrepaymentPurchasesNoted,
    PrepaymentRecalled,
    PrepaymentRefused,
    PrepaymentReturned,
)
from medfund.lanes.draft import Draft, Part

What = Literal[
    "CHECKED", "REFUSED", "GRANTED", "CHANGED", "PAID", "CAME_BACK", "PURCHASED", "OFFSET", "RETURNED", "RECALLED",
    "OVERDUE", "CLEARED",
]  # fmt: skip
MOVES: Mapping[What, int] = {"PAID": 1, "CAME_BACK": -1, "OFFSET": -1, "RETURNED": -1}
"""Those that change what is out, and which way."""


class Step(NamedTuple):
    """`day`: the bank's, or the one that was opened last; `fen`: what it is about, never below zero; `left`: what was
    out after it; `about`: the plan, payment, claim, transaction or reason."""

    provider: str
    ref: str
    number: int
    what: What
    day: date | None
    fen: int
    left: int
    about: str


STEPS: Part[list[Step]] = Part("steps of prepayments", list)


def by_day(steps: Iterable[Step]) -> list[tuple[date, int]]:
    """For each day on which it changed: the fen that were outstanding after it, of all prepayments together."""
    changes: dict[date, int] = {}
    for step in steps:
        if step.day is not None and (sign := MOVES.get(step.what, 0)):
            changes[step.day] = changes.get(step.day, 0) + sign * step.fen
    days = sorted(changes)
    return list(zip(days, accumulate(changes[day] for day in days), strict=True))


class _Told(NamedTuple):
    ref: str
    what: What
    about: str
    day: date | None
    amounts: Mapping[str, str] = {}


def told(draft: Draft, decision: Event) -> None:
    """A decision that has changed a prepayment is a step of it."""
    tell = _TOLD.get(type(decision))
    if tell is None:
        return
    found = tell(decision)
    name = Name(decision.provider, found.ref)  # type: ignore[attr-defined]
    if name not in draft[PREPAYMENTS]:
        return
    prepayment = draft[PREPAYMENTS].change(name)
    prepayment.steps += 1
    amount = found.amounts.get(prepayment.fund)
    draft[STEPS].append(
        Step(
            provider=name.provider,
            ref=name.ref,
            number=prepayment.steps,
            what=found.what,
            day=found.day,
            fen=money.fen(amount) if amount else 0,
            left=prepayment.left,
            about=found.about,
        )
    )


_TOLD: Mapping[type[Event], Callable[[Any], _Told]] = {
    PrepaymentChecked: lambda it: _Told(it.prepayment_ref, "CHECKED", it.contract_ref or "", it.day),
    PrepaymentRefused: lambda it: _Told(it.prepayment_ref, "REFUSED", f"{it.code}: {it.detail}", it.day),
    PrepaymentApproved: lambda it: _Told(it.prepayment_ref, "GRANTED", it.plan_ref, it.day, it.amounts),
    PrepaymentAdjusted: lambda it: _Told(it.prepayment_ref, "CHANGED", it.plan_ref, it.day, it.amounts),
    PrepaymentDisbursed: lambda it: _Told(it.prepayment_ref, "PAID", it.payment_ref, it.value_date, it.amounts),
    PaymentReturned: lambda it: _Told(it.payable_ref, "CAME_BACK", it.payment_ref, it.value_date, it.amounts),
    PaymentReturnUndone: lambda it: _Told(it.payable_ref, "PAID", it.payment_ref, it.value_date, it.amounts),
    PrepaymentPurchasesNoted: lambda it: _Told(it.prepayment_ref, "PURCHASED", it.purchased, it.day),
    OpeningItemTaken: lambda it: _Told(it.item_ref, "PAID", it.evidence_ref, it.value_date, it.accounts[0].amounts),
    OffsetApplied: lambda it: _Told(it.item_ref, "OFFSET", it.payable_ref, it.day, it.amounts),
    PrepaymentReturned: lambda it: _Told(it.prepayment_ref, "RETURNED", it.bank_txn, it.value_date, it.amounts),
    PrepaymentRecalled: lambda it: _Told(it.prepayment_ref, "RECALLED", f"{it.code}: {it.reason}", it.day, it.amounts),
    PrepaymentOverdue: lambda it: _Told(it.prepayment_ref, "OVERDUE", "", it.on, it.amounts),
    PrepaymentCleared: lambda it: _Told(it.prepayment_ref, "CLEARED", "", it.on),
}

LISTENS = dict.fromkeys(_TOLD, told)
