"""What contradicts the log."""

from collections.abc import Mapping
from typing import Any, ClassVar

from medfund.events.fields import Area, Provider, Text
from medfund.events.kinds import Event, Place, kind


@kind("fact.disputed", family="clearing", key="provider")
class FactDisputed(Event, frozen=True, kw_only=True):
    """A fact contradicts what was decided before: nothing follows from it, and somebody has to look. Books nothing.

    A deduction of a batch that is not in review, a bank's answer to a payment that nobody ordered. Source: design §3.
    """

    provider: Provider
    area: Area
    cause: Place
    detail: Text

    example: ClassVar[Mapping[str, Any]] = {
        "provider": "H15250200017",
        "area": "152500",
        "cause": {"topic": "bank", "lane": 3, "offset": 78},
        "detail": "no payment pay-152500-20260227-0009 was ordered",
    }
