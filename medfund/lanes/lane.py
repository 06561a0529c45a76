"""One claimed lane: read, judge, book, in one transaction per batch, until told to stop.

The Postgres transaction is the only commit point. When its outcome is not known the lane is dropped and claimed
again, and the positions row says what happened.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import structlog

from medfund import faults
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Place
from medfund.lanes import batch as batches
from medfund.lanes import metrics, order, store
from medfund.lanes.batch import Batch
from medfund.lanes.log import LaneLog, Log, LogTruncated, Run
from medfund.lanes.service import Effects, HandlerFailed, Service
from medfund.lanes.sources import HEARD_MS

log = structlog.get_logger(__name__)

DELIVERIES_MAX = 500
# What the log's client holds when a batch begins is as old as the batch before; the rest is one fetch away.
GATHER_S = 0.03
# Each event that cannot be applied costs its batch once more; with more of them it is done in halves.
FAILED_MAX = 4
# With so many bytes a batch is full, however few its records are.
HEAVY_BYTES = 2 << 20


class LogReplaced(Exception):
    """The record at our last position is not the one we applied: another topic, another cluster, or a lost tail."""


class _ReadAhead(Exception):
    """What the batch refers to may still be unread; nothing was applied."""


class _HeldUp(Exception):
    """A topic cannot be read to its end: a transaction is open."""


@dataclass(frozen=True)
class Limits:
    batch_records_max: int = 5000
    wait_s: float = 1.0
    small_batch: int = 500
    pace_s: float = 0.08
    """While batches are small, one begins no sooner than this after the one before: fewer commits, and each takes what
    the log has gathered meanwhile."""
    batch_s: float = 60.0
    """A batch that takes longer is given up: not every wait inside the database's client has a limit of its own."""
    lease: timedelta = timedelta(seconds=10)
    """How long a batch proves that its worker lives."""


@dataclass
class Lane:
    """The lane's state is reloaded at each claim and changes only after a commit."""

    claim: store.Claim
    service: Service
    log: Log
    source: LaneLog
    connection: asyncpg.Connection
    limits: Limits = Limits()
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Shared by the lanes of a worker: few hold a big batch in memory at a time, however many have a backlog."""
    point: Callable[[str], None] = faults.point
    _small: bool = False
    _began: float = 0.0
    _undelivered: bool = True
    _state: Any = None
    _order: order.Span = order.Span(0)
    _parked: int = 0
    _heard_ms: int = 0
    """What was appended before this moment may be judged: of sources, everything that concerns it was heard."""
    _later: list[Run] = field(default_factory=list)
    """What was read and belongs to the next batch. It is kept: whoever seeks back waits until the broker has answered
    what was asked for before, which it may hold for long."""
    _families: dict[str, str] = field(default_factory=dict)

    async def open(self) -> None:
        """Find the positions and prove that the log is still the one they belong to.

        Raises `LogReplaced`, `LogTruncated`.
        """
        self.source.put_aside(await store.put_aside(self.connection, self.claim.lane))
        known = await store.positions(self.connection, self.claim.lane)
        for topic in self.service.topics:
            if topic not in known:
                if start := await self.source.first(topic):
                    raise LogTruncated(f"lane {self.claim.lane} of {topic}: the log begins at {start} and not at 0")
                await store.start_position(self.connection, self.claim.lane, topic, start)
                known[topic] = store.Position(start, None)
            await self._check(topic, known[topic])
        self.source.seek({topic: known[topic].next for topic in self.service.topics})
        self._state = await self.service.load(self.connection, self.claim.lane)
        self._order = order.Span(self.claim.batches + 1)
        await self._hear_ahead()
        self._tell_parked()
        if self.service.own:
            await self._read_to_end(self.service.own)

    async def _hear_ahead(self) -> None:
        """From when on the lane asks who may say what, where it has not booked that yet."""
        known = self.service.sources(self._state)
        for topic in () if known.begun else self.service.references:
            start, end, heard = self.source.position(topic), await self.source.end(topic), False
            while not heard and self.source.position(topic) < end:
                for run in await self.source.read(
                    limit=self.limits.batch_records_max, wait_s=self.limits.wait_s, topics=[topic]
                ):
                    heard = heard or known.expect(self.service.decode(run.records, topic))
                    self._later = [run] if run.first == start else []
            if not self._later:
                self.source.seek({topic: start})

    async def _check(self, topic: str, position: store.Position) -> None:
        place = f"lane {self.claim.lane} of {topic}"
        if position.next > await self.source.end(topic):
            raise LogReplaced(f"{place}: the log ends before our position {position.next}")
        if position.next < await self.source.first(topic):
            raise LogTruncated(f"{place}: the log no longer has our position {position.next}")
        if position.anchor is None:
            return
        offset, expected = position.anchor
        record = await self.source.record_at(topic, offset)
        if record is None:
            if offset < await self.source.first(topic):
                return  # retention took the record itself, and nothing that we still need
            raise LogReplaced(f"{place}: the log has no record at {offset}, where we left off")
        if store.digest(record) != expected:
            raise LogReplaced(f"{place}: the record at {offset} is not the one that was booked")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, a batch at a time. Raises `Fenced`, `InvariantBroken`, `LogTruncated`, `BatchUnreadable`,
        or what the database and the broker raise when they cannot be used."""
        while not stop.is_set():
            await self.step()

    async def step(self) -> int:
        """Deliver what was decided, read and book one batch; returns the number of records that it ended."""
        if self._undelivered:
            await self._deliver()
        limits = self.limits
        few = min(limits.small_batch, limits.batch_records_max) if self._small and limits.pace_s else 0
        if few:
            await asyncio.sleep(max(0.0, self._began + limits.pace_s - time.monotonic()))
        runs, self._later = self._later, []
        runs = runs or await self.source.read(limit=few or 1, wait_s=limits.wait_s)
        if not runs:
            return 0
        self._began = time.monotonic()
        heavy = weight(runs) >= HEAVY_BYTES
        async with contextlib.nullcontext() if few and not heavy else self.turn:
            room = limits.batch_records_max - sum(len(run.records) for run in runs)
            if not heavy:
                runs += await self.source.read(limit=min(few or room, room), wait_s=GATHER_S if few else 0)
            self.point("after_fetch")
            runs = await self._heard(joined(runs))
            if not runs:
                return 0
            batch = self._decode(self._enough(runs))
            async with self.turn if few and not heavy and self._is_large(batch) else contextlib.nullcontext():
                booked = await self._book_all(batch)
        self._small = booked < limits.small_batch
        return booked

    async def _heard(self, runs: list[Run]) -> list[Run]:
        """Events that are at most `HEARD_MS` newer than what was heard of sources; while something of that is unread,
        later ones wait. A source loses its word only `HEARD_MS` after that was said, and by then it was heard."""
        if newest(runs) < self._heard_ms:
            return runs
        # Their ends are asked for after the events were read: what was appended before these lies before the ends.
        behind = [name for name in self.service.references if self.source.position(name) < await self.source.end(name)]
        if not behind:
            self._heard_ms = newest(runs) + HEARD_MS
            return runs
        room = self.limits.batch_records_max
        runs = joined([*runs, *await self.source.read(limit=room, wait_s=self.limits.wait_s, topics=behind)])
        last = newest([run for run in runs if run.topic in behind])
        self._heard_ms = max(self._heard_ms, last + HEARD_MS)
        parts = [(run, None) if run.topic in behind else parted(run, self._heard_ms) for run in runs]
        self._later = [later for _, later in parts if later]
        return [run for run, _ in parts if run.next > run.first]

    async def _deliver(self) -> None:
        """The outbox's way to the log: in the lane's order, at least once, each under the id it was decided with.

        A crash before the outbox forgets an event appends it again: a repeat with the same identity.
        """
        while waiting := await store.outbox(self.connection, self.claim.lane, DELIVERIES_MAX):
            await self.log.append(self.claim.lane, [row.decision for row in waiting])
            self.point("before_sent")
            await store.sent(self.connection, self.claim, waiting[-1])
        self._undelivered = False

    def _is_large(self, batch: Batch) -> bool:
        """Whether it takes as much memory as many records do."""
        return any(type(event.event) in self.service.large for event in batch.accepted)

    def _enough(self, runs: list[Run]) -> list[Run]:
        """What of some runs one batch may have, where some records count for many; the rest belongs to the next. What
        the service decided itself is heard at any time, and would only take memory."""
        for run in runs:
            if (place := self._too_much(run)) is not None:
                moment = run.records[place].timestamp
                others = {one.topic: parted(one, moment) for one in runs if one.topic != self.service.own}
                parts = [others.get(one.topic, (one, None)) for one in runs if one is not run] + [cut(run, place)]
                self._later = joined([*(later for _, later in parts if later), *self._later])
                return [before for before, _ in parts if before.next > before.first]
        return runs

    def _too_much(self, run: Run) -> int | None:
        """Where the first record stands with which there is more than a batch may have. One alone it always has."""
        weights, sum = self.service.weights.get(run.topic), 0
        for place, record in enumerate(run.records if weights else ()):
            if weights and record.value and (weigh := weights.get(dict(record.headers).get("ce_type"))):
                before, sum = sum, sum + weigh(record.value)
                if before and sum > self.limits.batch_records_max:
                    return place
        return None

    async def _book_all(self, batch: Batch) -> int:
        """Book what was read; when something is missing that a reference topic may hold, that topic goes first."""
        try:
            return await self._book(batch, may_wait=True)
        except _ReadAhead:
            pass
        runs, references = batch.runs, self.service.references
        booked = await self._book_if_any([run for run in runs if run.topic in references])
        rest = [run for run in runs if run.topic not in references]
        try:
            # Its end is asked for after the event was read: what was appended before the event lies before it.
            for topic in references:
                booked += await self._read_to_end(topic, patient=False)
        except _HeldUp:
            self._later = [*rest, *self._later]  # and other lanes have their turn
            return booked
        return booked + await self._book_if_any(rest)

    async def _read_to_end(self, topic: str, *, patient: bool = True) -> int:
        """Book what a topic holds now, and nothing else; returns the number of records. Raises `_HeldUp` where it is
        not `patient`."""
        booked, end = 0, await self.source.end(topic)
        while self.source.position(topic) < end:
            read = await self.source.read(
                limit=self.limits.batch_records_max, wait_s=self.limits.wait_s, topics=[topic]
            )
            if not read and not patient:
                raise _HeldUp
            booked += await self._book_if_any(read)
        return booked

    async def _book_if_any(self, runs: Sequence[Run]) -> int:
        return await self._book(self._decode(runs), may_wait=False) if runs else 0

    def _decode(self, runs: Sequence[Run]) -> Batch:
        order = {topic: place for place, topic in enumerate(self.service.topics)}
        runs = sorted(runs, key=lambda run: (order[run.topic], run.first))
        accepted: list[Accepted] = []
        refused: list[Refused] = []
        asked_from = self.service.sources(self._state).asked_from
        for run in runs:
            if run.records:
                self._families[run.records[0].topic] = run.topic
            for verdict in self.service.decode(run.records, run.topic, asked_from):
                (accepted if type(verdict) is Accepted else refused).append(verdict)  # type: ignore[arg-type]
        return Batch(runs, accepted, refused)

    async def _book(self, batch: Batch, *, may_wait: bool) -> int:
        """Book a batch; where an event cannot be applied, again without it. Each time another one is left out."""
        failed: dict[Place, str] = {}
        while len(failed) <= FAILED_MAX:
            try:
                return await self._book_without(failed, batch, may_wait=may_wait)
            except HandlerFailed as failure:
                if failure.place in failed:
                    raise store.InvariantBroken(f"put aside and applied all the same: {failure}") from failure
                failed[failure.place] = failure.fault
                self._tell_failure(failure)
        if may_wait:
            raise _ReadAhead
        return sum([await self._book_if_any(half) for half in halves(batch.runs)])

    async def _book_without(self, failed: Mapping[Place, str], batch: Batch, *, may_wait: bool) -> int:
        """The batch's one transaction."""
        started = time.perf_counter()
        claim, connection = self.claim, self.connection
        taken = order.after(self._order, claim.batches + 1, batch.runs)
        async with asyncio.timeout(self.limits.batch_s), connection.transaction():
            known = await store.fence(
                connection, claim, [event.identity for event in batch.accepted], lease=self.limits.lease
            )
            self.point("after_fence")
            draft = self.service.draft(self._state)
            await self.service.recall(connection, claim.lane, draft, batch.accepted)
            aside = self.service.put_aside(draft, claim.lane, batch.accepted, known, failed)
            verdicts = batches.judge(
                _without(aside, batch.accepted),
                known,
                partial(self.service.admit, draft),
                self.service.sources(draft).asks,
            )
            if may_wait and any(refusal.reason in self.service.lacking for refusal in verdicts.refused):
                raise _ReadAhead
            verdicts.refused.extend([*aside, *batch.refused])
            await self.service.prepare(connection, claim.lane, draft, verdicts.fresh)
            effects = self.service.apply(draft, claim.lane, verdicts.fresh)
            outcomes = batches.outcomes(batch, self._families, verdicts, self.service.silent)
            await self._write(batch, verdicts, effects)
            self.point("before_position")
            await store.close_batch(connection, claim, taken, batch.runs, store.anchors(batch.runs), outcomes)
            self.point("before_commit")
        self.point("after_commit")
        self.claim = claim._replace(batches=claim.batches + 1)
        self._state, self._order = draft, taken
        self._undelivered |= bool(effects.decisions or verdicts.refused)
        metrics.batch(self.service.name, outcomes, time.perf_counter() - started)
        if aside or self._parked:
            self._tell_parked()
        return sum(len(run.records) for run in batch.runs)

    def _tell_failure(self, failure: HandlerFailed) -> None:
        log.error(
            "handler failed",
            service=self.service.name,
            lane=self.claim.lane,
            topic=failure.place.topic,
            offset=failure.place.offset,
            fault=failure.fault,
        )

    def _tell_parked(self) -> None:
        self._parked = self.service.parked(self._state)
        metrics.PARKED_KEYS.labels(self.service.name, self.claim.lane).set(self._parked)

    async def _write(self, batch: Batch, verdicts: batches.Verdicts, effects: Effects) -> None:
        connection, lane, families = self.connection, self.claim.lane, self._families
        await store.remember(connection, lane, verdicts.fresh, families)
        self.point("mid_batch")
        await self.service.write(connection, lane, effects.rows)
        await store.remember_repeats(connection, lane, verdicts.repeats, families)
        await store.quarantine(connection, lane, verdicts.refused, families)
        notices = self.service.refused(lane, verdicts.refused) if verdicts.refused else ()
        await store.enqueue(connection, self.claim, [*effects.decisions, *notices])


def joined(runs: Sequence[Run]) -> list[Run]:
    """The same records with one run for each topic."""
    found: dict[str, Run] = {}
    for run in runs:
        before = found.get(run.topic)
        found[run.topic] = (
            run if before is None else Run(run.topic, before.first, run.next, [*before.records, *run.records])
        )
    return list(found.values())


def weight(runs: Sequence[Run]) -> int:
    """How many bytes some runs hold in their values."""
    return sum(len(record.value or b"") for run in runs for record in run.records)


def newest(runs: Sequence[Run]) -> int:
    """When the last record of some runs was appended."""
    return max((run.records[-1].timestamp for run in runs if run.records), default=0)


def parted(run: Run, moment: int) -> tuple[Run, Run | None]:
    """What of a run comes before the first record that was appended at a moment or later, and the rest."""
    for place, record in enumerate(run.records):
        if record.timestamp >= moment:
            return cut(run, place)
    return run, None


def cut(run: Run, place: int) -> tuple[Run, Run]:
    """A run before one of its records, and from there on."""
    at = run.records[place].offset
    return Run(run.topic, run.first, at, run.records[:place]), Run(run.topic, at, run.next, run.records[place:])


def halves(runs: Sequence[Run]) -> list[list[Run]]:
    """The same records in two batches that follow one another: every run is cut, or else their list."""
    first: list[Run] = []
    second: list[Run] = []
    if all(len(run.records) < 2 for run in runs):
        return [[*runs[: len(runs) // 2]], [*runs[len(runs) // 2 :]]]
    for run in runs:
        middle = (len(run.records) + 1) // 2
        cut = run.records[middle].offset if middle < len(run.records) else run.next
        first.append(Run(run.topic, run.first, cut, run.records[:middle]))
        if cut < run.next:
            second.append(Run(run.topic, cut, run.next, run.records[middle:]))
    return [first, second]


def _without(aside: Sequence[Refused], accepted: Sequence[Accepted]) -> Sequence[Accepted]:
    if not aside:
        return accepted
    waiting = {(refusal.record.topic, refusal.record.offset) for refusal in aside}
    return [event for event in accepted if (event.record.topic, event.record.offset) not in waiting]
