"""Payments that are ordered, and what the bank says of them. Pure. Source: domain.md R3.6, c.2 (20-24), c.4."""

from collections.abc import Iterator
from typing import Any

from clearing.claims import clock, deadlines
from clearing.claims.claim import Claim
from clearing.dimensions import disputed
from clearing.funds import Fens, added, fens, first_above, positive, yuans
from clearing.offsets.taking import free, offset
from clearing.payments.payable import Payable, Payment
from clearing.state import Draft
from medfund.events.bank import BankAnswer, BankPaymentReturned, BankPaymentSettled
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentOrdered, PaymentReturned, PaymentSettled


def order(draft: Draft, payable: Payable, cause: Place, purpose: Any, cash: Fens) -> PaymentOrdered:
    """To be paid within the working days that the payable's policy promises."""
    policy = draft.policy_of(payable)
    return PaymentOrdered(
        **payable.told(cause, cash),
        payment_ref=f"{payable.ref}/P{1 if purpose == 'INSTANT' else payable.orders + 2}",
        payable_ref=payable.ref,
        purpose=purpose,
        amounts=yuans(cash),
        due=clock.deadline(draft.known.calendar, policy.working_days, payable.cut_off).earliest,
    )


def pay_out(draft: Draft, payable: Payable, cause: Place, own: list[Claim] | None = None) -> Iterator[Event]:
    """The waterfall over what is free of a payable, and an order for what is left of it in cash (R3.6).

    `own`: the claims that were approved together with it, itself included.
    """
    together = [claim.ref for claim in own or ()] or [payable.ref]
    yield from offset(draft, payable, cause, own=together)
    if cash := positive(free(draft, payable, together)):
        yield order(draft, payable, cause, "PAYABLE", cash)


def settled(draft: Draft, event: BankPaymentSettled, cause: Place) -> Iterator[Event]:
    """The bank paid what was ordered. An advance that was paid after its claim was approved is taken back at once."""
    payment = draft.payments.get(event.payment_ref)
    if payment is None or payment.provider != event.provider:
        yield disputed(event, cause, f"no payment {event.payment_ref} was ordered")
        return
    if payment.status != "ORDERED":
        yield disputed(event, cause, f"payment {event.payment_ref} is settled already")
        return
    if fens(event.amounts) != payment.amounts:
        yield disputed(event, cause, f"payment {event.payment_ref} was ordered with other amounts")
        return
    payable = draft.payable(payment.payable_ref)
    if isinstance(payable, Claim):
        yield from deadlines.told_breached(payable, event.value_date, cause)
    yield PaymentSettled(**_answered(draft, payable, payment, event, cause))
    if payment.purpose == "INSTANT" and isinstance(payable, Claim) and payable.lead:
        yield from offset(draft, draft.claims[payable.lead], cause, own=[payable.ref])


def returned(draft: Draft, event: BankPaymentReturned, cause: Place) -> Iterator[Event]:
    """A P1 comes back to its advance as far as that is open, the rest to the payable (c.4)."""
    payment = draft.payments.get(event.payment_ref)
    back = fens(event.amounts)
    if payment is None or payment.status != "SETTLED" or payment.provider != event.provider:
        yield disputed(event, cause, f"no payment {event.payment_ref} was settled")
        return
    if (fund := first_above(back, added(payment.amounts, payment.returned, -1))) is not None:
        yield disputed(event, cause, f"more of fund {fund} comes back than payment {event.payment_ref} paid")
        return
    payable = draft.payable(payment.payable_ref)
    instant = payment.purpose == "INSTANT"
    to_advance = {fund: min(fen, payable.advance.get(fund, 0)) for fund, fen in back.items()} if instant else {}
    yield PaymentReturned(
        **_answered(draft, payable, payment, event, cause),
        to_advance=yuans(to_advance),
        to_payable=yuans({fund: fen - to_advance[fund] for fund, fen in back.items()} if instant else {}),
        reason=event.reason,
    )


def _answered(draft: Draft, payable: Payable, payment: Payment, event: BankAnswer, cause: Place) -> dict[str, Any]:
    """What is told of a payment when the bank has answered, whichever the answer is."""
    policy = draft.policy_of(payable)
    return {
        **payable.told(cause, event.amounts),
        "payment_ref": payment.payment_ref,
        "payable_ref": payment.payable_ref,
        "purpose": payment.purpose,
        "bank_account": event.bank_account,
        "bank_txn": event.bank_txn,
        "value_date": event.value_date,
        "amounts": event.amounts,
        "instant_stat": policy.instant_stat if payment.purpose == "INSTANT" else None,
    }


# -- what the answers change


def evolve_settled(draft: Draft, event: PaymentSettled) -> None:
    payable, payment = draft.change(event.payable_ref), draft.change_payment(event.payment_ref)
    amounts = fens(event.amounts)
    payment.status, payment.value_date = "SETTLED", event.value_date
    if event.purpose == "INSTANT":
        payable.pending = added(payable.pending, amounts, -1)
        payable.advance = added(payable.advance, amounts)
    else:
        payable.ordered = added(payable.ordered, amounts, -1)
        payable.payable = added(payable.payable, amounts, -1)
    payable.last_paid = max(event.value_date, payable.last_paid or event.value_date)


def evolve_returned(draft: Draft, event: PaymentReturned) -> None:
    payable, payment = draft.change(event.payable_ref), draft.change_payment(event.payment_ref)
    payment.returned = added(payment.returned, fens(event.amounts))
    if event.purpose == "INSTANT":
        payable.advance = added(payable.advance, fens(event.to_advance), -1)
        payable.payable = added(payable.payable, fens(event.to_payable))
    else:
        payable.payable = added(payable.payable, fens(event.amounts))
