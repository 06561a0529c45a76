"""What every money event about a provider carries, so that booking it is a pure function of that one event.

The dimensions are those of a journal line (domain.md c.3): whose money, for whom, of which year. Amounts are a map from
fund to yuan text, because funds are legally separate and no posting crosses them.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from medfund.events.fields import Area, ClrType, Digest, Fund, Insutype, Provider, Year
from medfund.events.kinds import Event, Place

InstantStat: TypeAlias = Literal["TEMP", "EXPENSE"]
"""What an instant payment (P1) is in the statutory book when it is paid: 暂付款 or 待遇支出; the area's policy."""


class OfProvider(Event, frozen=True, kw_only=True):
    """A fact about money of one provider.

    `insured_area` is another area for claims of visitors (1106 instead of 5001); the funds in `advanced` are borne by
    another payer (1110 instead of 5001).
    """

    provider: Provider
    area: Area
    insured_area: Area
    insutype: Insutype
    clr_type: ClrType
    benefit_year: Year
    advanced: list[Fund]


class Decision(OfProvider, frozen=True, kw_only=True):
    """A decision of one of our services about money of one provider, with all that it needs to be booked and explained.

    `cause` is the place of the fact that it answers; `policy_ref` is the hash of the policy that it was taken under.
    """

    cause: Place
    policy_ref: Digest


A_BATCH = "H15250200017-310-21-202601"
A_DECISION: Mapping[str, Any] = {
    "provider": "H15250200017",
    "area": "152500",
    "insured_area": "152500",
    "insutype": "310",
    "clr_type": "21",
    "benefit_year": 2026,
    "advanced": [],
    "cause": {"topic": "claims", "lane": 3, "offset": 1048576},
    "policy_ref": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
}
"""What examples of decisions have in common."""
