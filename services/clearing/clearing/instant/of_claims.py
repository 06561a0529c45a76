"""What follows for a claim when the bank has paid something of it, or that is to be ordered anew. Pure.

Source: R1.4, R1.5, R10.
"""

from collections.abc import Iterator

from clearing import payable as payables
from clearing.claims import deadlines
from clearing.claims.claim import CLAIMS, Claim
from clearing.funds import Fens, positive
from clearing.instant.paying import pay_part
from clearing.offsets.taking import offset
from clearing.payable import Kind
from clearing.payments.orders import cancel, pay_out
from clearing.payments.payment import Payment, unsent_of
from clearing.policy import policy_of
from medfund.events.bank import BankPaymentSettled, BankReturnReversed
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.lanes.days import CALENDAR, TODAY
from medfund.lanes.draft import Draft


def _settling(draft: Draft, claim: Claim, event: BankPaymentSettled, cause: Place) -> Iterator[Event]:
    yield from deadlines.told_breached(claim, event.value_date, cause)


def _paid(
    draft: Draft, claim: Claim, payment: Payment, event: BankPaymentSettled | BankReturnReversed, amounts: Fens,
    cause: Place,
) -> Iterator[Event]:  # fmt: skip
    """What was told as late before this was known is taken back (R10)."""
    carrier = draft[CLAIMS][claim.carried_by]
    day, policy = draft.known[TODAY] or event.value_date, policy_of(draft, carrier)
    yield from deadlines.told_withdrawn(carrier, day, policy, draft.known[CALENDAR], cause)
    if payment.purpose == "INSTANT" and claim.lead:
        yield from _advance_taken(draft, claim, carrier, payment, cause)


def _advance_taken(draft: Draft, claim: Claim, carrier: Claim, payment: Payment, cause: Place) -> Iterator[Event]:
    """An advance that stands after its claim was approved is taken from what that is owed: from what is free, and then
    from what is ordered and not sent."""
    yield from offset(draft, carrier, cause, own=[claim.ref])
    for fund in positive(claim.advance):
        if any(order.fund == fund for order in unsent_of(draft, carrier)):
            yield from cancel(draft, carrier, cause, fund, f"{payment.payment_ref} was paid")
            yield from pay_out(draft, carrier, cause)


def _again(
    draft: Draft, claim: Claim, payment: Payment, amounts: Fens, cause: Place, asked: PaymentRetried | None
) -> Iterator[Event]:
    """A P1 of a claim of which nothing is approved is a P1 again."""
    if payment.purpose == "INSTANT" and not claim.lead:
        yield from pay_part(draft, claim, cause, amounts, asked)
    else:
        yield from pay_out(draft, payables.carrier(draft, claim), cause, asked=asked)


PAYABLE = Kind(things=CLAIMS, settling=_settling, settled=_paid, undone=_paid, again=_again, at_once=pay_part)
