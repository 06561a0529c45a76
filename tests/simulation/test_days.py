"""Time as a fact: each day is opened once in every lane, in order, and says whether it is a working day."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from prometheus_client import REGISTRY

from medfund import calendar
from medfund.events import codec
from medfund.lanes import partition, scheduler
from medfund.lanes.log import Copy, Decision
from tests import events
from tests.simulation.memory_log import MemoryLane, MemoryLog

LANES = 4
NOW_MS = 1_893_553_200_000
"""After every day that is opened here: an event is not from the future."""
CALENDAR = calendar.shipped()


async def open_days(log: MemoryLog, now: date) -> int:
    return await scheduler.open_days(log, lanes=LANES, now=now, working_days=CALENDAR)


def days(log: MemoryLog, lane: int) -> list[tuple[str, bool | None]]:
    told = [msgspec.json.decode(record.value or b"") for record in log.records(scheduler.TOPIC, lane)]
    return [(day["date"], day["working_day"]) for day in told]


async def test_the_scheduler_tells_when_the_day_began_that_it_opened_last() -> None:
    stop, log = asyncio.Event(), MemoryLog(clock_ms=NOW_MS)
    now = datetime(2026, 12, 4, 0, 0, 3, tzinfo=calendar.SHANGHAI)

    def clock() -> datetime:
        stop.set()  # once round
        return now

    await scheduler.run(log, lanes=LANES, working_days=CALENDAR, stop=stop, clock=clock)
    opened = REGISTRY.get_sample_value("medfund_day_opened_timestamp_seconds")
    assert opened == now.timestamp() - 3


async def test_a_day_is_opened_once_in_every_lane() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    assert await open_days(log, date(2026, 2, 14)) == LANES
    assert await open_days(log, date(2026, 2, 14)) == 0
    for lane in range(LANES):
        assert days(log, lane) == [("2026-02-14", True)]  # a Saturday that is worked


async def test_days_that_passed_while_nothing_ran_come_first_and_in_order() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    await open_days(log, date(2026, 2, 13))
    await open_days(log, date(2026, 2, 16))
    assert days(log, 3) == [("2026-02-13", True), ("2026-02-14", True), ("2026-02-15", False), ("2026-02-16", False)]


@dataclass
class Counted(MemoryLog):
    """Counts what is asked of it."""

    opened: int = 0
    most_at_once: int = 0

    async def open_lane(self, lane: int, topics: Sequence[str]) -> MemoryLane:
        self.opened += 1
        return await super().open_lane(lane, topics)

    async def append(self, lane: int, decisions: Sequence[Decision | Copy]) -> None:
        self.most_at_once = max(self.most_at_once, len(decisions))
        await super().append(lane, decisions)


async def test_after_a_standstill_of_years_every_day_is_opened_in_order_and_a_lane_is_looked_at_once() -> None:
    log = Counted(clock_ms=NOW_MS)
    await open_days(log, date(2026, 12, 3))
    log.opened = 0
    assert await open_days(log, date(2029, 12, 30)) == LANES * 1123
    first = date(2026, 12, 3).toordinal()
    for lane in range(LANES):
        assert [day for day, _ in days(log, lane)] == [f"{date.fromordinal(first + n)}" for n in range(1124)]
    assert (log.opened, log.most_at_once) == (LANES, scheduler.DAYS_AT_ONCE)


async def test_a_day_that_no_lane_took_is_not_its_last_one() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    await open_days(log, date(2026, 12, 3))
    for day, source in (("2099-01-01", "/time"), ("2026-11-30", "/time"), ("2026-12-04", "/gateway/152500")):
        message = events.message("day.opened.v1", id=day, source=source, date=day)
        log.put("time", 1, key=partition.lane_key(1, LANES), value=message.value, headers=message.headers)
    await open_days(log, date(2026, 12, 5))
    assert [day for day, _ in days(log, 1)][4:] == ["2026-12-04", "2026-12-05"]


async def test_the_last_day_is_found_behind_whatever_was_written_since() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    await open_days(log, date(2026, 12, 3))
    for _ in range(2 * scheduler.STRETCH + 7):
        log.put(scheduler.TOPIC, 2, key=b"?", value=b"?", headers=())
    assert await open_days(log, date(2026, 12, 4)) == LANES
    assert days(log, 0)[-1] == ("2026-12-04", True)


async def test_what_else_stands_on_the_topic_does_not_hide_the_last_day() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    await open_days(log, date(2026, 3, 2))
    log.put(scheduler.TOPIC, 0, key=b"?", value=b"?", headers=())
    assert await open_days(log, date(2026, 3, 2)) == 0


async def test_a_year_without_a_calendar_is_opened_and_its_working_days_are_left_open() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    await open_days(log, date(2030, 1, 2))
    assert days(log, 0) == [("2030-01-02", None)]


async def test_every_lane_accepts_its_own_days() -> None:
    log = MemoryLog(clock_ms=NOW_MS)
    await open_days(log, date(2026, 10, 10))
    for lane in range(LANES):
        [record] = log.records(scheduler.TOPIC, lane)
        assert isinstance(codec.decode(record, family="time", lanes=LANES), codec.Accepted)


async def test_the_same_day_has_the_same_bytes_whoever_writes_it() -> None:
    one, other = MemoryLog(clock_ms=NOW_MS), MemoryLog(clock_ms=NOW_MS)
    await open_days(one, date(2026, 10, 10))
    await open_days(other, date(2026, 10, 10))
    assert one == other
