"""How a prepayment ends: recalled before its time, returned in cash, cleared or overdue at the end of its year. Pure.

What stays true: what is due at once is what is outstanding; a late return clears it, and lifts the block only where
nothing of it moved after the year.
Source: R2.4, R6.4; edge cases 42, 45, 46, 49, 50.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from clearing import names
from clearing.dimensions import Dimensions, disputed
from clearing.funds import at_most, fens, positive, yuans
from clearing.payable import Repaid
from clearing.payments import reasons, suspense
from clearing.payments.making_way import fallen_due
from clearing.payments.orders import cancel
from clearing.policy import policy_of
from clearing.prepayment.giving import fields, month_begins
from clearing.prepayment.owed import bulk_over, due_now, ended
from clearing.prepayment.prepayment import PREPAYMENTS, Prepayment
from medfund.events.kinds import Event, Place
from medfund.events.prepayments import (
    BankPrepaymentRepaid,
    PrepaymentCleared,
    PrepaymentOverdue,
    PrepaymentRecalled,
    PrepaymentRecallOrdered,
    PrepaymentReturned,
)
from medfund.events.supervision import ProviderAgreementChanged
from medfund.events.time import DayOpened
from medfund.lanes.days import DAYS, TODAY
from medfund.lanes.draft import Draft
from medfund.lanes.mandates import MANDATES

LAST = (12, 31)
Code = Literal["MISUSE", "AGREEMENT", "GATE_LOST", "OTHER"]


def _told(whose: Dimensions | None, prepayment: str, came: Mapping[str, Any]) -> Event:
    return BankPrepaymentRepaid(**came, prepayment_ref=prepayment)


REPAID = Repaid(placed_as="PREPAYMENT", into="1002", read=msgspec.json.Decoder(Prepayment).decode, told=_told)


def recall_ordered(draft: Draft, event: PrepaymentRecallOrdered, cause: Place) -> Iterator[Event]:
    prepayment = draft[PREPAYMENTS].get(names.prepayment(event))
    if prepayment is None:
        yield disputed(event, cause, f"there is no prepayment {event.prepayment_ref}")
    elif prepayment.status not in ("APPROVED", "OVERDUE"):
        yield disputed(event, cause, f"{prepayment.ref} is {prepayment.status}: nothing of it can be recalled")
    elif draft.known[MANDATES].of(event.area, event.staff_ref, event.ordered_on) is None:
        yield disputed(event, cause, f"{event.staff_ref} has no mandate of area {event.area} on {event.ordered_on}")
    else:
        yield from recall(draft, prepayment, cause, event.code, event.reason)


def recall(draft: Draft, prepayment: Prepayment, cause: Place, code: Code, reason: str) -> Iterator[Event]:
    """What waits to be sent is not sent; what is out is due at once."""
    yield from cancel(draft, prepayment, cause, prepayment.fund, reason)
    yield PrepaymentRecalled(
        **fields(draft, prepayment, cause), code=code, reason=reason, amounts=yuans(positive(prepayment.outstanding))
    )
    yield from taken_now(draft, prepayment, cause)


def taken_now(draft: Draft, prepayment: Prepayment, cause: Place) -> Iterator[Event]:
    """What is due of it is taken from what is ordered and not sent yet (R10)."""
    reason = f"prepayment {prepayment.ref} is due"
    yield from fallen_due(draft, prepayment.dimensions.purse, [prepayment.fund], cause, reason)


def _parts_fall_due(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    """The first day of a month that is opened: another part of the schedules is due."""
    before = draft[DAYS].before
    if before is not None and before >= event.date.replace(day=1):
        return
    for prepayment in sorted(draft[PREPAYMENTS].values(), key=lambda one: (one.opened, one.ref)):
        if due_now(prepayment, policy_of(draft, prepayment), draft.known[TODAY]) > 0:
            yield from taken_now(draft, prepayment, cause)


def agreement_changed(draft: Draft, event: ProviderAgreementChanged, cause: Place) -> Iterator[Event]:
    """An agreement that ended recalls in full (R6.4, edge case 49)."""
    if event.status != "TERMINATED":
        return
    for prepayment in of_provider(draft, event.provider):
        if prepayment.status == "APPROVED":
            yield from recall(draft, prepayment, cause, "AGREEMENT", f"the agreement ended on {event.effective_from}")


def of_provider(draft: Draft, provider: str) -> list[Prepayment]:
    """The prepayments of a provider, the oldest first."""
    found = (one for one in draft[PREPAYMENTS].values() if one.dimensions.provider == provider)
    return sorted(found, key=lambda one: (one.opened, one.ref))


def repaid(draft: Draft, event: BankPrepaymentRepaid, cause: Place) -> Iterator[Event]:
    """In cash, never more than is outstanding: the rest goes to suspense (edge case 46)."""
    prepayment = draft[PREPAYMENTS].get(names.prepayment(event))
    if event.found_in is None and _is_known(draft, prepayment, event):
        yield disputed(event, cause, f"bank transaction {event.bank_txn} is booked already")
        return
    came = fens(event.amounts)
    back = at_most(came, prepayment.outstanding) if prepayment is not None else {}
    if prepayment is not None and back:
        due = due_now(prepayment, policy_of(draft, prepayment), draft.known[TODAY])
        left = {fund: fen - back.get(fund, 0) for fund, fen in prepayment.outstanding.items()}
        yield PrepaymentReturned(
            **fields(draft, prepayment, cause),
            bank_account=event.bank_account,
            bank_txn=event.bank_txn,
            value_date=event.value_date,
            booked_on=event.booked_on,
            amounts=yuans(back),
            outstanding=yuans(positive(left)),
            early=yuans(positive({fund: fen - due for fund, fen in back.items()})) or None,
        )
        yield from ended(draft, prepayment.name, cause)
    if odd := {fund: fen - back.get(fund, 0) for fund, fen in came.items() if fen > back.get(fund, 0)}:
        yield from suspense.odd(event, cause, odd, reasons.MORE_THAN_OUTSTANDING.format(event.prepayment_ref))


def _is_known(draft: Draft, prepayment: Prepayment | None, event: BankPrepaymentRepaid) -> bool:
    """Whether this line of the bank is booked already, to the prepayment or to suspense."""
    lines = {suspense.line_of(event), event.bank_txn}
    mine = prepayment is not None and not lines.isdisjoint(prepayment.txns)
    return mine or suspense.is_known(draft, event)


def day_opened(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    yield from _year_over(draft, event, cause)
    yield from month_begins(draft, event, cause)
    yield from _parts_fall_due(draft, event, cause)


def _year_over(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    """What is cleared and what is overdue is judged when the last day of a year is over: with the first one that opens
    after it (R10). What is to be returned by the annual clearing is not overdue before that."""
    for prepayment in sorted(draft[PREPAYMENTS].values(), key=lambda one: (one.opened, one.ref)):
        yield from bulk_over(draft, prepayment, cause)
        if prepayment.kind == "BULK" or prepayment.status not in ("APPROVED", "RECALLED"):
            continue
        if event.date <= date(prepayment.year, *LAST):
            continue
        if prepayment.left > 0:
            if policy_of(draft, prepayment).prepayment_return_by == "YEAR_END":
                yield PrepaymentOverdue(
                    **fields(draft, prepayment, cause),
                    on=date(prepayment.year, *LAST),
                    blocks_year=prepayment.year + 1,
                    amounts=yuans(positive(prepayment.outstanding)),
                )
        elif not prepayment.left and not any(prepayment.pending.values()):
            yield PrepaymentCleared(**fields(draft, prepayment, cause), on=date(prepayment.year, *LAST))
