"""Prepayments (1101, 1102), open items of the waterfall: what is due of them by now is taken from what the provider is
paid in the same fund. Pure. Source: R2.5, R2.6, R3.6 steps 5 and 6.

What stays true: never more than is outstanding; what was missed for lack of a payable is due with the next part; what
was overdue is cleared when the last of it has been taken (R10).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from clearing.funds import Fens
from clearing.names import Name
from clearing.offsets import debit
from clearing.offsets.kinds import Kind
from clearing.offsets.waterfall import Due
from clearing.payable import Payable
from clearing.policy import Policy, policy_of
from clearing.prepayment import amounts
from clearing.prepayment.giving import fields, give_month
from clearing.prepayment.prepayment import PREPAYMENTS, Prepayment, given, take
from medfund.events.kinds import Event, Place
from medfund.events.prepayments import PrepaymentCleared
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft


def about(draft: Draft, item: Name, fund: str) -> Mapping[str, Any]:
    return {**debit.about(draft, item, fund), "day": draft.known[TODAY]}


def due_prepayments(draft: Draft, payable: Payable, fund: str, own: list[str]) -> Iterator[Due]:
    yield from _due(draft, payable, fund, "1101")


def due_bulk(draft: Draft, payable: Payable, fund: str, own: list[str]) -> Iterator[Due]:
    yield from _due(draft, payable, fund, "1102")


def _due(draft: Draft, payable: Payable, fund: str, account: str) -> Iterator[Due]:
    for prepayment in draft[PREPAYMENTS].values():
        mine = prepayment.fund == fund and prepayment.account == account
        if mine and prepayment.dimensions.purse == payable.dimensions.purse and _meant_for(prepayment, payable):
            amount = due_now(prepayment, policy_of(draft, prepayment), draft.known[TODAY])
            if amount > 0:
                yield Due(account, prepayment.ref, amount, prepayment.opened)


def _meant_for(prepayment: Prepayment, payable: Payable) -> bool:
    """A month's prepayment is taken back from that month's claim, or a later one (R2.5)."""
    if prepayment.kind != "MONTHLY" or prepayment.due_at_once or payable.served_to is None:
        return True
    return prepayment.month is not None and payable.served_to >= prepayment.month


def due_now(prepayment: Prepayment, policy: Policy, today: date | None) -> int:
    """What of the outstanding is to be taken back by the day that was opened last; fen.

    What came in cash before it was due is no part of the schedule: it leaves its last parts smaller (R10).
    """
    back, early = given(prepayment) - prepayment.left, prepayment.early.get(prepayment.fund, 0)
    return max(0, min(prepayment.left, _by_now(prepayment, policy, today) - back + early))


def _by_now(prepayment: Prepayment, policy: Policy, today: date | None) -> int:
    """What was paid beyond what the last plan gives is due at once (R10)."""
    disbursed = given(prepayment)
    if prepayment.due_at_once or prepayment.kind == "MONTHLY":
        return disbursed
    beyond = max(0, disbursed - prepayment.granted)
    return beyond + _scheduled(prepayment, disbursed - beyond, policy, today)


def _scheduled(prepayment: Prepayment, granted: int, policy: Policy, today: date | None) -> int:
    if prepayment.kind == "BULK":
        return amounts.due_by_progress(granted, prepayment.agreed, prepayment.purchased)
    if today is None:
        return 0
    return amounts.due_by(
        granted, policy.prepayment_schedule, months=policy.prepayment_months, on=today, year=prepayment.year
    )


def taken(draft: Draft, item: Name, fens: Fens, day: date | None) -> None:
    take(draft[PREPAYMENTS].change(item), fens, day)


def ended(draft: Draft, item: Name, cause: Place) -> Iterator[Event]:
    """What follows when the last of it was taken or came back: what was overdue is cleared, and a bulk purchase's, and
    what is given month by month is given again (R10)."""
    prepayment = draft[PREPAYMENTS][item]
    if any(prepayment.outstanding.values()):
        return
    if prepayment.status == "OVERDUE":
        yield from cleared(draft, prepayment, cause)
    yield from bulk_over(draft, prepayment, cause)
    if (today := draft.known[TODAY]) is not None:
        yield from give_month(draft, prepayment, today, cause)


def bulk_over(draft: Draft, prepayment: Prepayment, cause: Place) -> Iterator[PrepaymentCleared]:
    """A bulk purchase's goes on beyond its year: it ends with what was given, and not with a day."""
    if prepayment.kind == "BULK" and prepayment.status in ("APPROVED", "RECALLED") and prepayment.over:
        yield from cleared(draft, prepayment, cause)


def cleared(draft: Draft, prepayment: Prepayment, cause: Place) -> Iterator[PrepaymentCleared]:
    """As of the last day on which something moved."""
    if (day := prepayment.last_back or draft.known[TODAY]) is not None:
        yield PrepaymentCleared(**fields(draft, prepayment, cause), on=day)


ITEMS = {"1102": Kind(due_bulk, taken, about, ended), "1101": Kind(due_prepayments, taken, about, ended)}
