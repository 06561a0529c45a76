"""Facts from the gateways of providers: settlements, their reversals, and what proves that none is missing.

What stays true: a settlement is split by fund and adds up to the fen (R5.1); it names no person, only a keyed hash.
Source: domain.md c.2 (6-11), R1.2, R5.1, R7, R9.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from medfund import codes, money
from medfund.events import rules
from medfund.events.fields import (
    Amount,
    Amounts,
    Area,
    ClrType,
    ClrWay,
    Count,
    Day,
    Fund,
    HashRef,
    Insutype,
    MedType,
    Provider,
    Ref,
    Source,
    Year,
)
from medfund.events.kinds import Event, checked_by, kind
from medfund.events.refusals import Problem, Reason


class Settlement(Event, frozen=True, kw_only=True):
    """What one visit cost and who bears it.

    `area` cares and pays, `insured_area` insures (another one: a visitor, R5.4); `funds` is what each fund bears, of
    which those in `advanced` are paid for another payer (one-stop, R5.3).
    """

    settlement_ref: HashRef
    area: Area
    insured_area: Area
    provider: Provider
    insutype: Insutype
    med_type: MedType
    clr_type: ClrType
    clr_way: ClrWay
    service_date: Day
    benefit_year: Year
    total: Amount
    funds: Amounts
    personal_account: Amount
    family_account: Amount
    hospital_share: Amount
    other: Amount
    cash: Amount
    advanced: list[Fund]


def adds_up(event: Settlement) -> Problem | None:
    """R5.1, to the fen: the total is what the funds, the accounts, the hospital, others and the patient bear."""
    parts = [*event.funds.values(), event.personal_account, event.family_account]
    parts += [event.hospital_share, event.other, event.cash]
    total, found = money.fen(event.total), sum(map(money.fen, parts))
    if total == found:
        return None
    return Problem(
        Reason.IDENTITY_MISMATCH,
        f"$.total is {event.total}, its parts make {money.yuan(found)}, a difference of {money.yuan(found - total)}",
    )


def _advanced(event: Settlement) -> Problem | None:
    return rules.advanced_among(event.advanced, event.funds, "funds")


def _signed(event: Settlement, sign: int, what: str) -> Problem | None:
    amounts = {"total": event.total, **{f"funds[{fund!r}]": amount for fund, amount in event.funds.items()}}
    for name in ("personal_account", "family_account", "hospital_share", "other", "cash"):
        amounts[name] = getattr(event, name)
    for name, amount in amounts.items():
        if money.fen(amount) * sign < 0:
            return Problem(Reason.BAD_AMOUNT, f"$.{name}: {amount}, but every amount of a {what}")
    return None


def _recorded_signs(event: Settlement) -> Problem | None:
    return _signed(event, 1, "recorded settlement is zero or more")


def _reversed_signs(event: Settlement) -> Problem | None:
    return _signed(event, -1, "reversed settlement is zero or less")


_CODES = re.compile(r"[0-9]{6} [0-9]{6} [HP][0-9]{11} [0-9]{3} [0-9A-Za-z]{1,12} [0-9A-Za-z]{1,12} [1-6]").fullmatch


_ARE_FUNDS = frozenset(codes.FUNDS).issuperset


_WHOLE_NUMBERS = msgspec.json.Decoder(list[int])


_GOOD_CODES_MAX = 16_384


_good_codes: set[tuple[str, ...]] = set()


def check_recorded(event: "SettlementRecorded") -> Problem | None:
    """The test of the hot type, cheap for what is common. Any doubt goes to the exact test, which alone says what is
    wrong, so that the two can differ in speed only."""
    combination = (
        event.area,
        event.insured_area,
        event.provider,
        event.insutype,
        event.med_type,
        event.clr_type,
        event.clr_way,
    )
    if (
        are_good_codes(combination)
        and len(event.settlement_ref) == 32
        and not event.settlement_ref.strip("0123456789abcdef")
        and _ARE_FUNDS(event.funds)
        and not (event.advanced and _advanced(event))
        and 2000 <= event.service_date.year <= 2099
        and 2000 <= event.benefit_year <= 2099
        and _surely_adds_up(event)
    ):
        return None
    return check_exactly(event)


def are_good_codes(combination: tuple[str, ...]) -> bool:
    """Whether the codes of a settlement are well written and listed, in the order of `check_recorded`."""
    # A lane sees few combinations. Only good ones are remembered, so that each is short; their number is bounded.
    if combination in _good_codes:
        return True
    if not _CODES(" ".join(combination)) or combination[3] not in codes.INSUTYPES:
        return False
    if len(_good_codes) >= _GOOD_CODES_MAX:
        _good_codes.clear()
    _good_codes.add(combination)
    return True


def _surely_adds_up(event: "SettlementRecorded") -> bool:
    """Whether every amount is well written and none is negative, and the total is the sum of the rest."""
    amounts = [event.total, *event.funds.values()]
    for amount in (event.personal_account, event.family_account, event.hospital_share, event.other, event.cash):
        if amount != "0.00":
            amounts.append(amount)
    for amount in amounts:
        if amount[-3:-2] != "." or len(amount) < 4:
            return False
    text = ",".join(amounts)
    # Digits, points and commas alone, one point to each amount. JSON knows no empty numbers and no leading zeros, so
    # an amount below one yuan is left to the exact test. Half the time of a pattern, and of int() for each.
    if text.strip("0123456789.,") or text.count(".") != len(amounts):
        return False
    try:
        fen = _WHOLE_NUMBERS.decode(f"[{text.replace('.', '')}]")
    except msgspec.DecodeError:
        return False
    return len(fen) == len(amounts) and sum(fen) == 2 * fen[0] <= 2 * money.FEN_MAX


@kind("settlement.recorded", family="claims", key="provider", check=check_recorded)
class SettlementRecorded(Settlement, frozen=True, kw_only=True):
    """A settlement was made (2207, 2304). Every amount is zero or more. Source: R5.1, c.2 (6)."""

    example: ClassVar[Mapping[str, Any]] = {
        "settlement_ref": "9f2c6a0de3b14785a1c05e7739d84bf2",
        "area": "152500",
        "insured_area": "152500",
        "provider": "H15250200017",
        "insutype": "390",
        "med_type": "21",
        "clr_type": "21",
        "clr_way": "3",
        "service_date": "2025-03-04",
        "benefit_year": 2025,
        "total": "8654.21",
        "funds": {"390100": "6852.80", "390200": "281.55", "610100": "621.39"},
        "personal_account": "100.00",
        "family_account": "0.00",
        "hospital_share": "0.00",
        "other": "0.00",
        "cash": "798.47",
        "advanced": [],
    }


check_exactly = checked_by(SettlementRecorded, (_recorded_signs, adds_up, _advanced))


@kind("settlement.reversed", family="claims", key="provider", rules=(_reversed_signs, adds_up, _advanced))
class SettlementReversed(Settlement, frozen=True, kw_only=True):
    """A settlement was taken back (2208, 2305, 2601): the same fields, every amount zero or less.

    `settlement_ref` is the reversal's own reference, `reverses_ref` that of the settlement. `service_date` is the
    reversal's own day, so that it is claimed in the batch of that day (R1.2); `benefit_year` is the settlement's.
    Source: R1.2, c.2 (7).
    """

    reverses_ref: HashRef

    example: ClassVar[Mapping[str, Any]] = {
        "settlement_ref": "c07d21f4b8e94a63905d1f6ee27a3b58",
        "area": "152500",
        "insured_area": "152500",
        "provider": "H15250200017",
        "insutype": "390",
        "med_type": "21",
        "clr_type": "21",
        "clr_way": "3",
        "service_date": "2026-01-08",
        "benefit_year": 2025,
        "total": "-8654.21",
        "funds": {"390100": "-6852.80", "390200": "-281.55", "610100": "-621.39"},
        "personal_account": "-100.00",
        "family_account": "0.00",
        "hospital_share": "0.00",
        "other": "0.00",
        "cash": "-798.47",
        "advanced": [],
        "reverses_ref": "9f2c6a0de3b14785a1c05e7739d84bf2",
    }


@kind("settlement.outcome.resolved", family="claims", key="provider")
class SettlementOutcomeResolved(Event, frozen=True, kw_only=True):
    """What became of a message whose answer was lost: a time-out is not a failure (R7).

    `msg_ref` is the keyed hash of the message id. The settlement itself, where there is one, comes as its own event;
    this one books nothing. Source: c.2 (8).
    """

    area: Area
    provider: Provider
    msg_ref: HashRef
    outcome: Literal["SETTLED", "NOT_SETTLED", "REVERSED"]
    settlement_ref: HashRef | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "msg_ref": "51b0c9a7e26f4d1884f3d0aa97be6c15",
        "outcome": "SETTLED",
        "settlement_ref": "9f2c6a0de3b14785a1c05e7739d84bf2",
    }


@kind("control.total.declared", family="claims", key="area")
class ControlTotalDeclared(Event, frozen=True, kw_only=True):
    """What a source says that it sent for an area on one business day, so that a hole is seen.

    `count` counts its `settlement.recorded` and `settlement.reversed` events, `amounts` is their sum by fund (signed),
    `last_sequence` the number of the last event that the source ever sent. Source: design §4, reliability §3.
    """

    area: Area
    source: Source
    business_day: Day
    count: Count
    amounts: Amounts
    last_sequence: Count

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "source": "/gateway/152500",
        "business_day": "2025-03-04",
        "count": 1735,
        "amounts": {"310100": "214580.11", "390100": "398102.46", "390200": "20155.02", "610100": "31877.90"},
        "last_sequence": 90422,
    }


class Totals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The totals that 3201 compares: how many settlements, what they cost, what funds and personal accounts bear."""

    count: Count
    total: Amount
    funds_total: Amount
    personal_account: Amount


@kind(
    "reconciliation.completed",
    family="claims",
    key="provider",
    rules=(rules.in_order("period_from", "period_to"),),
)
class ReconciliationCompleted(Event, frozen=True, kw_only=True):
    """A provider and the centre compared their totals of a period (3201), and their details where they differ (3202).

    `differences` counts the settlements that one side has otherwise than the other. Source: R1.2, R7, c.2 (9).
    """

    area: Area
    provider: Provider
    insutype: Insutype
    clr_type: ClrType
    period_from: Day
    period_to: Day
    ours: Totals
    theirs: Totals
    result: Literal["EQUAL", "CENTRE_MORE", "INSTITUTION_MORE", "DIFFER"]
    differences: Count
    statement_ref: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "insutype": "390",
        "clr_type": "21",
        "period_from": "2025-03-01",
        "period_to": "2025-03-31",
        "ours": {"count": 212, "total": "1834002.55", "funds_total": "1322874.19", "personal_account": "0.00"},
        "theirs": {"count": 212, "total": "1834002.55", "funds_total": "1322874.19", "personal_account": "0.00"},
        "result": "EQUAL",
        "differences": 0,
        "statement_ref": "3201-152500-202503-0117",
    }
