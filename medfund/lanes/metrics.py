"""What a worker counts, for `/metrics`. Never per event: once a batch."""

from collections import Counter as Counted
from collections.abc import Iterable, Mapping
from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram

from medfund.lanes import days
from medfund.lanes.batch import Outcome
from medfund.lanes.draft import Known

RECORDS = Counter(
    "medfund_records_total", "Records that ended, by what became of them", ["service", "topic", "outcome"]
)
BATCH_SECONDS = Histogram(
    "medfund_batch_seconds",
    "Time from a batch's fence to its commit",
    ["service"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LANES_OWNED = Gauge("medfund_lanes_owned", "Lanes that this worker has", ["service"])
CALENDAR_DAYS = Gauge(
    "medfund_calendar_days",
    "For how many days after the present one the notices say whether they are worked",
    ["service"],  # so that it is told by those processes alone that know it
)
PARKED_KEYS = Gauge("medfund_parked_keys", "Keys of which events wait to be retried", ["service", "lane"])
LANE_STOPS = Counter("medfund_lane_stops_total", "Lanes given up, by cause", ["service", "cause"])
LOG_FAULTS = Gauge("medfund_log_faults", "What the log is that it must not be, by code", ["service", "fault"])


KINDS = ("applied", "no_effect", "duplicate", "quarantined", "control")


def begin(service: str, topics: Iterable[str], causes: Iterable[str]) -> None:
    """Every count that can be named begins at 0: of a series that is born at 1 no alarm sees the increase."""
    for topic in topics:
        for kind in KINDS:
            RECORDS.labels(service, topic, kind)
    for cause in causes:
        LANE_STOPS.labels(service, cause)


def log_faults(service: str, codes: Iterable[str]) -> None:
    """What is wrong with the log now, and nothing else is."""
    LOG_FAULTS.clear()
    for code, count in Counted(codes).items():
        LOG_FAULTS.labels(service, code).set(count)


def forget_lane(service: str, lane: int) -> None:
    """What this worker no longer knows of a lane."""
    with suppress(KeyError):
        PARKED_KEYS.remove(service, lane)


def calendar_days(service: str, known: Known) -> None:
    """Of a service in whose lanes days open."""
    if (today := known[days.TODAY]) is not None:
        CALENDAR_DAYS.labels(service).set(days.known_ahead(known[days.CALENDAR], today))


def batch(service: str, outcomes: Mapping[str, Outcome], seconds: float) -> None:
    BATCH_SECONDS.labels(service).observe(seconds)
    for topic, outcome in outcomes.items():
        for kind in KINDS:
            if count := getattr(outcome, kind):
                RECORDS.labels(service, topic, kind).inc(count)
