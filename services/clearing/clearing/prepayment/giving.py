"""When a prepayment is ordered to be paid, and what is told of it. Pure.

What stays true: of what is given month by month one is out at a time, and none is given twice for a month. Source: R2.4
to R2.6, R10.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from clearing.payments import orders
from clearing.policy import policy_of
from clearing.prepayment.gate import FIGURES
from clearing.prepayment.prepayment import PREPAYMENTS, PURPOSES, Prepayment
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.events.time import DayOpened
from medfund.lanes.days import DAYS, TODAY
from medfund.lanes.draft import Draft

LAST_MONTH = 12


def month_begins(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    """The first day of a month that is opened: what is given month by month is ordered, unless the one before is still
    open."""
    before = draft[DAYS].before
    if before is not None and before < event.date.replace(day=1):
        for prepayment in sorted(draft[PREPAYMENTS].values(), key=lambda one: (one.opened, one.ref)):
            yield from give_month(draft, prepayment, event.date, cause)


def give_month(draft: Draft, prepayment: Prepayment, day: date, cause: Place) -> Iterator[Event]:
    """What is given for the month of a day, where nothing was yet, nothing is out, and the fund's gate is open.

    December has none: it could not be taken back within the year.
    """
    mine = prepayment.kind == "MONTHLY" and prepayment.status == "APPROVED" and prepayment.year == day.year
    had = prepayment.month is not None and prepayment.month >= day.replace(day=1)
    out = prepayment.left > 0 or bool(prepayment.pending)
    if mine and not (had or out) and day.month != LAST_MONTH and frozen(draft, prepayment) is None:
        yield from order(draft, prepayment, cause, prepayment.granted, due=day)


def frozen(draft: Draft, prepayment: Prepayment) -> str | None:
    """Why its fund gives nothing any more (R2.1); a bulk purchase's has no gate (R2.6)."""
    if prepayment.kind == "BULK":
        return None
    least = policy_of(draft, prepayment).prepayment_gate[prepayment.fund]
    return draft.known[FIGURES].why_closed(prepayment.dimensions.area, prepayment.fund, least)


def order(
    draft: Draft, prepayment: Prepayment, cause: Place, fen: int, asked: PaymentRetried | None = None,
    due: date | None = None,
) -> Iterator[Event]:  # fmt: skip
    purpose, fund = PURPOSES[prepayment.kind], prepayment.fund
    yield orders.of_fund(prepayment, cause, purpose, fund, fen, asked, due=due or _pay_by(draft, prepayment))


def _pay_by(draft: Draft, prepayment: Prepayment) -> date:
    """As its application was told, or today where that is past (R2.4, R2.6)."""
    last = prepayment.pay_by or date(prepayment.year, 3, 31)
    return max(last, draft.known[TODAY] or last)


def fields(draft: Draft, prepayment: Prepayment, cause: Place) -> dict[str, Any]:
    """What every decision about it begins with."""
    return {
        **prepayment.fields(cause, [prepayment.fund]),
        "prepayment_ref": prepayment.ref,
        "prepayment_kind": prepayment.kind,
        "day": draft.known[TODAY],
    }
