"""Facts from the agency's own offices: who the providers are, which policy holds, which days are worked.

Source: domain.md c.2 (1-3), R1.4, R7.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from medfund.events.fields import Amount, Area, Day, Digest, Fund, Last4, Level, Provider, Ref, Text, Uscc, Words, Year
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason

FormedBy: TypeAlias = Literal["MERGER", "SPLIT"]


class ProviderMaster(Event, frozen=True, kw_only=True):
    """All that is known of a provider from `valid_from` on; of its bank account a reference and its last digits.

    `name` is the institution's own, as its agreement has it; where it is not given, it stays what it was. `entered_by`
    is the person of the office who entered it, where one did: a new account is for another one to confirm.
    """

    provider: Provider
    area: Area
    uscc: Uscc
    level: Level
    bank_account_ref: Ref
    valid_from: Day
    group: Ref | None = None
    entered_by: Ref | None = None
    name: Words | None = None
    account_ends: Last4 | None = None


_PROVIDER: Mapping[str, Any] = {
    "provider": "H15250200017",
    "area": "152500",
    "uscc": "12371000MB0000003L",
    "level": "3",
    "bank_account_ref": "acct-152500-000017",
    "valid_from": "2025-01-01",
    "group": "YGT-152500-01",
    "name": "锡林郭勒盟示例医院",
    "account_ends": "0017",
}


def _formed_of_others(event: "ProviderRegistered") -> Problem | None:
    if (event.formed_by is None) == (not event.predecessors):
        return None
    return Problem(Reason.BAD_CODE, "$.predecessors: formed_by and predecessors are given together, or neither is")


@kind("provider.registered", family="agency", key="provider", rules=(_formed_of_others,))
class ProviderRegistered(ProviderMaster, frozen=True, kw_only=True):
    """A designated provider was entered. `group` is its medical consortium, where it has one; `formed_by` says that it
    came of others, its `predecessors`, by a merger or a split. Source: c.2 (3), edge case 43.
    """

    formed_by: FormedBy | None = None
    predecessors: list[Provider] | None = None

    example: ClassVar[Mapping[str, Any]] = _PROVIDER


@kind("provider.changed", family="agency", key="provider")
class ProviderChanged(ProviderMaster, frozen=True, kw_only=True):
    """The master data of a provider changed: the whole new state, not the difference. Source: c.2 (3)."""

    example: ClassVar[Mapping[str, Any]] = {
        **_PROVIDER,
        "bank_account_ref": "acct-152500-000931",
        "account_ends": "0931",
        "valid_from": "2025-06-01",
        "entered_by": "staff-31ad",
    }


def policy_hash(parameters: Mapping[str, str]) -> str:
    """What a decision calls a policy by: SHA-256 over its lines `name=value`, sorted by name."""
    lines = "".join(f"{name}={parameters[name]}\n" for name in sorted(parameters))
    return hashlib.sha256(lines.encode()).hexdigest()


def _hash_is_right(event: "PolicyPublished") -> Problem | None:
    expected = policy_hash(event.parameters)
    if event.hash == expected:
        return None
    return Problem(Reason.BAD_CODE, f"$.hash: {event.hash} is not that of the parameters, {expected}")


def _two_approvers(event: "PolicyPublished") -> Problem | None:
    if len(event.approvers) == 2 and event.approvers[0] != event.approvers[1]:
        return None
    return Problem(Reason.BAD_CODE, "$.approvers: a policy needs two different approvers")


_PARAMETERS = {
    "instant.ratio": "0.90",
    "instant.stat": "TEMP",
    "instant.offset": "true",
    "bond.310100": "0.05",
    "bond.390100": "0.05",
    "clock.working_days": "15",
    "offset.order": "1104 1107 1108 1103 1102 1101",
}


@kind("policy.published", family="agency", key="lane", rules=(_hash_is_right, _two_approvers))
class PolicyPublished(Event, frozen=True, kw_only=True):
    """A dated set of parameters of an area, approved by two people; written into every lane.

    Parameters are names with dots and exact texts (ratios as decimals, never floats). `hash` is `policy_hash` of them.
    Source: c.2 (1); every [G] and [K] of domain.md is such a parameter.
    """

    area: Area
    valid_from: Day
    hash: Digest
    parameters: dict[Ref, Text]
    approvers: list[Ref]

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "valid_from": "2025-01-01",
        "hash": policy_hash(_PARAMETERS),
        "parameters": _PARAMETERS,
        "approvers": ["staff-7c41", "staff-02e9"],
    }


def _days_of_the_year(event: "CalendarPublished") -> Problem | None:
    for name in ("holidays", "workdays"):
        for i, day in enumerate(getattr(event, name)):
            if day.year != event.year:
                return Problem(Reason.BAD_DATE, f"$.{name}[{i}]: {day} is not in {event.year}")
    if both := sorted({*event.holidays} & {*event.workdays}):
        return Problem(Reason.BAD_DATE, f"$.workdays: {both[0]} is a holiday too")
    return None


@kind("calendar.published", family="agency", key="lane", rules=(_days_of_the_year,))
class CalendarPublished(Event, frozen=True, kw_only=True):
    """The State Council's notice of a year was loaded; written into every lane.

    `holidays` are all days off that the notice names, `workdays` the Saturdays and Sundays that are worked instead;
    every other day follows the week. Source: R1.4, c.2 (2).
    """

    year: Year
    holidays: list[Day]
    workdays: list[Day]
    notice_ref: Text

    example: ClassVar[Mapping[str, Any]] = {
        "year": 2026,
        "holidays": [
            *(f"2026-01-{day:02d}" for day in range(1, 4)),
            *(f"2026-02-{day:02d}" for day in range(15, 24)),
            *(f"2026-04-{day:02d}" for day in range(4, 7)),
            *(f"2026-05-{day:02d}" for day in range(1, 6)),
            *(f"2026-06-{day:02d}" for day in range(19, 22)),
            *(f"2026-09-{day:02d}" for day in range(25, 28)),
            *(f"2026-10-{day:02d}" for day in range(1, 8)),
        ],
        "workdays": ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"],
        "notice_ref": "国办发明电〔2025〕7号",
    }


def _spends(event: "FundFiguresPublished") -> Problem | None:
    if event.expenditure == "0.00" or event.expenditure.startswith("-"):
        return Problem(Reason.BAD_AMOUNT, f"$.expenditure: {event.expenditure}: a fund spends more than nothing")
    return None


@kind("fund.figures.published", family="agency", key="lane", rules=(_spends,))
class FundFiguresPublished(Event, frozen=True, kw_only=True):
    """How a fund of an area stands at the end of `as_of`; written into every lane.

    `surplus` is what has accumulated, `expenditure` that of the year; `last_year_result` is what the year before ended
    with, `forecast_result` what the next twelve months are expected to: below zero is a deficit. Source: R2.1.
    """

    area: Area
    fund: Fund
    as_of: Day
    surplus: Amount
    expenditure: Amount
    last_year_result: Amount
    forecast_result: Amount

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "fund": "310100",
        "as_of": "2025-12-31",
        "surplus": "41230000000.00",
        "expenditure": "34567000000.00",
        "last_year_result": "3125000000.00",
        "forecast_result": "2780000000.00",
    }


@kind("provider.assessed", family="agency", key="provider")
class ProviderAssessed(Event, frozen=True, kw_only=True):
    """What the yearly assessment of a provider came to, and its credit grade. Source: R2.2, R2.3, R4.10."""

    area: Area
    provider: Provider
    year: Year
    passed: bool
    grade: Literal["A", "B", "C", "D"]
    assessed_on: Day

    example: ClassVar[Mapping[str, Any]] = {
        "area": "152500",
        "provider": "H15250200017",
        "year": 2025,
        "passed": True,
        "grade": "B",
        "assessed_on": "2026-01-05",
    }
