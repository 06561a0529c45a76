"""Decisions about payments, from the order to the bank's answer, and about bank money that nobody can place.

What stays true: a payment is of one payable and one fund, and leaves from that fund's own bank account; each of its
states is one of these events; what left the bank is booked, to suspense where it pays nothing. Source: domain.md R3.6,
c.2 (20-27), c.4.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from medfund.events import rules
from medfund.events.bank import BankAccount, Direction, FeeAccount, LeftFrom, PlacedAs
from medfund.events.dimensions import A_BATCH, A_DECISION, Decision, InstantStat
from medfund.events.fields import (
    Amounts,
    Area,
    Count,
    Day,
    PayableRef,
    Payee,
    PaymentRef,
    Provider,
    Ref,
    SuspenseRef,
    Text,
    Uscc,
    Words,
)
from medfund.events.kinds import Event, Place, kind
from medfund.events.refusals import Problem, Reason

Purpose: TypeAlias = Literal["INSTANT", "PAYABLE", "CLEARING", "SUPPLIER", "PREPAYMENT", "BULK"]
"""What a payment pays, and the account that it is booked in: a P1 (1104), an approved payable (2102), a clearing
(2104), a supplier on a provider's behalf (2105), a prepayment (1101), one for a bulk purchase (1102)."""

_PAYMENT: Mapping[str, Any] = {
    **A_DECISION,
    "cause": {"topic": "agency", "lane": 3, "offset": 418},
    "payment_ref": f"{A_BATCH}/P1/310100",
    "payable_ref": A_BATCH,
    "amounts": {"310100": "1890000.33"},
}
_RULES = (rules.not_negative("amounts"), rules.advanced_in("amounts"))


class OfPayment(Decision, frozen=True, kw_only=True):
    """Something that happened to one payment; `amounts` are by fund, of which a payment has one."""

    payment_ref: PaymentRef
    payable_ref: PayableRef
    amounts: Amounts


@kind("payment.ordered", family="clearing", key="provider", rules=_RULES)
class PaymentOrdered(OfPayment, frozen=True, kw_only=True):
    """Money is to be paid for one payable, at the latest on `due`, once enough people have approved it.

    `payee` is whose bank account is paid, where that is not the provider: a supplier, by its social credit code.
    `requested_by` is the person who asked for it, where it was not the rules alone; that person cannot approve it too.
    `retry_of` is the payment that failed or came back. While no notice covers the span, `due` is the first day that it
    can be and `latest` the last one. Books nothing: the bank's confirmation does. Source: c.2 (20), R10.
    """

    purpose: Purpose
    due: Day
    requested_by: Ref | None = None
    retry_of: PaymentRef | None = None
    latest: Day | None = None
    payee: Payee | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {**_PAYMENT, "purpose": "INSTANT", "due": "2026-02-09"}


@kind("payment.approved", family="clearing", key="provider", rules=_RULES)
class PaymentApproved(OfPayment, frozen=True, kw_only=True):
    """Somebody approved a payment: the whole new state, not the difference.

    `approvers` are all that count so far, `missing` how many more people it takes. It is good to the end of
    `expires_on`, and for the payee's account of `bank_account_ref` alone. The last of them said so on `approved_on`.
    Books nothing. Source: c.2 (21).
    """

    approvers: list[Ref]
    missing: Count
    expires_on: Day
    bank_account_ref: Ref
    approved_on: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_PAYMENT,
        "approvers": ["staff-7c41", "staff-02e9"],
        "missing": 0,
        "expires_on": "2026-03-06",
        "bank_account_ref": "acct-152500-000017",
        "approved_on": "2026-03-01",
    }


@kind("payment.approval.refused", family="clearing", key="provider", rules=_RULES)
class PaymentApprovalRefused(OfPayment, frozen=True, kw_only=True):
    """An approval does not count, and why. Books nothing. Source: c.2 (21), reliability 76.

    NOT_WAITING: the payment waits for no approval; REQUESTER: whoever asked for it; TWICE: whoever approved it already;
    MANDATE: nobody's whom the area has given one to, on that day; LIMIT: it is above the mandate's limit, alone or with
    what the person approved for the payee on that day; ROLE: among those who approve there must be an approver;
    ACCOUNT: nobody has told where the payee is paid to.
    """

    staff_ref: Ref
    code: Literal["NOT_WAITING", "REQUESTER", "TWICE", "MANDATE", "LIMIT", "ROLE", "ACCOUNT"]
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_PAYMENT,
        "staff_ref": "staff-7c41",
        "code": "TWICE",
        "detail": "staff-7c41 approved this payment already",
    }


@kind("payment.sent", family="clearing", key="provider", rules=_RULES)
class PaymentSent(OfPayment, frozen=True, kw_only=True):
    """A payment is in the file of a run, and cannot be stopped any more. Books nothing: the bank's confirmation does.

    `end_to_end_id` is what the bank calls it by, and follows from `provider` and `payment_ref` alone. Source: c.2 (22).
    """

    run_ref: Ref
    end_to_end_id: Ref
    bank_account: BankAccount
    bank_account_ref: Ref
    execute_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        **_PAYMENT,
        "run_ref": "152500-310100-20260227-1",
        "end_to_end_id": "5b1f0c9a4d7e42138f6a90bd2c37e815",
        "bank_account": "1002",
        "bank_account_ref": "acct-152500-000017",
        "execute_on": "2026-02-27",
    }


@kind("payment.withheld", family="clearing", key="provider", rules=_RULES)
class PaymentWithheld(OfPayment, frozen=True, kw_only=True):
    """A run would have paid it, and does not. Books nothing. Source: R6, reliability 76.

    HELD: a hold came after it was approved; AGREEMENT: the provider's agreement is suspended on that day; EXPIRED: it
    was not paid in time after it was approved; MANDATE: who approved it may not any more; ACCOUNT: the payee's account
    is another one, or so new that somebody has to confirm it. EXPIRED, MANDATE and another account end the approval.
    """

    run_ref: Ref
    code: Literal["HELD", "AGREEMENT", "EXPIRED", "MANDATE", "ACCOUNT"]
    detail: Text
    approval_ends: bool

    example: ClassVar[Mapping[str, Any]] = {
        **_PAYMENT,
        "run_ref": "152500-310100-20260227-1",
        "code": "HELD",
        "detail": "hold case-2026-0042 was placed",
        "approval_ends": False,
    }


@kind("payment.cancelled", family="clearing", key="provider", rules=_RULES)
class PaymentCancelled(OfPayment, frozen=True, kw_only=True):
    """A payment that was not sent will not be: what it was to pay is open again. Books nothing. Source: R6."""

    reason: Text

    example: ClassVar[Mapping[str, Any]] = {**_PAYMENT, "reason": "hold case-2026-0042 was placed"}


@kind("payment.failed", family="clearing", key="provider", rules=_RULES)
class PaymentFailed(OfPayment, frozen=True, kw_only=True):
    """The bank did not carry it out, or not the rest of it: `amounts` are open until somebody asks for a retry.

    `code` is the bank's own (ISO 20022 external reason). `doubt` is why it may pay all the same. Books nothing.
    Source: c.2 (24).
    """

    code: Words
    reason: Text
    failed_on: Day
    doubt: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_PAYMENT,
        "code": "AC04",
        "reason": "账户已销户",
        "failed_on": "2026-02-27",
    }


@kind("payment.doubted", family="clearing", key="provider", rules=_RULES)
class PaymentDoubted(OfPayment, frozen=True, kw_only=True):
    """The bank refuses a payment because it has it already: of the first delivery that says nothing, and the payment is
    what it was. Whoever would have it paid again has to know. Books nothing. Source: c.2 (24), reliability 72."""

    code: Words
    reason: Text
    told_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        **_PAYMENT,
        "code": "AM05",
        "reason": "重复报文",
        "told_on": "2026-02-27",
    }


@kind("payment.retried", family="clearing", key="provider", rules=_RULES)
class PaymentRetried(OfPayment, frozen=True, kw_only=True):
    """What failed or came back of a payment is to be paid again: `amounts` are what nobody had asked for yet.

    `requested_by` is the person who asked. Nobody did where a P1 waited when its claim was approved: it is paid with
    what was approved. Books nothing; what is ordered instead says so itself. Source: R3.7.
    """

    requested_by: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {**_PAYMENT, "requested_by": "staff-7c41"}


class Answered(OfPayment, frozen=True, kw_only=True):
    """Money of a payment that left or came back.

    `bank_account` is the account it left from: 1002 (expenditure account), 1003 (fiscal special account), or suspense
    (1190, 2190) where the bank's line was found out later; `value_date` is the bank's day. `instant_stat` says what the
    P1 was in the statutory book: for INSTANT alone. `booked_on` is the bank's booking day, where it says one.
    `supplier` is who is owed what is paid on a provider's behalf, whoever the payee is.
    """

    purpose: Purpose
    bank_account: LeftFrom
    bank_txn: Words
    value_date: Day
    instant_stat: InstantStat | None = None
    booked_on: Day | None = None
    supplier: Uscc | UnsetType = UNSET


def _stat_of_p1(event: Answered) -> Problem | None:
    if (event.purpose == "INSTANT") == (event.instant_stat is not None):
        return None
    if event.instant_stat is None:
        return Problem(Reason.MISSING_FIELD, "$.instant_stat is missing: an INSTANT payment says TEMP or EXPENSE")
    return Problem(Reason.UNKNOWN_FIELD, f"$.instant_stat: only an INSTANT payment has it, this is {event.purpose}")


_ANSWER: Mapping[str, Any] = {
    **_PAYMENT,
    "cause": {"topic": "bank", "lane": 3, "offset": 71},
    "purpose": "INSTANT",
    "bank_account": "1002",
    "bank_txn": "202602270000417",
    "value_date": "2026-02-27",
    "instant_stat": "TEMP",
}


@kind("payment.settled", family="clearing", key="provider", rules=(_stat_of_p1, *_RULES))
class PaymentSettled(Answered, frozen=True, kw_only=True):
    """The bank confirmed that money left: all of a payment, or a part of it.

    Books the account of its purpose / the bank account; in STAT 待遇支出, or 暂付款 for a P1 that is TEMP, for visitors
    and for other payers, for what is prepaid and for suppliers. Source: c.2 (23), c.4.
    """

    example: ClassVar[Mapping[str, Any]] = _ANSWER


def _returned_p1(event: "PaymentReturned | PaymentReturnUndone") -> Problem | None:
    if event.purpose == "INSTANT":
        return _split_of_p1(event)
    if event.to_advance or event.to_payable:
        return Problem(Reason.BAD_AMOUNT, f"$.to_advance, $.to_payable: must be empty for purpose {event.purpose}")
    return None


_split_of_p1 = rules.sums("amounts", "to_advance", "to_payable")


@kind(
    "payment.returned",
    family="clearing",
    key="provider",
    rules=(
        _stat_of_p1,
        rules.not_negative("amounts", "to_advance", "to_payable"),
        _returned_p1,
        rules.advanced_in("amounts"),
    ),
)
class PaymentReturned(Answered, frozen=True, kw_only=True):
    """The bank gave money back: an account was closed, for example. `bank_account` is the one it had left from.

    A P1 comes back to its advance as far as that is still open (`to_advance`, 1104), the rest to the payable
    (`to_payable`, 2102): amounts = to_advance + to_payable per fund. Any other payment comes back to the account that
    it was paid from, by its purpose, and both maps are empty. Source: c.2 (24), c.4.
    """

    to_advance: Amounts
    to_payable: Amounts
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_ANSWER,
        "cause": {"topic": "bank", "lane": 3, "offset": 77},
        "bank_txn": "202603020000093",
        "value_date": "2026-03-02",
        "amounts": {"310100": "411110.21"},
        "to_advance": {"310100": "400000.00"},
        "to_payable": {"310100": "11110.21"},
        "reason": "账户已销户",
    }


@kind(
    "payment.return.undone",
    family="clearing",
    key="provider",
    rules=(
        _stat_of_p1,
        rules.not_negative("amounts", "to_advance", "to_payable"),
        _returned_p1,
        rules.advanced_in("amounts"),
    ),
)
class PaymentReturnUndone(Answered, frozen=True, kw_only=True):
    """The bank took a return back: what had come back of a payment is paid. Books what `payment.returned` books, turned
    round: of a P1 to the advance (`to_advance`) and to the payable (`to_payable`). Source: c.2 (24), c.4."""

    to_advance: Amounts
    to_payable: Amounts

    example: ClassVar[Mapping[str, Any]] = {
        **_ANSWER,
        "cause": {"topic": "bank", "lane": 3, "offset": 79},
        "bank_txn": "202603030000052",
        "value_date": "2026-03-03",
        "booked_on": "2026-03-03",
        "amounts": {"310100": "411110.21"},
        "to_advance": {"310100": "400000.00"},
        "to_payable": {"310100": "11110.21"},
    }


@kind("payee.account.noted", family="clearing", key="provider")
class PayeeAccountNoted(Event, frozen=True, kw_only=True):
    """Where a provider is paid to, since which day it is another account than before, who entered it, and who else has
    made sure of it.

    The whole new state. Books nothing. Source: edge case 38, c.2 (3).
    """

    provider: Provider
    area: Area
    cause: Place
    bank_account_ref: Ref
    changed_on: Day
    confirmed_by: Ref | None = None
    entered_by: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "cause": {"topic": "agency", "lane": 3, "offset": 440},
        "bank_account_ref": "acct-152500-000931",
        "changed_on": "2026-02-09",
        "entered_by": "staff-31ad",
    }


@kind("payment.receipt.noted", family="clearing", key="provider")
class PaymentReceiptNoted(Event, frozen=True, kw_only=True):
    """The payee says that a payment has come, and when. Books nothing: the bank proves it. Source: c.2 (25)."""

    provider: Provider
    area: Area
    cause: Place
    payment_ref: PaymentRef
    received_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "cause": {"topic": "claims", "lane": 3, "offset": 5120},
        "payment_ref": "H15250200017-310-21-202601/P1/310100",
        "received_on": "2026-02-13",
    }


class OfSuspense(Event, frozen=True, kw_only=True):
    """Bank money that nobody could place, by fund, in one direction: OUT left (1190), IN came (2190)."""

    area: Area
    cause: Place
    item_ref: SuspenseRef
    bank_account: BankAccount
    direction: Direction
    amounts: Amounts
    bank_txn: Words
    value_date: Day
    booked_on: Day | None = None


_SUSPENSE: Mapping[str, Any] = {
    "area": "152500",
    "cause": {"topic": "bank", "lane": 3, "offset": 93},
    "item_ref": "S-5b1f0c9a4d7e42138f6a90bd",
    "bank_account": "1002",
    "direction": "IN",
    "amounts": {"310100": "123.45"},
    "bank_txn": "202602270000931",
    "value_date": "2026-02-27",
}


@kind("suspense.opened", family="clearing", key="lane", rules=(rules.not_negative("amounts"),))
class SuspenseOpened(OfSuspense, frozen=True, kw_only=True):
    """Money is in suspense until somebody says what it was. `payment_ref` is the payment that the bank named, if any,
    and `payment_of` the provider that calls it so.

    Books 1190 / the bank account, or the bank account / 2190. Source: c.4, c.2 (27).
    """

    reason: Text
    payment_ref: PaymentRef | None = None
    payment_of: Provider | None = None

    example: ClassVar[Mapping[str, Any]] = {**_SUSPENSE, "reason": "没有可对应的付款或收款"}


@kind("suspense.kept", family="clearing", key="lane", rules=(rules.not_negative("amounts"),))
class SuspenseKept(OfSuspense, frozen=True, kw_only=True):
    """What of an item was placed, and is not that after all: its target had no room for it any more. It is an open item
    of its own until somebody says what it was. Books nothing: it has not left suspense. Source: c.4, c.2 (27).
    """

    kept_of: Ref
    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_SUSPENSE,
        "item_ref": "S-5b1f0c9a4d7e42138f6a90bdr",
        "kept_of": "S-5b1f0c9a4d7e42138f6a90bd",
        "reason": "more came in than is owed of case 2026-017",
    }


@kind("suspense.placed", family="clearing", key="lane", rules=(rules.not_negative("amounts"),))
class SuspensePlaced(OfSuspense, frozen=True, kw_only=True):
    """What a suspense item turned out to be, as somebody said on `placed_on`; `value_date` stays the bank's day.

    FISCAL: money between the fiscal special account and this one: books 2190 / 1003, or 1003 / 1190. CORRECTED: the
    item `target` of the other direction takes it back, as the bank's correction of a mistake, or as the other side of a
    transfer between the fund's own accounts: what came books 2190 / 1190 for both. What left books nothing; it is
    placed by itself where the other one is of another lane, `target_lane`, told by `bank.line.corrected`. INTEREST and
    OTHER_INCOME of the account itself: books 2190 / 4001, and the other way round where the bank takes some back. FEE:
    books `account` / 1190. OTHER_PAYER repays what was paid in advance for it: books 2190 / 1110, or mirrored. PAYMENT,
    RETURN, RECOVERY, PREPAYMENT, SHORTFALL and REFUND name what it was of, and are booked by its own decision.
    `approvers` are the two people who said so; before it took two, `staff_ref` alone did. Source: c.4, c.2 (69), R10,
    reliability 76.
    """

    placed_as: PlacedAs
    placed_on: Day
    staff_ref: Ref
    target: SuspenseRef | None = None
    provider: Provider | None = None
    account: FeeAccount | None = None
    approvers: list[Ref] | None = None
    target_lane: Count | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_SUSPENSE,
        "cause": {"topic": "agency", "lane": 3, "offset": 432},
        "placed_as": "FISCAL",
        "placed_on": "2026-03-02",
        "staff_ref": "staff-02e9",
        "approvers": ["staff-7c41", "staff-02e9"],
    }


@kind("suspense.placing.noted", family="clearing", key="lane")
class SuspensePlacingNoted(Event, frozen=True, kw_only=True):
    """What one person says a suspense item was: it waits for another one who says the same of it. What a person said
    last counts. Books nothing. Source: c.2 (69), reliability 76."""

    area: Area
    cause: Place
    item_ref: SuspenseRef
    placed_as: PlacedAs
    placed_on: Day
    staff_ref: Ref
    target: SuspenseRef | None = None
    provider: Provider | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "cause": {"topic": "agency", "lane": 3, "offset": 431},
        "item_ref": "S-5b1f0c9a4d7e42138f6a90bd",
        "placed_as": "FISCAL",
        "placed_on": "2026-03-02",
        "staff_ref": "staff-7c41",
    }


@kind("suspense.placing.refused", family="clearing", key="lane")
class SuspensePlacingRefused(Event, frozen=True, kw_only=True):
    """What somebody said of a suspense item cannot be, and why: the item stays open. Books nothing. Source: c.4."""

    area: Area
    cause: Place
    item_ref: SuspenseRef
    staff_ref: Ref
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "cause": {"topic": "agency", "lane": 3, "offset": 431},
        "item_ref": "S-5b1f0c9a4d7e42138f6a90bd",
        "staff_ref": "staff-7c41",
        "detail": "the item is not open",
    }


@kind("payment.confirmed", family="claims", key="provider")
class PaymentConfirmed(Event, frozen=True, kw_only=True):
    """A payee confirms that a payment has come; `payment.receipt.noted` says that it was taken. Source: c.2 (25)."""

    area: Area
    provider: Provider
    payment_ref: PaymentRef
    received_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "payment_ref": "H15250200017-310-21-202601/P1/310100",
        "received_on": "2026-02-13",
    }
