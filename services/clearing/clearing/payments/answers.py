"""What the bank says of payments: money that left, that came back, that it did not send. Pure.

What stays true: whatever moved on a bank account is booked. What it paid is booked to what was ordered, as far as that
goes, and the rest to suspense; the same line of the bank again is the same money.
Source: c.2 (23, 24), c.4.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from clearing import names
from clearing import payable as payables
from clearing.dimensions import disputed
from clearing.funds import Fens, added, at_most, fens, yuans
from clearing.payable import Payable
from clearing.payments import payment as payments
from clearing.payments import reasons, suspense
from clearing.payments.orders import pay_out
from clearing.payments.payment import PAYMENTS, Payment, unsent_of
from clearing.payments.retrying import again
from clearing.policy import policy_of
from medfund import codes
from medfund.events.bank import (
    BankAnswer,
    BankPaymentRejected,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
)
from medfund.events.kinds import Event, Place
from medfund.events.payments import (
    PaymentCancelled,
    PaymentDoubted,
    PaymentFailed,
    PaymentRetried,
    PaymentReturned,
    PaymentReturnUndone,
    PaymentSettled,
)
from medfund.lanes.draft import Draft

Part: TypeAlias = tuple[Payable, Fens, Fens]
"""What of an answer is of a payable: as an advance, and as what it is owed."""


def settled(draft: Draft, event: BankPaymentSettled, cause: Place) -> Iterator[Event]:
    """The bank paid what was ordered, or a part of it, whether that was sent or not: the money has left. What it had
    rejected and paid in full all the same is paid, and what was ordered in its place and is not sent is not sent.
    """
    payment, paid = draft[PAYMENTS].get(names.payment(event)), fens(event.amounts)
    if _is_known(draft, payment, event):
        yield disputed(event, cause, f"bank transaction {event.bank_txn} is booked already")
        return
    now = at_most(paid, payment.payable_still) if payment else {}
    order = None
    if payment and payment.status == "FAILED" and now != payment.left:
        whole = at_most(paid, payment.left) == payment.left
        order = _asked_again(draft, payment, payment.left) if whole else None
        now = payment.left if order or (whole and _is_with_approved(draft, payment)) else {}
    if order:
        yield _cancelled(draft, order, cause, f"the bank paid {event.payment_ref} all the same")
    if now and payment:
        yield from _settled(draft, payment, event, cause, now)
        yield from _rest_of(draft, order, cause)
    if odd := added(paid, now, -1):
        yield from suspense.odd(event, cause, odd, _why_not_paid(payment, event))


def _settled(draft: Draft, payment: Payment, event: BankPaymentSettled, cause: Place, amounts: Fens) -> Iterator[Event]:
    """What is left of a payment that was never sent nobody would send: it is ordered anew."""
    payable, unsent = payables.get(draft, payment.payable), payment.unsent
    kind = payables.kind(draft, payable)
    yield from kind.settling(draft, payable, event, cause)
    yield PaymentSettled(**_answered(draft, payable, payment, event, cause, amounts))
    yield from kind.settled(draft, payable, payment, event, amounts, cause)
    if unsent and (left := payment.left):
        yield _cancelled(draft, payment, cause, f"a part of it was paid, and {payment.payment_ref} was not sent")
        yield from again(draft, payment, left, cause)


def _why_not_paid(payment: Payment | None, event: BankAnswer) -> str:
    if payment is None:
        return reasons.NOT_ORDERED.format(event.payment_ref)
    why = {"FAILED": reasons.FAILED, "CANCELLED": reasons.CANCELLED}.get(payment.status, reasons.MORE_THAN_PAYMENT)
    return why.format(event.payment_ref)


def returned(draft: Draft, event: BankPaymentReturned, cause: Place) -> Iterator[Event]:
    """A P1 comes back to its advance as far as that is open, the rest to the payable (c.4)."""
    payment, came = draft[PAYMENTS].get(names.payment(event)), fens(event.amounts)
    if _is_known(draft, payment, event):
        yield disputed(event, cause, f"bank transaction {event.bank_txn} is booked already")
        return
    back = at_most(came, payment.kept) if payment else {}
    if back and payment:
        payable = payables.get(draft, payment.payable)
        yield from _returned(draft, payment, event, cause, back)
        yield from payables.kind(draft, payable).returned(draft, payable, payment, event, back, cause)
    if odd := added(came, back, -1):
        yield from suspense.odd(event, cause, odd, reasons.MORE_COMES_BACK.format(event.payment_ref))


def _returned(
    draft: Draft, payment: Payment, event: BankPaymentReturned, cause: Place, back: Fens
) -> Iterator[PaymentReturned]:
    """Of claims that were approved together, the first one is owed what is no advance any more."""
    payable, instant = payables.get(draft, payment.payable), payment.purpose == "INSTANT"
    to_advance = at_most(back, payable.advance) if instant else back
    carrier, rest = payables.carrier(draft, payable), added(back, to_advance, -1)
    for of, advance, owed in _as_one((payable, to_advance, {}), (carrier, {}, rest)):
        yield PaymentReturned(
            **_answered(draft, of, payment, event, cause, added(advance, owed)),
            to_advance=yuans(advance if instant else {}),
            to_payable=yuans(owed),
            reason=event.reason,
        )


def _as_one(first: Part, second: Part) -> Iterator[Part]:
    """What is of one payable is told as one; of nothing there is nothing to tell."""
    if first[0] is second[0]:
        yield first[0], first[1], second[2]
        return
    yield from (part for part in (first, second) if part[1] or part[2])


def reversed_(draft: Draft, event: BankReturnReversed, cause: Place) -> Iterator[Event]:
    """A return is undone as far as nobody has asked that it be paid again; what was asked for and is not sent is not
    sent. Where it is on its way already, the bank has paid twice: that is in suspense."""
    payment, went = draft[PAYMENTS].get(names.payment(event)), fens(event.amounts)
    if _is_known(draft, payment, event):
        yield disputed(event, cause, f"bank transaction {event.bank_txn} is booked already")
        return
    stands = at_most(went, at_most(payment.to_retry, payment.returned)) if payment else {}
    order = None
    if payment and not stands and at_most(went, payment.returned) == went:
        order = _asked_again(draft, payment, went)
        stands = went if order or _is_with_approved(draft, payment) else {}
    if order:
        yield _cancelled(draft, order, cause, f"bank transaction {event.bank_txn} takes the return back")
    if stands and payment:
        yield from _undone(draft, payment, event, cause, stands, to_payable=order is not None and _owed(draft, order))
        payable = payables.get(draft, payment.payable)
        yield from payables.kind(draft, payable).undone(draft, payable, payment, event, stands, cause)
        yield from _rest_of(draft, order, cause)
    if odd := added(went, stands, -1):
        yield from suspense.odd(event, cause, odd, reasons.NOTHING_CAME_BACK.format(event.payment_ref))


def _asked_again(draft: Draft, payment: Payment, amounts: Fens) -> Payment | None:
    """The order in place of what failed or came back, not sent yet; one for more than that is for a payable alone."""
    fitting = (
        order
        for order in _unsent(draft, payment)
        if order.retry_of == payment.payment_ref and at_most(amounts, order.amounts) == amounts
    )
    return next((order for order in fitting if _owed(draft, order) or order.amounts == amounts), None)


def _is_with_approved(draft: Draft, payment: Payment) -> bool:
    """Whether a P1 is paid with what was approved of its claim, which is not sent yet and makes way for its advance."""
    orders = (order for order in _unsent(draft, payment) if _owed(draft, order) and order.fund == payment.fund)
    return bool(payment.with_approved) and any(True for _ in orders)


def _unsent(draft: Draft, payment: Payment) -> list[Payment]:
    payable = payables.get(draft, payment.payable)
    return [order for one in (payable, payables.carrier(draft, payable)) for order in unsent_of(draft, one)]


def _owed(draft: Draft, order: Payment) -> bool:
    """Whether it pays what is owed, and no advance."""
    return order.purpose == payables.get(draft, order.payable).owed_as


def _rest_of(draft: Draft, order: Payment | None, cause: Place) -> Iterator[Event]:
    """What else was in an order that ended is ordered anew."""
    if order is not None and _owed(draft, order):
        yield from pay_out(draft, payables.carrier(draft, payables.get(draft, order.payable)), cause)


def _cancelled(draft: Draft, order: Payment, cause: Place, reason: str) -> PaymentCancelled:
    return PaymentCancelled(
        **payables.get(draft, order.payable).fields(cause, order.left),
        payment_ref=order.payment_ref,
        payable_ref=order.payable_ref,
        amounts=yuans(order.left),
        reason=reason,
    )


def _undone(
    draft: Draft, payment: Payment, event: BankReturnReversed, cause: Place, amounts: Fens, *, to_payable: bool
) -> Iterator[PaymentReturnUndone]:
    """`to_payable`: all of it was ordered for the payable again. Otherwise what the return had put there."""
    payable, instant = payables.get(draft, payment.payable), payment.purpose == "INSTANT"
    carrier = payables.carrier(draft, payable)
    owed = amounts if to_payable else at_most(amounts, carrier.to_retry) if instant else {}
    for of, advance, back in _as_one((payable, added(amounts, owed, -1), {}), (carrier, {}, owed)):
        yield PaymentReturnUndone(
            **_answered(draft, of, payment, event, cause, added(advance, back)),
            to_payable=yuans(back if instant else {}),
            to_advance=yuans(advance if instant else {}),
        )


def rejected(draft: Draft, event: BankPaymentRejected, cause: Place) -> Iterator[Event]:
    """No money left, or no more than a part: what it was to pay still is open, until somebody asks that it be paid
    again. That the bank has it already says nothing of the first delivery: it may pay that one still."""
    payment = draft[PAYMENTS].get(names.payment(event))
    if payment is None:
        yield disputed(event, cause, f"no payment {event.payment_ref} was ordered")
    elif codes.says_repeated(event.code, event.reason) and payment.status in ("SENT", "FAILED"):
        yield PaymentDoubted(
            **payables.get(draft, payment.payable).fields(cause, payment.amounts),
            payment_ref=payment.payment_ref,
            payable_ref=payment.payable_ref,
            amounts=yuans(payment.amounts),
            code=event.code,
            reason=event.reason,
            told_on=event.rejected_on,
        )
    elif payment.status != "SENT":
        yield disputed(event, cause, f"payment {event.payment_ref} is {payment.status}, not on its way")
    else:
        yield PaymentFailed(
            **payables.get(draft, payment.payable).fields(cause, payment.left),
            payment_ref=payment.payment_ref,
            payable_ref=payment.payable_ref,
            amounts=yuans(payment.left),
            code=event.code,
            reason=event.reason,
            failed_on=event.rejected_on,
            doubt=event.doubt,
        )


def _is_known(draft: Draft, payment: Payment | None, event: BankAnswer) -> bool:
    """Whether this line of the bank is booked already, to the payment or to suspense; what was found there is told
    once."""
    if event.found_in is not None:
        return False
    return (payment is not None and _is_of(payment, event)) or suspense.is_known(draft, event)


def _is_of(payment: Payment, event: BankAnswer) -> bool:
    """What was booked before lines had a booking day is remembered by its number alone: the same line is of the same
    value date, as far as that is known."""
    if suspense.line_of(event) in payment.txns or event.booked_on is None:
        return suspense.line_of(event) in payment.txns
    return event.bank_txn in payment.txns and (
        bool(payment.returned) if isinstance(event, BankPaymentReturned) else payment.value_date == event.value_date
    )


def _answered(
    draft: Draft, payable: Payable, payment: Payment, event: BankAnswer, cause: Place, amounts: Fens
) -> dict[str, Any]:
    """What is told of a payment when the bank has answered, whichever the answer is."""
    policy = policy_of(draft, payable)
    return {
        **payable.fields(cause, amounts),
        "payment_ref": payment.payment_ref,
        "payable_ref": payable.ref,
        "purpose": payment.purpose,
        "bank_account": event.bank_account,
        "bank_txn": event.bank_txn,
        "value_date": event.value_date,
        "booked_on": event.booked_on,
        "amounts": yuans(amounts),
        "instant_stat": policy.instant_stat if payment.purpose == "INSTANT" else None,
        "supplier": payable.supplier_paid,
    }


# -- what the answers change


def evolve_cancelled(draft: Draft, event: PaymentCancelled) -> None:
    payment = draft[PAYMENTS].change(names.payment(event))
    payment.status = "CANCELLED"
    release(draft, payment)


def evolve_settled(draft: Draft, event: PaymentSettled) -> None:
    payable, amounts = payables.change(draft, names.payable(event)), fens(event.amounts)
    if draft[PAYMENTS][names.payment(event)].status == "FAILED":
        _take_up(draft, event)
    payments.settled(draft[PAYMENTS].change(names.payment(event)), event)
    payable.paid(event.purpose, amounts)
    payable.last_paid = max(event.value_date, payable.last_paid or event.value_date)


def _take_up(draft: Draft, event: PaymentSettled) -> None:
    """What the bank had rejected is on its way again, and nothing waits to be asked for: it has paid it."""
    payment, amounts = draft[PAYMENTS].change(names.payment(event)), fens(event.amounts)
    payable = payables.change(draft, payment.payable)
    waits = payables.carrier(draft, payable)
    waits.to_retry = added(waits.to_retry, at_most(payment.to_retry, waits.to_retry), -1)
    payables.change(draft, waits.name)
    payment.to_retry = added(payment.to_retry, at_most(amounts, payment.to_retry), -1)
    payable.reserve(payment.purpose, amounts)


def evolve_returned(draft: Draft, event: PaymentReturned) -> None:
    payables.change(draft, names.payable(event)).came_back(event)
    payments.returned(draft[PAYMENTS].change(names.payment(event)), event)


def evolve_undone(draft: Draft, event: PaymentReturnUndone) -> None:
    payables.change(draft, names.payable(event)).went_again(event)
    payments.undone(draft[PAYMENTS].change(names.payment(event)), event)


def evolve_failed(draft: Draft, event: PaymentFailed) -> None:
    payment = draft[PAYMENTS].change(names.payment(event))
    payments.failed(payment, event)
    release(draft, payment)
    waits = payables.carrier(draft, payables.get(draft, payment.payable))
    if waits.owed and not waits.reviewed:
        waits.to_retry = added(waits.to_retry, fens(event.amounts))
        payables.change(draft, waits.name)


def release(draft: Draft, payment: Payment) -> None:
    """Give back to the payable what a payment had reserved."""
    payables.change(draft, payment.payable).reserve(payment.purpose, payment.left, -1)


def evolve_retried(draft: Draft, event: PaymentRetried) -> None:
    """A P1 of a claim in review waits by itself alone: no payable waits with it."""
    payment = draft[PAYMENTS].change(names.payment(event))
    if event.requested_by is not None:
        waits = payables.carrier(draft, payables.get(draft, payment.payable))
        waits.to_retry = added(waits.to_retry, at_most(payment.to_retry, waits.to_retry), -1)
        payables.change(draft, waits.name)
    payments.retried(payment, event)
