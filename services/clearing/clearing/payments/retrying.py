"""What failed or came back is paid again when somebody asks for it. Pure. Source: R3.7, c.2 (24)."""

from collections.abc import Iterator

from clearing import names
from clearing import payable as payables
from clearing.dimensions import disputed
from clearing.funds import Fens, yuans
from clearing.payments.orders import pay_out
from clearing.payments.payment import PAYMENTS, Payment
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.events.treasury import PaymentRetryRequested
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft
from medfund.lanes.mandates import MANDATES


def requested(draft: Draft, event: PaymentRetryRequested, cause: Place) -> Iterator[Event]:
    payment = draft[PAYMENTS].get(names.payment(event))
    if payment is None:
        yield disputed(event, cause, f"there is no payment {event.payment_ref}")
        return
    if not any(payment.to_retry.values()):
        yield disputed(event, cause, f"nothing of payment {event.payment_ref} failed or came back and waits")
        return
    today, staff_ref = draft.known[TODAY], event.staff_ref
    if today is None or draft.known[MANDATES].of(payment.area, staff_ref, today) is None:
        yield disputed(event, cause, f"{staff_ref} has no mandate of area {payment.area} on {today}")
        return
    payable, amounts = payables.get(draft, payment.payable), dict(payment.to_retry)
    if (why := payables.kind(draft, payable).not_again(payable)) is not None:
        yield disputed(event, cause, f"{payable.ref} {why}")
        return
    asked = PaymentRetried(
        **payable.fields(cause, amounts),
        payment_ref=payment.payment_ref,
        payable_ref=payment.payable_ref,
        amounts=yuans(amounts),
        requested_by=staff_ref,
    )
    yield asked
    yield from again(draft, payment, amounts, cause, asked)


def again(
    draft: Draft, payment: Payment, amounts: Fens, cause: Place, asked: PaymentRetried | None = None
) -> Iterator[Event]:
    """As its kind says, or with what else is open of its payable: after the waterfall, for something may have fallen
    due meanwhile."""
    payable = payables.get(draft, payment.payable)
    if again := payables.kind(draft, payable).again:
        yield from again(draft, payable, payment, amounts, cause, asked)
    else:
        yield from pay_out(draft, payables.carrier(draft, payable), cause, asked=asked)
