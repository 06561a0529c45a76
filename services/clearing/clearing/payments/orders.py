"""Orders to pay: what is left of a payable after the waterfall, a payment for each fund. Pure. Source: R3.6."""

from collections.abc import Iterator
from datetime import date

from msgspec import UNSET

from clearing import clock, names
from clearing import payable as payables
from clearing.clock import Deadline
from clearing.funds import Fens, added, positive, yuans
from clearing.offsets.taking import offset, to_pay
from clearing.payable import Payable, ordered
from clearing.payments import payment as payments
from clearing.payments.payment import PAYMENTS, unsent_of
from clearing.policy import policy_of
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentCancelled, PaymentOrdered, PaymentRetried, Purpose
from medfund.lanes.days import CALENDAR, TODAY
from medfund.lanes.draft import Draft


def order(
    draft: Draft, payable: Payable, cause: Place, purpose: Purpose, cash: Fens, asked: PaymentRetried | None = None
) -> Iterator[Event]:
    """Each fund from its own account. `asked`: what somebody wants paid again."""
    due = _due(draft, payable, purpose)
    latest = due.latest if due.provisional else None
    for fund, fen in cash.items():
        yield of_fund(payable, cause, purpose, fund, fen, asked, due=due.earliest, latest=latest)


def of_fund(
    payable: Payable, cause: Place, purpose: Purpose, fund: str, fen: int, asked: PaymentRetried | None,
    *, due: date, latest: date | None = None,
) -> PaymentOrdered:  # fmt: skip
    provider, payee = payable.dimensions.provider, payable.payee
    return PaymentOrdered(
        **payable.fields(cause, [fund]),
        payment_ref=f"{payable.ref}/P{payable.number(fund, purpose)}/{fund}",
        payable_ref=payable.ref,
        purpose=purpose,
        amounts=yuans({fund: fen}),
        due=due,
        latest=latest,
        requested_by=asked.requested_by if asked else None,
        retry_of=asked.payment_ref if asked else None,
        payee=UNSET if payee == provider else payee,
    )


def _due(draft: Draft, payable: Payable, purpose: Purpose) -> Deadline:
    """At once is on the first working day after the claim was submitted; else within the working days that the
    payable's policy promises (R1.4, R1.5, R10)."""
    if payable.pay_by is not None:
        return Deadline(0, payable.pay_by, payable.pay_by)
    days, after = payable.clock(purpose)
    return clock.deadline(draft.known[CALENDAR], days or policy_of(draft, payable).working_days, after)


def pay_out(draft: Draft, payable: Payable, cause: Place, asked: PaymentRetried | None = None) -> Iterator[Event]:
    """The waterfall over what is free of a payable, and an order for what is left of it in cash (R3.6)."""
    together = [one.ref for one in payables.carried_by(draft, payable)]
    yield from offset(draft, payable, cause, own=together)
    kind = payables.kind(draft, payable)
    yield from kind.ordering(draft, payable, cause)
    if payable.waits(draft.known[TODAY]):
        return
    if cash := positive(added(to_pay(draft, payable, together), kind.not_in_cash(draft, payable), -1)):
        yield from order(draft, payable, cause, payable.owed_as, cash, asked)


def cancel(draft: Draft, payable: Payable, cause: Place, fund: str, reason: str) -> Iterator[Event]:
    """Every payment of a fund of a payable that has not been sent."""
    for payment in unsent_of(draft, payable):
        if payment.fund == fund:
            yield PaymentCancelled(
                **payable.fields(cause, payment.amounts),
                payment_ref=payment.payment_ref,
                payable_ref=payable.ref,
                amounts=yuans(payment.amounts),
                reason=reason,
            )


def evolve(draft: Draft, event: PaymentOrdered) -> None:
    ordered(payables.change(draft, names.payable(event)), event)
    draft[PAYMENTS].put(names.payment(event), payments.ordered(event))
