"""Time as a fact: the scheduler opens each day in every lane, and deadlines are decided on that, never on a clock."""

from collections.abc import Mapping
from typing import Any, ClassVar

from medfund.events.fields import Day, Ref
from medfund.events.kinds import Event, kind


@kind("day.opened", family="time", key="lane")
class DayOpened(Event, frozen=True, kw_only=True):
    """A calendar day began in Asia/Shanghai.

    `working_day` is what calendar `calendar_version` says of it, and null where that calendar does not cover the year:
    a guess would be a wrong deadline. Source: design §3, domain.md R1.4.
    """

    date: Day
    working_day: bool | None
    calendar_version: Ref

    example: ClassVar[Mapping[str, Any]] = {
        "date": "2026-02-14",
        "working_day": True,
        "calendar_version": "cn-2024-2026-30451dc4",
    }
