"""What is open when the books begin, item by item, as a fact and as the decision that takes it over.

What stays true: an item is of one provider, and brings what whoever decides about it needs to know; what is claimed
and not audited yet is no item but is published as it happened. Source: domain.md R10, c.2 (67), c.4.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from medfund import money
from medfund.events.dimensions import InstantStat, OfProvider
from medfund.events.fields import (
    Amount,
    Amounts,
    ClrWay,
    Day,
    Digest,
    HashRef,
    PayableRef,
    Ref,
    Uscc,
)
from medfund.events.kinds import Place, kind
from medfund.events.payments import OfSuspense
from medfund.events.prepayments import PrepaymentKind
from medfund.events.refusals import Problem, Reason, quoted
from medfund.events.rules import advanced_among, not_negative

ItemAccount: TypeAlias = Literal[
    "1101", "1102", "1103", "1104", "1107", "1108", "1109", "2102", "2103", "2104", "2105", "2108"
]
ItemKind: TypeAlias = Literal["PREPAYMENT", "RECOVERY", "CLAIM", "DIRECT", "OTHER"]
KIND_OF: Mapping[ItemAccount, ItemKind] = {
    "1101": "PREPAYMENT",
    "1102": "PREPAYMENT",
    "1107": "RECOVERY",
    "1104": "CLAIM",
    "2102": "CLAIM",
    "2103": "CLAIM",
    "2108": "CLAIM",
    "1103": "DIRECT",
}
"""OTHER is what nothing is decided about yet: what a clearing left."""
OF_A_SUPPLIER: Collection[ItemAccount] = ("1109", "2105")
"""DIRECT where the supplier is named; without one nobody can be paid, nor anything be netted."""
NEEDED: Mapping[ItemKind, Collection[str]] = {
    "PREPAYMENT": ("prepayment_kind", "given"),
    "RECOVERY": ("decided_on",),
    "CLAIM": ("clr_way", "period_from", "period_to", "cut_off"),
    "DIRECT": (),
    "OTHER": (),
}
REF_MAX = 50
"""So that the names of its payments, which are made of it, are references too."""


class AccountOpen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What of an item is open in an account, by fund, on the side on which the account grows."""

    account: ItemAccount
    amounts: Amounts


class OpeningItem(OfProvider, frozen=True, kw_only=True):
    """`item_ref` is the batch of a claim, the case of a recovery, the prepayment, the statement of a supplier.

    Of a prepayment: `given` is what was paid of it in all, so that what is not open was taken back; a MONTHLY one names
    its month, a BULK one its contract, what was agreed and what was purchased. Of a claim, which was approved: its
    period, and the cut-off from which its clock ran; `hold_ref` names what is on hold (2108). Of what is owed to a
    supplier (2105), or by one (1109): `supplier`.
    """

    item_ref: PayableRef
    accounts: list[AccountOpen]
    value_date: Day
    evidence_ref: Ref
    prepayment_kind: PrepaymentKind | None = None
    given: Amount | None = None
    month: Day | None = None
    contract_ref: Ref | None = None
    agreed: Amount | None = None
    purchased: Amount | None = None
    decided_on: Day | None = None
    settlement_ref: HashRef | None = None
    clr_way: ClrWay | None = None
    period_from: Day | None = None
    period_to: Day | None = None
    cut_off: Day | None = None
    hold_ref: Ref | None = None
    supplier: Uscc | UnsetType = UNSET

    @property
    def kind(self) -> ItemKind:
        if self.accounts[0].account in OF_A_SUPPLIER and self.supplier:
            return "DIRECT"
        return KIND_OF.get(self.accounts[0].account, "OTHER")


def _accounts_of_one_item(event: OpeningItem) -> Problem | None:
    named = [part.account for part in event.accounts]
    if not named:
        return Problem(Reason.MISSING_FIELD, "$.accounts: an item is open in one account at least")
    kinds = {KIND_OF.get(account, "OTHER") for account in named}
    if len(set(named)) < len(named) or len(kinds) > 1 or (kinds != {"CLAIM"} and len(named) > 1):
        return Problem(Reason.BAD_CODE, f"$.accounts: {' '.join(named)} are not of one item")
    return None


def _amounts_are_open(event: OpeningItem) -> Problem | None:
    funds: dict[str, str] = {}
    for part in event.accounts:
        funds |= part.amounts
        for fund, amount in part.amounts.items():
            if money.fen(amount) <= 0:
                detail = f"$.accounts: {part.account}[{quoted(fund)}] is {amount}, nothing is open in it"
                return Problem(Reason.BAD_AMOUNT, detail)
        if not part.amounts:
            return Problem(Reason.BAD_AMOUNT, f"$.accounts: nothing is open in {part.account}")
    return advanced_among(event.advanced, funds, "accounts")


def _what_is_needed(event: OpeningItem) -> Problem | None:
    needed = [*NEEDED[event.kind]]
    needed += ["hold_ref"] if any(part.account == "2108" for part in event.accounts) else []
    needed += ["month"] if event.prepayment_kind == "MONTHLY" else []
    needed += ["contract_ref", "agreed", "purchased"] if event.prepayment_kind == "BULK" else []
    for name in needed:
        if getattr(event, name) is None:
            return Problem(Reason.MISSING_FIELD, f"$.{name} is missing: such an item has it")
    if event.kind != "PREPAYMENT" and len(event.item_ref) > REF_MAX:
        return Problem(Reason.BAD_CODE, f"$.item_ref: {len(event.item_ref)} characters, at most {REF_MAX} are allowed")
    return None


def _prepayment_is_sound(event: OpeningItem) -> Problem | None:
    if event.kind != "PREPAYMENT" or event.given is None:
        return None
    [part] = event.accounts
    if (part.account == "1102") != (event.prepayment_kind == "BULK"):
        return Problem(Reason.BAD_CODE, f"$.prepayment_kind: {event.prepayment_kind} is not open in {part.account}")
    if len(part.amounts) > 1:
        return Problem(Reason.UNKNOWN_FUND, "$.accounts: a prepayment is of one fund")
    [amount] = part.amounts.values()
    if money.fen(amount) > money.fen(event.given):
        return Problem(Reason.BAD_AMOUNT, f"$.given: {amount} is open of {event.given}")
    return None


_RULES = (_accounts_of_one_item, _amounts_are_open, _what_is_needed, _prepayment_is_sound)

_ITEM: Mapping[str, Any] = {
    "provider": "H15250200017",
    "area": "152500",
    "insured_area": "152500",
    "insutype": "310",
    "clr_type": "21",
    "benefit_year": 2025,
    "advanced": [],
    "item_ref": "H15250200017-310-21-202511",
    "accounts": [
        {"account": "2102", "amounts": {"310100": "168909.87"}},
        {"account": "2103", "amounts": {"310100": "147538.49"}},
    ],
    "value_date": "2025-12-31",
    "evidence_ref": "YE-2025-2102-0017",
    "clr_way": "3",
    "period_from": "2025-11-01",
    "period_to": "2025-11-30",
    "cut_off": "2025-12-10",
}


@kind("opening.item.recorded", family="agency", key="provider", rules=_RULES)
class OpeningItemRecorded(OpeningItem, frozen=True, kw_only=True):
    """Something that a provider owed or was owed when the books began. Books nothing: `opening.item.taken` does.

    `approvers` are two people of the agency; from the day on which a lane asks who may say what, it has no effect
    without them. Source: R10, c.2 (67), reliability 76.
    """

    approvers: list[Ref] | None = None

    example: ClassVar[Mapping[str, Any]] = {**_ITEM, "approvers": ["staff-5d03", "staff-88b6"]}


@kind("opening.item.taken", family="clearing", key="provider", rules=_RULES)
class OpeningItemTaken(OpeningItem, frozen=True, kw_only=True):
    """It is open here from now on, and is paid, taken or returned as any other. Books its accounts / 3001, and in STAT
    as far as what is tied to them there was paid. `instant_stat` is for 1104; the days are those by which a claim was
    due. Source: R10, c.4, Invariants."""

    cause: Place
    policy_ref: Digest
    instant_stat: InstantStat | None = None
    due_15: Day | None = None
    due_20: Day | None = None
    calendar_version: Ref | None = None

    example: ClassVar[Mapping[str, Any]] = {
        **_ITEM,
        "cause": {"topic": "agency", "lane": 3, "offset": 17},
        "policy_ref": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
    }


@kind("opening.suspense.taken", family="clearing", key="lane", rules=(not_negative("amounts"),))
class OpeningSuspenseTaken(OfSuspense, frozen=True, kw_only=True):
    """A line of a bank account that nobody had placed when the books began: it waits to be placed as any other.

    Books 1190 / 3001, or 3001 / 2190: the bank had moved before. Source: R10, c.2 (67).
    """

    evidence_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "cause": {"topic": "agency", "lane": 3, "offset": 19},
        "item_ref": "S-5b1f0c9a4d7e42138f6a90be",
        "bank_account": "1002",
        "direction": "IN",
        "amounts": {"310100": "123.45"},
        "bank_txn": "202512300000931",
        "value_date": "2025-12-30",
        "evidence_ref": "YE-2025-2190-0003",
    }
