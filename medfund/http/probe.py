"""Whether the books keep up: the truth behind `/healthz` and the gauges of `/metrics`.

Lag is told in events, in the age of the oldest, and in money. An answer is kept for a moment and shared, so that asking
often costs nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client import Gauge

from medfund.events.codec import Accepted
from medfund.events.kinds import Event
from medfund.http.database import Database
from medfund.http.problems import Problem
from medfund.lanes import backlog, watching
from medfund.lanes.backlog import Backlog, Place
from medfund.lanes.kafka import KafkaError
from medfund.lanes.log import Fault, Record
from medfund.lanes.service import Service
from medfund.postgres import queries

SQL = queries.load(__file__, "health.sql")

KEPT_S = 2.0
LOOK_S = 2.0
SAMPLE_MAX = 10_000
WATCHED_S = 60.0
AGE_S_MAX = 60.0
"""An event that waits longer than this makes the answers of the API stale."""

LAG_EVENTS = Gauge("medfund_lag_events", "Records on the log that are not booked", ["service"])
LAG_SECONDS = Gauge("medfund_lag_seconds", "Age of the oldest of them", ["service"])
LAG_YUAN = Gauge("medfund_lag_yuan", "Money that they move, as far as they were looked at", ["service"])
LANES_IDLE = Gauge("medfund_lanes_idle", "Lanes that no live worker owns", ["service"])
FAULTS = Gauge("medfund_faults", "What /healthz says is wrong, 1 for each", ["service", "fault"])


class Lag(NamedTuple):
    """`fen` is what the unread events move; with `complete` false it is at least that, and so is the age."""

    events: int
    oldest_s: float
    fen: int
    complete: bool


class Health(NamedTuple):
    database: bool = False
    log: bool | None = None
    """None: it was not asked, for without the database nobody knows from where."""
    lanes: int = 0
    idle: Sequence[int] = ()
    stopped: Sequence[int] = ()
    lag: Lag | None = None
    log_faults: Sequence[Fault] = ()
    """What the log is that it must not be, and where."""

    @property
    def faults(self) -> list[str]:
        """Stable codes of what is wrong; none means that the answers of the API are up to date."""
        stale = self.lag is not None and self.lag.oldest_s > AGE_S_MAX
        found = {
            "database_unavailable": not self.database,
            "log_unavailable": self.log is False,
            "lane_stopped": bool(self.stopped),
            "lane_without_worker": bool(self.idle) or (self.database and not self.lanes),
            "stale": stale,
        }
        return [*(code for code, holds in found.items() if holds), *sorted({fault.code for fault in self.log_faults})]


class Probe:
    """`moves` says how much money (fen) an event that is not read yet will move, should it be accepted."""

    def __init__(
        self,
        database: Database,
        service: Service,
        *,
        bootstrap: str,
        prefix: str,
        moves: Callable[[Event], int],
        identity: Mapping[str, Any],
    ) -> None:
        self._database = database
        self._service = service
        self._moved_by = moves
        self._bootstrap = bootstrap
        self._identity = identity
        self._prefix = prefix
        self._lock = asyncio.Lock()
        self._last = Health()
        self._looked_at = -KEPT_S
        self._settings: Sequence[Fault] = ()
        self._watched_at = -WATCHED_S

    async def reach(self) -> None:
        """Asks the database, and nothing else. Raises `Problem`."""
        await self._database.rows(SQL.lanes)

    async def health(self) -> Health:
        """At most `KEPT_S` old. One look at a time, whoever asks."""
        async with self._lock:
            if time.monotonic() - self._looked_at >= KEPT_S:
                self._last = await self._look()
                self._looked_at = time.monotonic()
                _publish(self._service.name, self._last)
        return self._last

    async def _look(self) -> Health:
        try:
            lanes = await self._database.rows(SQL.lanes)
            rows = await self._database.rows(SQL.positions)
        except Problem:
            return Health()
        known = {Place(row["lane"], row["topic"]): row["next_offset"] for row in rows}
        stopped = [row["lane"] for row in lanes if row["stopped_reason"]]
        idle = [row["lane"] for row in lanes if not row["worked"] and not row["stopped_reason"]]
        health = Health(database=True, lanes=len(lanes), idle=idle, stopped=stopped)
        try:
            watched = await self._watched(len(lanes))
            topics = [
                topic for topic in self._service.topics if f"{self._prefix}.{topic}" not in watching.missing(watched)
            ]
            places = [Place(row["lane"], topic) for row in lanes for topic in topics]
            found = await backlog.look(
                self._bootstrap,
                prefix=self._prefix,
                positions={place: known.get(place) for place in places},
                records_max=SAMPLE_MAX,
                wait_s=LOOK_S,
                identity=self._identity,
            )
        except (KafkaError, OSError, TimeoutError):
            self._watched_at = -WATCHED_S
            return health._replace(log=False)
        return health._replace(
            log=True, lag=await self._lag(found), log_faults=[*watched, *watching.grave(found.held_up)]
        )

    async def _watched(self, lanes: int) -> Sequence[Fault]:
        """What the topics are set to, at most a minute old. What is missing may be there the next time."""
        if lanes and time.monotonic() - self._watched_at >= WATCHED_S:
            names = [f"{self._prefix}.{family}" for family in self._service.topics]
            self._settings = await watching.settings(self._bootstrap, names, lanes=lanes, identity=self._identity)
            if not watching.missing(self._settings):
                self._watched_at = time.monotonic()
        return self._settings

    async def _lag(self, found: Backlog) -> Lag:
        oldest_ms = min((record.timestamp for _, record in found.first), default=None)
        fen = 0
        for number, (family, record) in enumerate(found.first):
            fen += self._moves(family, record)
            if number % 500 == 0:
                await asyncio.sleep(0)  # others are served between two portions
        age_s = 0.0 if oldest_ms is None else max(time.time() - oldest_ms / 1000, 0.0)
        age_s = max([age_s, *(fault.age_s or 0.0 for fault in found.held_up)])
        return Lag(found.unread, age_s, fen, found.complete)

    def _moves(self, family: str, record: Record) -> int:
        event = self._service.decode([record], family)[0]
        return self._moved_by(event.event) if isinstance(event, Accepted) else 0


def _publish(service: str, health: Health) -> None:
    LANES_IDLE.labels(service).set(len(health.idle) + len(health.stopped))
    FAULTS.clear()
    for fault in health.faults:
        FAULTS.labels(service, fault).set(1)
    if health.lag is not None:
        LAG_EVENTS.labels(service).set(health.lag.events)
        LAG_SECONDS.labels(service).set(health.lag.oldest_s)
        LAG_YUAN.labels(service).set(health.lag.fen / 100)
