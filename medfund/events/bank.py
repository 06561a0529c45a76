"""Facts from the bank: what became of a payment. Source: domain.md c.2 (23, 24)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from medfund.events import rules
from medfund.events.fields import Amounts, Area, Day, Provider, Ref, Text
from medfund.events.kinds import Event, kind


class BankAnswer(Event, frozen=True, kw_only=True):
    """What the bank says of one payment: `value_date` is its day, `bank_account` the account that the money left."""

    area: Area
    provider: Provider
    payment_ref: Ref
    bank_account: Literal["1002", "1003"]
    bank_txn: Ref
    value_date: Day
    amounts: Amounts


_ANSWER: Mapping[str, Any] = {
    "area": "152500",
    "provider": "H15250200017",
    "payment_ref": "H15250200017-310-21-202601/P1",
    "bank_account": "1002",
    "bank_txn": "202602270000417",
    "value_date": "2026-02-27",
    "amounts": {"310100": "1890000.33", "310200": "411110.21"},
}


@kind("bank.payment.settled", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankPaymentSettled(BankAnswer, frozen=True, kw_only=True):
    """The money left; `payment.settled` books it. Source: c.2 (23)."""

    example: ClassVar[Mapping[str, Any]] = _ANSWER


@kind("bank.payment.returned", family="bank", key="provider", rules=(rules.not_negative("amounts"),))
class BankPaymentReturned(BankAnswer, frozen=True, kw_only=True):
    """The money, or a part of it, came back; `payment.returned` books it. Source: c.2 (24)."""

    reason: Text

    example: ClassVar[Mapping[str, Any]] = {
        **_ANSWER,
        "bank_txn": "202603020000093",
        "value_date": "2026-03-02",
        "amounts": {"310200": "411110.21"},
        "reason": "账户已销户",
    }
