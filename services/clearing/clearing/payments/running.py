"""A run in one lane: which approved payments go to the bank, and which are withheld after all. Pure.

What stays true: a run sends what was planned and nothing else, and is decided once, however often it is told: when all
lanes have decided it, its file goes out, and nothing may be added to it. Source: design §3, c.2 (22), R6.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from clearing import payable as payables
from clearing.agreements import AGREEMENTS
from clearing.funds import yuans
from clearing.payments import accounts, approving
from clearing.payments.payment import PAYMENTS, Payment, end_to_end_id
from clearing.policy import policy_of
from medfund import money
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentSent, PaymentWithheld
from medfund.events.treasury import PaymentRunOpened, RunLane
from medfund.lanes import mandates
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft, Part
from medfund.lanes.mandates import MANDATES


class Reason(NamedTuple):
    code: str
    detail: str
    approval_ends: bool = False


RUNS: Part[dict[str, int]] = Part("runs", dict)
"""By name: the offset at which each run of this batch came first."""


def opened(draft: Draft, event: PaymentRunOpened, cause: Place) -> Iterator[Event]:
    lane = next((one for one in event.lanes if one.lane == cause.lane), None)
    if lane is None or draft[RUNS][event.run_ref] != cause.offset:
        return
    day = max(event.execute_on, draft.known[TODAY] or event.execute_on)
    left = money.fen(lane.total)
    for payment in planned(draft, event, lane):
        fen = sum(payment.amounts.values())
        if fen > left:
            return
        left -= fen
        yield _decided(draft, payment, event, cause, day)


def planned(draft: Draft, event: PaymentRunOpened, lane: RunLane) -> list[Payment]:
    """The payments of the lane that the run was made of, as far as they still wait, in its order."""
    last = event.up_to.due, event.up_to.payment_ref
    waiting = (
        payment
        for payment in draft[PAYMENTS].values()
        if payment.status == "APPROVED"
        and (payment.area, payment.fund) == (event.area, event.fund)
        and payment.approved_at < lane.agency
        and (payment.expires_on or event.execute_on) >= event.execute_on
        and (payment.due, payment.payment_ref) <= last
    )
    return sorted(waiting, key=lambda payment: (payment.due, payment.payment_ref, payment.provider))[: lane.payments]


def _decided(draft: Draft, payment: Payment, event: PaymentRunOpened, cause: Place, day: date) -> Event:
    told = {
        **payables.get(draft, payment.payable).fields(cause, payment.amounts),
        "payment_ref": payment.payment_ref,
        "payable_ref": payment.payable_ref,
        "amounts": yuans(payment.amounts),
        "run_ref": event.run_ref,
    }
    if reason := withheld(draft, payment, day):
        return PaymentWithheld(**told, **reason._asdict())
    return PaymentSent(
        **told,
        end_to_end_id=end_to_end_id(payment.provider, payment.payment_ref),
        bank_account=event.bank_account,
        bank_account_ref=payment.account,
        execute_on=event.execute_on,
    )


def withheld(draft: Draft, payment: Payment, day: date) -> Reason | None:
    """Why an approved payment may not go now: things have changed since it was approved."""
    payable = payables.get(draft, payment.payable)
    policy = policy_of(draft, payable)
    if payment.expires_on is None or payment.expires_on < day:
        return Reason("EXPIRED", f"what was approved could be sent to the end of {payment.expires_on}", True)
    for staff_ref in payment.approvers:
        mandate = draft.known[MANDATES].of(payment.area, staff_ref, day)
        if mandate is None or not mandates.covers(mandate, sum(payment.amounts.values())):
            return Reason("MANDATE", f"{staff_ref}, who approved it, has no mandate for it on {day}", True)
    if len(approving.behind(draft.known[MANDATES], payment, payment.approvers, day)) < approving.PEOPLE:
        return Reason("MANDATE", f"{payment.requested_by}, who asked for it, has no mandate for it on {day}", True)
    if (reason := _account(draft, payment, day, policy.account_days)) is not None:
        return reason
    if policy.suspension_stops_payment and draft.known[AGREEMENTS].suspended(payment.payee, day):
        return Reason("AGREEMENT", f"the agreement with {payment.payee} is suspended on {day}")
    holds = [hold for hold, amounts in payable.to_hold.items() if payment.fund in amounts]
    if payment.purpose == "INSTANT" and holds:
        return Reason("HELD", f"hold {holds[0]} is placed on {payable.ref}")
    return None


def _account(draft: Draft, payment: Payment, day: date, days: int) -> Reason | None:
    account = accounts.of(draft, payment.payee, payment.area)
    if account.ref != payment.account:
        return Reason("ACCOUNT", "the account of the payee is another one now", True)
    if account.is_settled(day, days):
        return None
    if account.confirmed_by is None:
        return Reason(
            "ACCOUNT", f"the account of the payee is new since {account.changed_on}: somebody has to confirm it"
        )
    return None


def learn(draft: Draft, event: PaymentRunOpened, place: Place) -> None:
    """A run counts where it came first."""
    draft[RUNS].setdefault(event.run_ref, place.offset)
