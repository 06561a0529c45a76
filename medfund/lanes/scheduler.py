"""Time as a fact: writes `day.opened` into every lane, once for each calendar day in Asia/Shanghai.

The one place that looks at a clock. Ids are made of the day and the lane, so writing a day again is a repeat. Days
that passed while nothing ran are written in their order before today.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import structlog
from prometheus_client import Gauge, start_http_server

from medfund import calendar, ending, environment, logs
from medfund.events import codec
from medfund.events.time import DayOpened
from medfund.lanes import decisions, opened, partition
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.log import Decision, LaneLog, Log
from medfund.lanes.settings import SchedulerSettings

log = structlog.get_logger(__name__)

TOPIC, SOURCE = "time", "/time"
ONE_DAY = timedelta(days=1)
DAYS_AT_ONCE = 400
STRETCH = 500
"""Records of a lane that are looked at together for its last day."""
DAY_OPENED = Gauge("medfund_day_opened_timestamp_seconds", "When the day began that was opened last in every lane")
LOOK_LIMIT_S = 30.0
LOOK_EVERY_S = 30.0


def day_opened(day: date, lane: int, lanes: int, working_days: calendar.Calendar) -> Decision:
    """Whether the day is a working day is said where the calendar covers it, and left open where it does not."""
    event = DayOpened(
        date=day,
        working_day=working_days.is_working_day(day) if day.year in working_days.notices else None,
        calendar_version=working_days.version,
    )
    return decisions.decision(
        event,
        key=partition.lane_key(lane, lanes),
        source=SOURCE,
        id=f"day/{day}/{lane}",
        time=f"{day}T00:00:00+08:00",
    )


async def last_opened(source: LaneLog, lanes: int) -> date | None:
    """The last day that a lane has opened, looking back stretch by stretch over whatever else was written there."""
    first, end = await source.first(TOPIC), await source.end(TOPIC)
    while first < end:
        start = max(first, end - STRETCH)
        if (last := await _last_in(source, start, end, lanes)) is not None:
            return last
        end = start
    return None


async def _last_in(source: LaneLog, start: int, end: int, lanes: int) -> date | None:
    """As the lane itself takes them: what it refuses opens nothing."""
    last = None
    source.seek({TOPIC: start})
    async with asyncio.timeout(LOOK_LIMIT_S):
        while source.position(TOPIC) < end:
            for run in await source.read(limit=STRETCH, wait_s=1.0):
                for verdict in (codec.decode(record, family=TOPIC, lanes=lanes) for record in run.records):
                    if isinstance(verdict, codec.Accepted) and _is_taken(last, verdict):
                        last = verdict.event.date  # type: ignore[attr-defined]
    return last


def _is_taken(last: date | None, fact: codec.Accepted) -> bool:
    return fact.source == SOURCE and isinstance(fact.event, DayOpened) and opened.admit(last, fact) is None


def missing(last: date | None, now: date) -> Iterator[date]:
    """The days to open: after the last one up to today, today alone where there is none."""
    day = now if last is None else last + ONE_DAY
    while day <= now:
        yield day
        day += ONE_DAY


async def open_days(log_: Log, *, lanes: int, now: date, working_days: calendar.Calendar) -> int:
    """Write what is missing in every lane, some days at a time; returns how many events were written."""
    written = 0
    for lane in range(lanes):
        source = await log_.open_lane(lane, [TOPIC])
        try:
            days = missing(await last_opened(source, lanes), now)
        finally:
            await source.close()
        while some := list(islice(days, DAYS_AT_ONCE)):
            await log_.append(lane, [day_opened(day, lane, lanes, working_days) for day in some])
            written += len(some)
    return written


async def run(
    log_: Log, *, lanes: int, working_days: calendar.Calendar, stop: asyncio.Event,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:  # fmt: skip
    """Until `stop`. While the broker is away the day stays due and is written when it is back."""
    done: date | None = None
    while not stop.is_set():
        now = calendar.shanghai_day(clock())
        if now != done:
            try:
                written = await open_days(log_, lanes=lanes, now=now, working_days=working_days)
                log.info("day opened", day=str(now), events=written, calendar=working_days.version)
                done = now
                DAY_OPENED.set(datetime.combine(now, time(), calendar.SHANGHAI).timestamp())
            except Exception as error:
                log.warning("day not opened yet", day=str(now), error=f"{type(error).__name__}: {error}")
        try:
            async with asyncio.timeout(LOOK_EVERY_S if done == now else 2.0):
                await stop.wait()
        except TimeoutError:
            continue


async def main() -> int:
    """`python -m medfund.lanes.scheduler`: until SIGTERM or SIGINT."""
    settings = environment.load(SchedulerSettings)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.metrics_host)
    kafka = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    try:
        await run(kafka, lanes=settings.lanes, working_days=calendar.shipped(), stop=stop)
    finally:
        await kafka.close()
    return 0


if __name__ == "__main__":
    logs.configure()
    sys.exit(ending.run(main))
