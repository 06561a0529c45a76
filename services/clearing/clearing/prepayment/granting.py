"""What an approved plan gives a provider: a prepayment that is ordered to be paid, or changed. Pure.

What stays true: a plan's word on a prepayment counts once; what was not paid yet is paid as the last plan says, what
was paid beyond that is due. Source: R2.3, R2.4.
"""

from collections.abc import Iterator

from clearing import names
from clearing.agreements import AGREEMENTS
from clearing.dimensions import disputed
from clearing.funds import Fens, yuans
from clearing.payable import Kind
from clearing.payments.orders import cancel
from clearing.payments.payment import Payment, amounts_unsent
from clearing.policy import policy_of
from clearing.prepayment import amounts, ending
from clearing.prepayment.applying import blocked
from clearing.prepayment.ending import taken_now
from clearing.prepayment.giving import fields, frozen, order
from clearing.prepayment.prepayment import PREPAYMENTS, Prepayment, given
from medfund import money, people
from medfund.events.bank import BankPaymentSettled
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentRetried
from medfund.events.prepayments import (
    PrepaymentAdjusted,
    PrepaymentApproved,
    PrepaymentDisbursed,
    PrepaymentGranted,
    PrepaymentPurchasesNoted,
    PrepaymentPurchasesReported,
    PrepaymentRefused,
)
from medfund.lanes.draft import Draft
from medfund.lanes.mandates import MANDATES, covers


def granted(draft: Draft, event: PrepaymentGranted, cause: Place) -> Iterator[Event]:
    prepayment = draft[PREPAYMENTS].get(names.prepayment(event))
    if prepayment is None or prepayment.status == "REFUSED":
        yield disputed(event, cause, f"there is no application {event.prepayment_ref} that was found good")
    elif people.count(event.approvers) < 2:
        yield disputed(event, cause, f"plan {event.plan_ref} has one approver, and needs two")
    elif (why := _not_behind(draft, event)) is not None:
        yield disputed(event, cause, why)
    elif money.fen(event.amount) > (most := _most(draft, prepayment, event)):
        yield disputed(event, cause, f"{event.amount} is more than {money.yuan(most)}, which is all that may be given")
    elif 0 < money.fen(event.amount) < (least := _least(draft, prepayment)):
        yield disputed(event, cause, f"{event.amount} is less than {money.yuan(least)}, the least of a bulk purchase")
    elif prepayment.status == "CHECKED":
        yield from _first(draft, prepayment, event, cause)
    elif prepayment.status == "APPROVED":
        yield from _changed(draft, prepayment, event, cause)
    else:
        yield disputed(event, cause, f"{prepayment.ref} is {prepayment.status}: no plan changes it")


def _not_behind(draft: Draft, event: PrepaymentGranted) -> str | None:
    """Why those who approved its plan could not, on that day: as with payments, each has a mandate for the amount, and
    one of them is an approver."""
    roles = []
    for person in event.approvers:
        mandate = draft.known[MANDATES].of(event.area, person, event.granted_on)
        if mandate is None or not covers(mandate, money.fen(event.amount)):
            return f"{person}, who approved plan {event.plan_ref}, has no mandate for it on {event.granted_on}"
        roles.append(mandate.role)
    return None if "approver" in roles else f"no approver has approved plan {event.plan_ref}"


def _most(draft: Draft, prepayment: Prepayment, event: PrepaymentGranted) -> int:
    """A month's settlements, less what another kind gives; of a bulk purchase what was agreed (R2.3, R2.6, edge case
    47)."""
    if prepayment.kind == "BULK":
        return prepayment.agreed
    others = sum(
        one.granted
        for one in draft[PREPAYMENTS].values()
        if one.ref != prepayment.ref
        and one.status == "APPROVED"
        and one.kind != "BULK"
        and (one.dimensions.provider, one.fund, one.year) == (event.provider, prepayment.fund, prepayment.year)
    )
    return max(0, money.fen(event.base) - others)


def _least(draft: Draft, prepayment: Prepayment) -> int:
    """A bulk purchase's is its ratio, or nothing: it is not scaled down (R2.6, R10)."""
    if prepayment.kind != "BULK":
        return 0
    return amounts.grant(prepayment.agreed, policy_of(draft, prepayment).prepayment_bulk_ratio)


def _first(draft: Draft, prepayment: Prepayment, event: PrepaymentGranted, cause: Place) -> Iterator[Event]:
    about = fields(draft, prepayment, cause)
    if not draft.known[AGREEMENTS].active(event.provider, event.granted_on):
        detail = f"no agreement is in force on {event.granted_on}"
        yield PrepaymentRefused(**about, fund=prepayment.fund, code="AGREEMENT", detail=detail)
        return
    if (why := frozen(draft, prepayment)) is not None:
        yield PrepaymentRefused(**about, fund=prepayment.fund, code="GATE", detail=why)
        return
    if (no := blocked(draft, event.provider, prepayment.fund, prepayment.year)) is not None:
        yield PrepaymentRefused(**about, fund=prepayment.fund, code=no.code, detail=no.detail)
        return
    amount = money.fen(event.amount)
    if amount == 0:
        detail = f"plan {event.plan_ref} leaves nothing for it"
        yield PrepaymentRefused(**about, fund=prepayment.fund, code="TOO_LITTLE", detail=detail)
        return
    yield PrepaymentApproved(
        **about,
        plan_ref=event.plan_ref,
        base=event.base,
        ratio=event.ratio,
        amounts={prepayment.fund: event.amount},
        approvers=event.approvers,
    )
    if prepayment.kind != "MONTHLY":
        yield from order(draft, prepayment, cause, amount)


def _changed(draft: Draft, prepayment: Prepayment, event: PrepaymentGranted, cause: Place) -> Iterator[Event]:
    if event.plan_ref == prepayment.plan_ref:
        yield disputed(event, cause, f"plan {event.plan_ref} has given {prepayment.ref} before")
        return
    amount = money.fen(event.amount)
    yield PrepaymentAdjusted(
        **fields(draft, prepayment, cause),
        plan_ref=event.plan_ref,
        amounts={prepayment.fund: event.amount},
        delta={prepayment.fund: money.yuan(amount - prepayment.granted)},
    )
    yield from cancel(draft, prepayment, cause, prepayment.fund, f"plan {event.plan_ref}")
    if prepayment.kind == "MONTHLY":
        return
    if (left := amount - paid_or_on_its_way(draft, prepayment)) > 0:
        yield from order(draft, prepayment, cause, left)
    yield from taken_now(draft, prepayment, cause)


def paid_or_on_its_way(draft: Draft, prepayment: Prepayment) -> int:
    """Fen of its payments that were paid or sent; orders that wait to be sent are not counted."""
    unsent = amounts_unsent(draft, prepayment).get(prepayment.fund, 0)
    return given(prepayment) + prepayment.pending.get(prepayment.fund, 0) - unsent


def _not_again(prepayment: Prepayment) -> str | None:
    """Why what failed or came back of it is not paid any more."""
    if prepayment.status != "APPROVED":
        return f"is {prepayment.status}: it is not paid any more"
    if prepayment.kind == "MONTHLY" and (prepayment.left > 0 or prepayment.pending):
        return "has been given for a later month"
    return None


def _settled(
    draft: Draft, prepayment: Prepayment, payment: Payment, event: BankPaymentSettled, amounts: Fens, cause: Place
) -> Iterator[Event]:
    """The bank confirmed the payment: the prepayment is outstanding from now on."""
    yield PrepaymentDisbursed(
        **fields(draft, prepayment, cause),
        payment_ref=payment.payment_ref,
        value_date=event.value_date,
        amounts=yuans(amounts),
        outstanding=yuans(prepayment.outstanding),
    )
    yield from taken_now(draft, prepayment, cause)


def _again(
    draft: Draft, prepayment: Prepayment, payment: Payment, amounts: Fens, cause: Place, asked: PaymentRetried | None
) -> Iterator[Event]:
    yield from order(draft, prepayment, cause, sum(amounts.values()), asked)


def purchased(draft: Draft, event: PrepaymentPurchasesReported, cause: Place) -> Iterator[Event]:
    """A bulk purchase goes on: what was given for it is due in proportion (R2.6); what is cleared stays so."""
    named = [one for one in draft[PREPAYMENTS].values() if one.contract_ref == event.contract_ref]
    mine = [one for one in named if one.dimensions.provider == event.provider]
    if not any(one.status in ("APPROVED", "CLEARED") for one in mine):
        yield disputed(event, cause, f"there is no prepayment for contract {event.contract_ref}")
    for prepayment in sorted((one for one in mine if one.status == "APPROVED"), key=lambda one: one.fund):
        amount = event.purchased.get(prepayment.fund)
        if amount is not None and money.fen(amount) != prepayment.purchased:
            yield PrepaymentPurchasesNoted(**fields(draft, prepayment, cause), purchased=amount)
            yield from taken_now(draft, prepayment, cause)


PAYABLE = Kind(things=PREPAYMENTS, settled=_settled, not_again=_not_again, again=_again, repaid=ending.REPAID)
