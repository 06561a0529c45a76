"""Time as a fact: each day is opened once in every lane, in order, and says whether it is a working day."""

from datetime import date

import msgspec

from medfund import calendar
from medfund.events import codec
from medfund.lanes import scheduler
from tests.simulation.memory_log import MemoryLog

LANES = 4
NOW_MS = 1_893_553_200_000
"""After every day that is opened here: an event is not from the future."""
CALENDAR = calendar.shipped()


async def open_days(log: MemoryLog, now: date) -> int:
    return await scheduler.open_days(log, lanes=LANES, now=now, working_days=CALENDAR)


def days(log: MemoryLog, lane: int) -> list[tuple[str, bool | None]]:
    told = [msgspec.json.decode(record.value or b"") for record in log.records(scheduler.TOPIC, lane)]
    return [(day["date"], day["working_day"]) for day in told]


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
