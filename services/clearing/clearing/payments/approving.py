"""Two people behind each payment: who has approved it, and whether that counts. Pure. Source: c.2 (21), reliability 76.

Whoever asked for a payment is one of the two, with a mandate that covers it; else two people approve it. One of those
who approve has the role of an approver; each has a mandate of the area on that day, and its limit covers the sum of all
that the person approves for the payee on that day: no limit is passed by splitting.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from clearing import payable as payables
from clearing.dimensions import disputed
from clearing.funds import yuans
from clearing.names import Name
from clearing.payments import accounts
from clearing.payments.payment import PAYMENTS, Payment
from clearing.policy import policy_of
from medfund import money, people
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentApprovalRefused, PaymentApproved
from medfund.events.treasury import PaymentApprovalGiven
from medfund.lanes import mandates
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft
from medfund.lanes.mandates import MANDATES, Mandates

PEOPLE = 2


class Refusal(NamedTuple):
    code: str
    detail: str


def given(draft: Draft, event: PaymentApprovalGiven, cause: Place) -> Iterator[Event]:
    """Of each payment: whether the approval counts. None does where the person saw another sum than there is."""
    found = [draft[PAYMENTS].get(Name(event.provider, ref)) for ref in event.payments]
    payments = [payment for payment in found if payment is not None]
    today = draft.known[TODAY]
    if len(payments) < len(event.payments) or len(set(event.payments)) < len(event.payments):
        known = {payment.payment_ref for payment in payments}
        odd = next((ref for ref in event.payments if ref not in known), "one of them")
        yield disputed(event, cause, f"{odd} is no payment of {event.provider}, or is named twice: none is approved")
    elif (total := sum(sum(payment.amounts.values()) for payment in payments)) != money.fen(event.total):
        yield disputed(event, cause, f"the payments make {money.yuan(total)}, not {event.total}: none is approved")
    elif today is None:
        yield disputed(event, cause, "no day has been opened: nobody can say who has a mandate")
    else:
        said_yes = _said_yes(draft, event.staff_ref, today)
        for payment in payments:
            theirs = said_yes[payment.payee]
            others = sum(fen for name, fen in theirs.items() if name != payment.name)
            answer = _judged(draft, payment, event.staff_ref, today, cause, others)
            if isinstance(answer, PaymentApproved):
                theirs[payment.name] = sum(payment.amounts.values())
            yield answer


def _said_yes(draft: Draft, staff_ref: str, today: date) -> dict[str, dict[Name, int]]:
    """By payee: what a person approved today, as far as it was or may be paid."""
    found: dict[str, dict[Name, int]] = defaultdict(dict)
    for name, payment in draft[PAYMENTS].items():
        if payment.status not in ("CANCELLED", "FAILED") and payment.approved_on(staff_ref) == today:
            found[payment.payee][name] = sum(payment.amounts.values())
    return found


def _judged(draft: Draft, payment: Payment, staff_ref: str, today: date, cause: Place, others: int) -> Event:
    """`others`: what else the person approved for the payee today."""
    payable = payables.get(draft, payment.payable)
    told = {
        **payable.fields(cause, payment.amounts),
        "payment_ref": payment.payment_ref,
        "payable_ref": payment.payable_ref,
        "amounts": yuans(payment.amounts),
    }
    account = accounts.of(draft, payment.payee, payment.area).ref
    before = approvers(payment, today, account)
    if refusal := _refusal(draft, payment, before, staff_ref, today, others):
        return PaymentApprovalRefused(**told, staff_ref=staff_ref, code=refusal.code, detail=refusal.detail)  # type: ignore[arg-type]
    days = policy_of(draft, payable).approval_days
    return PaymentApproved(
        **told,
        approvers=[*before, staff_ref],
        missing=PEOPLE - len(behind(draft.known[MANDATES], payment, [*before, staff_ref], today)),
        expires_on=today + timedelta(days=days),
        bank_account_ref=account,
        approved_on=today,
    )


def approvers(payment: Payment, today: date, account: str) -> list[str]:
    """Whose approval still counts: it ends with its last day, and with the account that it was given for."""
    if payment.expires_on is None or payment.expires_on < today or payment.account != account:
        return []
    return payment.approvers


def behind(known: Mandates, payment: Payment, approved_by: list[str], day: date) -> list[str]:
    """Those who approved it, and before them whoever asked for it, with a mandate for it."""
    mandate = known.of(payment.area, payment.requested_by, day) if payment.requested_by else None
    asked = mandate is not None and mandates.covers(mandate, sum(payment.amounts.values()))
    return [*([payment.requested_by] if payment.requested_by and asked else []), *approved_by]


def _refusal(
    draft: Draft, payment: Payment, before: list[str], staff_ref: str, today: date, others: int
) -> Refusal | None:
    those = behind(draft.known[MANDATES], payment, before, today)
    if not payment.unsent or len(those) >= PEOPLE:
        return Refusal("NOT_WAITING", f"payment {payment.payment_ref} waits for no approval")
    if people.same(staff_ref, payment.requested_by):
        return Refusal("REQUESTER", f"{staff_ref} asked for this payment")
    if people.among(staff_ref, before):
        return Refusal("TWICE", f"{staff_ref} approved this payment already")
    if not accounts.of(draft, payment.payee, payment.area).ref:
        return Refusal("ACCOUNT", f"nobody has told where {payment.payee} is paid to")
    mandate = draft.known[MANDATES].of(payment.area, staff_ref, today)
    if mandate is None:
        return Refusal("MANDATE", f"{staff_ref} has no mandate of area {payment.area} on {today}")
    fen = sum(payment.amounts.values())
    if not mandates.covers(mandate, fen):
        return Refusal("LIMIT", f"{money.yuan(fen)} is above the limit of {staff_ref}, {mandate.limit}")
    if not mandates.covers(mandate, fen + others):
        said = f"{money.yuan(fen)} and {money.yuan(others)} approved for {payment.payee} on {today}"
        return Refusal("LIMIT", f"{said} are above the limit of {staff_ref}, {mandate.limit}")
    theirs = [draft.known[MANDATES].of(payment.area, other, today) for other in before]
    complete = len(those) + 1 >= PEOPLE
    if complete and not any(other is not None and other.role == "approver" for other in [mandate, *theirs]):
        return Refusal("ROLE", f"an approver has to approve it; {staff_ref} is {mandate.role}")
    return None
