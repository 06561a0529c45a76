"""A worker: takes its fair share of lanes by leases in Postgres, works them, gives them back.

Liveness is the lease, safety is the epoch: whoever claims a lane raises its epoch, and from then on its former
worker cannot commit, however long it slept.
"""

import asyncio
import random
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import structlog

from medfund.lanes import metrics, watching
from medfund.lanes.lane import Lane, Limits, LogReplaced
from medfund.lanes.log import BatchUnreadable, Fault, LaneLog, Log, LogTruncated
from medfund.lanes.service import Service
from medfund.lanes.store import SQL, Claim, Fenced, InvariantBroken
from medfund.lanes.watching import grave
from medfund.postgres import connect
from medfund.postgres.arrays import array

log = structlog.get_logger(__name__)

CLOSE_TIMEOUT_S = 5.0
# Enough that the database always has a batch to commit while the next one is decoded; more would only use memory.
LANES_AT_ONCE = 2
DRAIN_TIMEOUT_S = 6.0
# How often it is looked at what the log is.
WATCH_S = 60.0
# A lane that lost a server is tried again after this, and after twice as long each time that it cannot be opened.
INTERRUPTED_LANE_S = 0.5
INTERRUPTED_LANE_S_MAX = 8.0
STOPS = (InvariantBroken, LogReplaced, LogTruncated, BatchUnreadable)
"""What a lane stops at by itself, and is not tried again at once."""
CAUSES = ("stopped", "fenced", *(kind.__name__ for stop in STOPS for kind in (stop, *stop.__subclasses__())))
"""Why lanes are given up, as far as it has a name beforehand: what else interrupts one is named as its exception."""
# The lane's statements touch rows by primary key; a plan made while a table was empty must not scan it later.
WORKER_SETTINGS = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan", "jit": "off"}


class Superseded(Exception):
    """Another process works under this worker's name."""


@dataclass(frozen=True)
class Leases:
    """How long a silent worker keeps its lanes, and how often a living one says that it lives."""

    lease_s: float = 10.0
    renew_s: float = 3.0
    stopped_lane_s: float = 15.0
    """A lane that could not go on is tried again after this long."""

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_s)


@dataclass
class Worker:
    service: Service
    log: Log
    lane_dsn: Callable[[int], str]
    """Lane -> database. One database today; with Citus the node that owns the lane."""
    name: str
    lanes: int
    limits: Limits = Limits()
    leases: Leases = Leases()
    patience: connect.Patience = connect.PATIENCE
    instance: str = field(default_factory=lambda: secrets.token_hex(8))
    _working: dict[int, "_Working"] = field(default_factory=dict)
    _pause_s: defaultdict[int, float] = field(default_factory=lambda: defaultdict(lambda: INTERRUPTED_LANE_S))
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LANES_AT_ONCE))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish open batches and give the lanes back. Raises `Superseded`."""
        metrics.begin(self.service.name, self.service.topics, CAUSES)
        await self._retrying(self._enrol, stop)
        watching = asyncio.create_task(self._watch(), name="watch the log")
        try:
            while not stop.is_set():
                await self._retrying(self._tend, stop)
                await _wait(stop, self.leases.renew_s * random.uniform(0.8, 1.2))  # noqa: S311 - spreads workers
        finally:
            watching.cancel()
            await self._drain()

    async def _watch(self) -> None:
        """Say each minute what the log is that it must not be. Nothing follows from it here: it is for people."""
        while True:
            found: Sequence[Fault] = ()
            try:
                found = await self.log.faults(self.service.topics, self.lanes)
                metrics.log_faults(self.service.name, [fault.code for fault in grave(found)])
                for fault in grave(found):
                    log.error("log fault", fault=fault.code, topic=fault.topic, lane=fault.lane, age_s=fault.age_s,
                              detail=fault.detail)  # fmt: skip
            except Exception as error:  # whatever it is, it is looked at again
                log.warning("the log could not be looked at", error=_line(error), exc_info=_unexpected(error))
            # A transaction that was just begun is held against nobody, and not forgotten for a minute either.
            await asyncio.sleep(WATCH_S if len(grave(found)) == len(found) else watching.HELD_UP_S)

    async def _retrying(self, work: Callable[[asyncpg.Connection], Awaitable[None]], stop: asyncio.Event) -> None:
        """Do a piece of lease work on a fresh connection; while the database is away, back off and say so."""
        delay_s = 0.2
        while not stop.is_set():
            try:
                async with self._connection("leases") as connection:
                    await work(connection)
                return
            except connect.UNAVAILABLE as error:
                log.warning("database unavailable", worker=self.name, error=_line(error), retry_s=round(delay_s, 1))
                await _wait(stop, delay_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                delay_s = min(delay_s * 2, 5.0)

    def _connection(self, purpose: str) -> AbstractAsyncContextManager[asyncpg.Connection]:
        return connect.connection(self.lane_dsn(0), name=f"{self.name} {purpose}", patience=self.patience)

    async def _enrol(self, connection: asyncpg.Connection) -> None:
        await connection.execute(SQL.create_lanes, self.lanes)
        if (count := await connection.fetchval(SQL.count_lanes)) != self.lanes:
            raise InvariantBroken(f"{self.service.name} was set up with {count} lanes, this worker with {self.lanes}")
        replaced = await connection.fetchval(SQL.enrol, self.name, self.instance, self.leases.lease)
        if replaced:
            log.warning("took the name over from a running worker", worker=self.name, replaced=replaced)
        log.info("worker started", worker=self.name, instance=self.instance, service=self.service.name)

    async def _tend(self, connection: asyncpg.Connection) -> None:
        """Say that we live, keep what we hold, take what is free up to our share, give back what is beyond it."""
        server = await connection.fetchval(SQL.heartbeat, self.name, self.instance, self.leases.lease)
        if server is None:
            raise Superseded(f"another process works under the name {self.name}; this one stops")
        self._forget_ended()
        self._leave_others(server)
        held = await connection.fetch(SQL.renew, self.instance, array([*self._working]), self.leases.lease)
        self._let_go(self._working.keys() - {row["lane"] for row in held})
        share = -(-self.lanes // max(1, await connection.fetchval(SQL.living)))
        while len(self._working) < share and await self._claim(connection, server):
            pass
        if len(self._working) < share and (
            ended := await connection.fetchval(SQL.evict, self.instance, list(self._working))
        ):
            log.warning("ended sessions that kept lanes locked", worker=self.name, sessions=ended)
        for working in list(self._working.values())[share:]:
            working.stop.set()
        metrics.LANES_OWNED.labels(self.service.name).set(len(self._working))

    async def _claim(self, connection: asyncpg.Connection, server: datetime) -> bool:
        row = await connection.fetchrow(SQL.claim, self.name, self.instance, self.leases.lease)
        if row is None:
            return False
        claim = Claim(*row)
        stop = asyncio.Event()
        task = asyncio.create_task(self._work(claim, stop), name=f"lane {claim.lane}")
        self._working[claim.lane] = _Working(stop, task, server)
        log.info("lane claimed", lane=claim.lane, epoch=claim.epoch, worker=self.name)
        return True

    def _let_go(self, lost: Iterable[int]) -> None:
        """Stop counting on lanes that others claimed while we slept: one without events would not find out by itself,
        and we would take no other in its place."""
        for lane in lost:
            log.warning("lane lost", lane=lane, worker=self.name, reason="another worker claimed it")
            self._working[lane].stop.set()

    def _leave_others(self, server: datetime) -> None:
        """Give up lanes that work on another server than the one that keeps the leases now. A lane without events would
        not notice that its server is gone, nor read again what that one alone had booked; and a server that somebody
        took the place of may still take its commits."""
        for lane, working in self._working.items():
            if working.server != server and not working.stop.is_set():
                log.warning("lane moves", lane=lane, worker=self.name, reason="another server keeps the leases now")
                working.stop.set()

    def _forget_ended(self) -> None:
        self._working = {lane: working for lane, working in self._working.items() if not working.task.done()}

    async def _work(self, claim: Claim, stop: asyncio.Event) -> None:
        """One claim's whole life. However it ends, the lane is released under the epoch it was claimed with."""
        cause, reason, pause_s = "stopped", None, self._pause_s[claim.lane]
        try:
            await self._open_and_run(claim, stop)
        except Fenced as error:
            cause = "fenced"
            log.warning("lane lost", lane=claim.lane, worker=self.name, reason=str(error))
        except STOPS as error:
            cause, reason = type(error).__name__, f"{type(error).__name__}: {error}"
            pause_s = self.leases.stopped_lane_s
            log.error("lane stopped", lane=claim.lane, worker=self.name, reason=reason)
        except Exception as error:
            cause, reason = type(error).__name__, f"{type(error).__name__}: {_line(error)}"
            log.warning(
                "lane interrupted", lane=claim.lane, worker=self.name, reason=reason, exc_info=_unexpected(error)
            )
        metrics.LANE_STOPS.labels(self.service.name, cause).inc()
        metrics.forget_lane(self.service.name, claim.lane)
        await self._release(claim, cause, reason, pause_s)

    async def _open_and_run(self, claim: Claim, stop: asyncio.Event) -> None:
        source = await self.log.open_lane(claim.lane, self.service.topics)
        try:
            async with connect.connection(
                self.lane_dsn(claim.lane),
                name=f"lane {claim.lane} {self.instance} {self.name}",
                settings=WORKER_SETTINGS,
                patience=self.patience,
            ) as connection:
                if not await connection.fetchval(SQL.ours, claim.lane, claim.epoch, self.instance):
                    raise Fenced(f"lane {claim.lane}: epoch {claim.epoch} was not claimed on this server")
                lane = Lane(claim, self.service, self.log, source, connection, self.limits, self._turn)
                await lane.open()
                await lane.step()
                await connection.execute(SQL.goes_on, claim.lane, claim.epoch)
                self._pause_s.pop(claim.lane, None)
                await lane.run(stop)
        finally:
            await _close(source)

    async def _release(self, claim: Claim, cause: str, reason: str | None, pause_s: float) -> None:
        """Free at once where all is well; after a pause where it is not. A lost lease runs out by itself."""
        if cause == "fenced":
            return
        self._pause_s[claim.lane] = min(pause_s * 2, INTERRUPTED_LANE_S_MAX)
        try:
            async with self._connection("release") as connection:
                await connection.execute(SQL.release, claim.lane, claim.epoch, reason, timedelta(seconds=pause_s))
        except connect.UNAVAILABLE as error:
            log.warning("lane not released, its lease runs out", lane=claim.lane, error=_line(error))

    async def _drain(self) -> None:
        """Let open batches commit, then leave. What does not end in time is cut: the database undoes it."""
        for working in self._working.values():
            working.stop.set()
        tasks = [working.task for working in self._working.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            async with self._connection("leave") as connection:
                await connection.execute(SQL.leave, self.name, self.instance)
        except connect.UNAVAILABLE as error:
            log.warning("could not say goodbye", worker=self.name, error=_line(error))
        log.info("worker stopped", worker=self.name, lanes=len(tasks))


@dataclass
class _Working:
    stop: asyncio.Event
    task: "asyncio.Task[None]"
    server: datetime
    """Since when the server runs on which the lane was claimed."""


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


async def _close(source: LaneLog) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await source.close()
    except TimeoutError:
        log.warning("the log's client did not close in time")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _unexpected(error: BaseException) -> bool:
    """Whether a stack belongs in the log: the database or the broker being away is no surprise."""
    return (
        not isinstance(error, (*connect.UNAVAILABLE, asyncpg.PostgresError)) and "kafka" not in type(error).__module__
    )
