"""The payee says that a payment has come. Pure. Source: c.2 (25).

What stays true: it is said once, of a payment that was sent, and moves no money: that it was paid, the bank proves.
"""

from collections.abc import Iterator

from clearing import names
from clearing.dimensions import disputed
from clearing.payments.payment import PAYMENTS, Payment
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentConfirmed, PaymentReceiptNoted
from medfund.lanes.draft import Draft


def confirmed(draft: Draft, event: PaymentConfirmed, cause: Place) -> Iterator[Event]:
    """Noted also before the bank confirms."""
    payment = draft[PAYMENTS].get(names.payment(event))
    if payment is None:
        yield disputed(event, cause, f"no payment {event.payment_ref} was ordered")
    elif payment.confirmed_on == event.received_on:
        return
    elif (why := _contradiction(payment, event)) is not None:
        yield disputed(event, cause, f"{event.payment_ref} {why}")
    else:
        yield PaymentReceiptNoted(
            provider=event.provider,
            area=event.area,
            cause=cause,
            payment_ref=event.payment_ref,
            received_on=event.received_on,
        )


def _contradiction(payment: Payment, event: PaymentConfirmed) -> str | None:
    if payment.confirmed_on is not None:
        return f"was confirmed before, as received on {payment.confirmed_on}"
    if payment.status not in ("SENT", "SETTLED"):
        return "was not sent to the bank, or was not carried out"
    if payment.value_date is not None and event.received_on < payment.value_date:
        return f"was paid on {payment.value_date}, and cannot have come before"
    if payment.status == "SETTLED" and not any(payment.kept.values()):
        return "came back to the fund"
    return None
