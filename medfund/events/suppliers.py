"""Facts that suppliers' money rests on: who they are, what a product costs and is, who delivers it, by which key a
hospital's purchases are split, and who is paid instead.

What stays true: each is dated and says the whole new state; what is of no provider is written into every lane.
Source: domain.md R3.2, R3.4, R3.5, R3.7, c.2 (35, 46).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from medfund.events import rules
from medfund.events.fields import (
    Amount,
    Area,
    Count,
    Day,
    Digest,
    Fund,
    Last4,
    PayableRef,
    Price,
    Product,
    Provider,
    Ref,
    Text,
    Uscc,
    Words,
)
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason

ProductClass: TypeAlias = Literal["BULK", "NEGOTIATED", "LISTED"]
"""集采, 国谈, 挂网: of a day, of an area."""

A_SUPPLIER = "91370000MA0000001T"
A_PRODUCT = "XA10BBA012A001010100483"


class SupplierMaster(Event, frozen=True, kw_only=True):
    """All that an area knows of a supplier from `valid_from` on; of its bank account a reference and its last digits.

    `entered_by` is the person of the office who entered it: a new account is for another one to confirm.
    """

    supplier: Uscc
    area: Area
    name: Words
    bank_account_ref: Ref
    valid_from: Day
    account_ends: Last4 | None = None
    entered_by: Ref | None = None


_SUPPLIER: Mapping[str, Any] = {
    "supplier": A_SUPPLIER,
    "area": "152500",
    "name": "示例医药有限公司",
    "bank_account_ref": "acct-s-000071",
    "valid_from": "2025-01-01",
    "account_ends": "0071",
}


@kind("supplier.registered", family="agency", key="lane")
class SupplierRegistered(SupplierMaster, frozen=True, kw_only=True):
    """A supplier was entered, whom the fund may pay on a hospital's behalf. Source: R3.1, R7."""

    example: ClassVar[Mapping[str, Any]] = _SUPPLIER


@kind("supplier.changed", family="agency", key="lane")
class SupplierChanged(SupplierMaster, frozen=True, kw_only=True):
    """The master data of a supplier changed: the whole new state. Source: R3.7."""

    example: ClassVar[Mapping[str, Any]] = {
        **_SUPPLIER,
        "bank_account_ref": "acct-s-000093",
        "account_ends": "0093",
        "valid_from": "2026-06-01",
        "entered_by": "staff-31ad",
    }


@kind("supplier.account.confirmed", family="agency", key="lane")
class SupplierAccountConfirmed(Event, frozen=True, kw_only=True):
    """Somebody has made sure that a supplier's new account is its own. Source: edge case 38, R3.7."""

    area: Area
    supplier: Uscc
    bank_account_ref: Ref
    staff_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "supplier": A_SUPPLIER,
        "bank_account_ref": "acct-s-000093",
        "staff_ref": "staff-7c41",
    }


@kind("product.priced", family="agency", key="lane", rules=(rules.in_order("valid_from", "valid_to"),))
class ProductPriced(Event, frozen=True, kw_only=True):
    """What a product is in an area from a day on, and what it may cost: of BULK the price that was contracted, of the
    others the listed one, which is the most. Of two for one day the later word holds. Source: R3.2, R3.4, R10.
    """

    area: Area
    product: Product
    product_class: ProductClass
    price: Price
    valid_from: Day
    valid_to: Day | None = None
    name: Words | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "product": A_PRODUCT,
        "product_class": "BULK",
        "price": "12.340000",
        "valid_from": "2026-01-01",
        "valid_to": "2027-12-31",
        "name": "二甲双胍缓释片 0.5g×30",
    }


@kind("contract.signed", family="agency", key="lane", rules=(rules.in_order("valid_from", "valid_to"),))
class ContractSigned(Event, frozen=True, kw_only=True):
    """Which enterprise delivers some products in an area, to these providers or, where none is named, to all.

    The same `contract_ref` again replaces what was said of it. Source: R3.4.
    """

    area: Area
    contract_ref: Ref
    supplier: Uscc
    products: list[Product]
    valid_from: Day
    valid_to: Day
    providers: list[Provider] | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "contract_ref": "JC-2026-07-0012",
        "supplier": A_SUPPLIER,
        "products": [A_PRODUCT],
        "valid_from": "2026-01-01",
        "valid_to": "2027-12-31",
    }


@kind("direct.mandate.changed", family="agency", key="provider")
class DirectMandateChanged(Event, frozen=True, kw_only=True):
    """A hospital has the fund pay its suppliers on its behalf, for what it orders from `valid_from` to `valid_to`.

    `ownership` says what it is by the scope rule. `document` is the digest of what it signed. Source: R3.1, R3.2.
    """

    area: Area
    provider: Provider
    ownership: Literal["PUBLIC", "PRIVATE"]
    valid_from: Day
    document: Digest
    valid_to: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "ownership": "PUBLIC",
        "valid_from": "2026-01-01",
        "document": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
    }


def _shares(event: "SplitKeyPublished") -> Problem | None:
    if event.weights and all(event.weights.values()):
        return None
    return Problem(Reason.BAD_AMOUNT, "$.weights: a key has a fund at least, and a weight above zero for each")


@kind("split.key.published", family="agency", key="provider", rules=(_shares,))
class SplitKeyPublished(Event, frozen=True, kw_only=True):
    """By which weights what is paid to suppliers for a provider is split over the funds, from a day on.

    Any whole numbers: the approved amounts of a month in fen, for example. Where none is published, those of the last
    month that was approved count. Source: R3.5, R10.
    """

    area: Area
    provider: Provider
    version: Ref
    valid_from: Day
    weights: dict[Fund, Count]

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "version": "2026-08",
        "valid_from": "2026-09-01",
        "weights": {"310100": 6837, "390100": 3163},
    }


_PEOPLE = rules.two_people("approvers")


def _of_one(event: "SupplierPayeeAssigned") -> Problem | None:
    if event.payable_ref is not None and event.provider is None:
        return Problem(Reason.MISSING_FIELD, "$.provider is missing: a payable is named with the provider whose it is")
    return None


@kind("supplier.payee.assigned", family="agency", key="lane", rules=(_PEOPLE, _of_one))
class SupplierPayeeAssigned(Event, frozen=True, kw_only=True):
    """Who is paid what a supplier is owed, from now on: after a merger, or as it has assigned its claims (factoring).

    Of everything that it is owed, or of one provider's, or of one payable; `payee` is itself again where that ends.
    `deed` is the digest of the deed, `approvers` are two people of the agency. What is on its way already stays.
    Source: R3.7, c.2 (46).
    """

    area: Area
    supplier: Uscc
    payee: Uscc
    cause: Literal["MERGER", "FACTORING", "ENDED"]
    deed: Digest
    assigned_on: Day
    approvers: list[Ref]
    provider: Provider | None = None
    payable_ref: PayableRef | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "supplier": A_SUPPLIER,
        "payee": "91371000MA0000002A",
        "cause": "FACTORING",
        "deed": "4a0c7b1e5d92f3806be1c4a7d850f96231c8e7b4d5a60f19283746556473829a",
        "assigned_on": "2026-10-12",
        "approvers": ["staff-7c41", "staff-02e9"],
    }


@kind("direct.cap.set", family="agency", key="provider", rules=(_PEOPLE,))
class DirectCapSet(Event, frozen=True, kw_only=True):
    """Up to what the fund goes on paying a provider's suppliers, while what it has paid is not recovered: over all
    funds. Without an amount there is no limit. `approvers` are two people of the agency. Source: R3.6.
    """

    area: Area
    provider: Provider
    set_on: Day
    reason: Text
    approvers: list[Ref]
    amount: Amount | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "set_on": "2026-09-01",
        "reason": "一个月应付额",
        "approvers": ["staff-7c41", "staff-02e9"],
        "amount": "10704732.42",
    }
