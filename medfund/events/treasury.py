"""Facts from the agency's own people about money: who may approve, what was approved, which runs go to the bank.

What stays true: a person is a reference of the agency's staff, never a name; what a person said takes effect only where
the service's decision says so. Source: domain.md c.2 (21, 26, 67, 69), reliability 76.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from medfund import money
from medfund.events import rules
from medfund.events.bank import BankAccount, PlacedAs
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    Count,
    Day,
    Fund,
    PaymentRef,
    Provider,
    Ref,
    SuspenseRef,
    Text,
)
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason


@kind("staff.mandated", family="agency", key="lane")
class StaffMandated(Event, frozen=True, kw_only=True):
    """Who may approve payments of an area, up to which amount each; written into every lane.

    The whole new state of a person: the same `staff_ref` again replaces what was said of it, and a last day before the
    first one takes the mandate away. `approvers` are two people of the agency, neither of whom it is for; from the day
    on which a lane asks who may say what, a mandate without them has no effect. Source: c.2 (21), reliability 76.
    """

    area: Area
    staff_ref: Ref
    role: Literal["finance", "approver"]
    limit: Amount
    valid_from: Day
    valid_to: Day | None = None
    approvers: list[Ref] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "staff_ref": "staff-7c41",
        "role": "approver",
        "limit": "5000000.00",
        "valid_from": "2026-01-01",
        "approvers": ["staff-5d03", "staff-88b6"],
    }


@kind("provider.account.confirmed", family="agency", key="provider")
class ProviderAccountConfirmed(Event, frozen=True, kw_only=True):
    """Somebody made sure that a provider's new bank account is its own. Source: edge case 38, c.2 (3)."""

    area: Area
    provider: Provider
    bank_account_ref: Ref
    staff_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "bank_account_ref": "acct-152500-000931",
        "staff_ref": "staff-02e9",
    }


@kind("payment.approval.given", family="agency", key="provider")
class PaymentApprovalGiven(Event, frozen=True, kw_only=True):
    """A person approves payments of one provider; `payment.approved` says of each whether that counts.

    `total` is what the person saw: where it is not the sum of the payments, none is approved. Source: c.2 (21).
    """

    area: Area
    provider: Provider
    payments: list[PaymentRef]
    total: Amount
    staff_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "payments": ["H15250200017-310-21-202601/P1/310100"],
        "total": "1890000.33",
        "staff_ref": "staff-7c41",
    }


@kind("payment.retry.requested", family="agency", key="provider")
class PaymentRetryRequested(Event, frozen=True, kw_only=True):
    """A person asks that what failed or came back be paid again, after whatever was wrong was put right.

    Whoever asks cannot approve it too. Source: R3.7, c.2 (24).
    """

    area: Area
    provider: Provider
    payment_ref: PaymentRef
    staff_ref: Ref
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "payment_ref": "H15250200017-310-21-202601/P1/310100",
        "staff_ref": "staff-7c41",
        "reason": "收款账户已更正",
    }


class RunLane(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a run takes from one lane: payments that were approved before the offset `agency` of that topic."""

    lane: Count
    agency: Count
    payments: Count
    total: Amount


class LastPayment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The last payment that a run takes, in the order of due days and references."""

    due: Day
    payment_ref: PaymentRef


def _adds_up(event: "PaymentRunOpened") -> Problem | None:
    planned = sum(money.fen(lane.total) for lane in event.lanes)
    if planned != money.fen(event.total) or sum(lane.payments for lane in event.lanes) != event.payments:
        return Problem(Reason.IDENTITY_MISMATCH, f"$.total: the lanes make {money.yuan(planned)}, not {event.total}")
    if planned > money.fen(event.available):
        return Problem(Reason.BAD_AMOUNT, f"$.total: {event.total} is more than what is there, {event.available}")
    return None


@kind("payment.run.opened", family="agency", key="lane", rules=(_adds_up,))
class PaymentRunOpened(Event, frozen=True, kw_only=True):
    """Approved payments of one fund go to the bank in one file, from the fund's own account; written into every lane.

    What is in it follows from what is pinned here: the payments that were approved before each lane's offset, in the
    order of due days, up to `up_to`. Each lane sends its own, or says why one is withheld: never more than planned.
    `available` was in the account and not on its way out. Source: design §3, c.2 (22).
    """

    run_ref: Ref
    area: Area
    fund: Fund
    bank_account: BankAccount
    execute_on: Day
    up_to: LastPayment
    lanes: list[RunLane]
    payments: Count
    total: Amount
    available: Amount
    staff_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "run_ref": "152500-310100-20260227-1",
        "area": "152500",
        "fund": "310100",
        "bank_account": "1002",
        "execute_on": "2026-02-27",
        "up_to": {"due": "2026-03-09", "payment_ref": "H15250200017-310-21-202601/P1/310100"},
        "lanes": [{"lane": 3, "agency": 417, "payments": 1, "total": "1890000.33"}],
        "payments": 1,
        "total": "1890000.33",
        "available": "5000000.00",
        "staff_ref": "staff-7c41",
    }


@kind("treasury.funds.requested", family="agency", key="area", rules=(rules.not_negative("amounts"),))
class TreasuryFundsRequested(Event, frozen=True, kw_only=True):
    """The agency asks for money on the expenditure account, by fund. Books nothing: receiving it does.

    Source: c.2 (26).
    """

    area: Area
    request_ref: Ref
    plan_ref: Ref
    amounts: Amounts
    needed_on: Day
    staff_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "request_ref": "YK-2026-0007",
        "plan_ref": "plan-2026-02",
        "amounts": {"310100": "5000000.00"},
        "needed_on": "2026-02-27",
        "staff_ref": "staff-7c41",
    }


OwnAccount: TypeAlias = Literal[
    "1002", "1003", "1105", "1106", "1110", "1120", "1190", "2106", "2107", "2109", "2120", "2190"
]
"""The banks; what other areas, payers, funds and persons owe or are owed; what nobody has placed."""


def _line_of_suspense(event: "OpeningBalanceRecorded") -> Problem | None:
    suspense = event.account in ("1190", "2190")
    for name in ("bank_account", "bank_txn"):
        given = getattr(event, name) is not None
        if suspense and not given:
            return Problem(Reason.MISSING_FIELD, f"$.{name} is missing: what nobody has placed is a line of a bank")
        if given and not suspense:
            return Problem(Reason.UNKNOWN_FIELD, f"$.{name}: only what nobody has placed has it")
    return rules.not_negative("amounts")(event) if suspense else None


@kind("opening.balance.recorded", family="agency", key="area", rules=(_line_of_suspense,))
class OpeningBalanceRecorded(Event, frozen=True, kw_only=True):
    """What was in an account of the area itself when the books began, by fund: on the side on which the account grows.
    Books the account / 3001, and the same in STAT where it has one of its own. What is of a provider is an
    `opening.item.recorded`. Of what nobody has placed (1190, 2190) each line of a bank account is one, and is booked by
    `opening.suspense.taken`. `approvers` are two people of the agency; from the day on which a lane asks who may say
    what, it has no effect without them. Source: c.2 (67), c.4, reliability 76."""

    area: Area
    account: OwnAccount
    amounts: Amounts
    value_date: Day
    evidence_ref: Ref
    bank_account: BankAccount | None = None
    bank_txn: Ref | None = None
    approvers: list[Ref] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "account": "1003",
        "amounts": {"310100": "41230000000.00"},
        "value_date": "2025-12-31",
        "evidence_ref": "YE-2025-310100",
        "approvers": ["staff-5d03", "staff-88b6"],
    }


@kind("suspense.placing.requested", family="agency", key="lane")
class SuspensePlacingRequested(Event, frozen=True, kw_only=True):
    """A person says what a suspense item was: `suspense.placing.noted` until another one says the same, then
    `suspense.placed`. Source: c.2 (69), reliability 76.

    `target` is the payment, the case of the recovery, the prepayment, the request to the treasury, or the other item
    that takes it back, of which `target_lane` is the lane where it is not this one. `provider` is whose.
    """

    area: Area
    item_ref: SuspenseRef
    placed_as: PlacedAs
    placed_on: Day
    staff_ref: Ref
    target: SuspenseRef | None = None
    provider: Provider | None = None
    target_lane: Count | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "item_ref": "S-5b1f0c9a4d7e42138f6a90bd",
        "placed_as": "FISCAL",
        "placed_on": "2026-03-02",
        "staff_ref": "staff-7c41",
    }
