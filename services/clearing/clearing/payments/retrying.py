"""What failed or came back is paid again when somebody asks for it. Pure. Source: R3.7, c.2 (24)."""

from collections.abc import Iterator

from clearing import names
from clearing.claims.claim import Claim
from clearing.dimensions import disputed
from clearing.funds import Fens, yuans
from clearing.instant.paying import pay_part
from clearing.payments.orders import pay_out
from clearing.payments.payment import Payment
from clearing.prepayment import giving, granting
from clearing.prepayment.prepayment import Prepayment
from clearing.state import Draft
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.events.treasury import PaymentRetryRequested


def requested(draft: Draft, event: PaymentRetryRequested, cause: Place) -> Iterator[Event]:
    payment = draft.payments.get(names.payment(event))
    if payment is None:
        yield disputed(event, cause, f"there is no payment {event.payment_ref}")
        return
    if not any(payment.to_retry.values()):
        yield disputed(event, cause, f"nothing of payment {event.payment_ref} failed or came back and waits")
        return
    today, staff_ref = draft.known.today, event.staff_ref
    if today is None or draft.known.mandates.of(payment.area, staff_ref, today) is None:
        yield disputed(event, cause, f"{staff_ref} has no mandate of area {payment.area} on {today}")
        return
    payable, amounts = draft.payable(payment.payable), dict(payment.to_retry)
    if isinstance(payable, Prepayment) and (why := granting.not_paid_again(payable)) is not None:
        yield disputed(event, cause, f"{payable.ref} {why}")
        return
    asked = PaymentRetried(
        **payable.told(cause, amounts),
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
    """A P1 of a claim in review as a P1, anything else with what else is open of its payable: after the waterfall, for
    something may have fallen due meanwhile."""
    payable = draft.payable(payment.payable)
    if isinstance(payable, Prepayment):
        yield from giving.order(draft, payable, cause, sum(amounts.values()), asked)
    elif payment.purpose == "INSTANT" and isinstance(payable, Claim) and not payable.lead:
        yield from pay_part(draft, payable, cause, amounts, asked)
    else:
        yield from pay_out(draft, draft.carrier(payable), cause, asked=asked)
