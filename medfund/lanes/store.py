"""A lane's own rows in Postgres: lease, positions, identities, quarantine, order log, outbox.

Everything that a batch writes goes through one connection in one transaction, with a number of statements that
does not depend on the number of records.
"""

import struct
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import asyncpg

from medfund import codes
from medfund.events.codec import Accepted, Refused
from medfund.lanes.batch import Outcome
from medfund.lanes.log import Decision, Record, Run
from medfund.lanes.order import Span
from medfund.postgres import queries

SQL = queries.load(__file__, "lanes.sql")

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = struct.pack(">h", -1)


class Fenced(Exception):
    """Another worker has the lane. Nothing of the batch was applied."""


class InvariantBroken(Exception):
    """What must always be true is not. The lane stops before its position moves."""


class Claim(NamedTuple):
    lane: int
    epoch: int
    batches: int


class Position(NamedTuple):
    next: int
    anchor: tuple[int, bytes] | None
    """Offset and digest of the last record that moved the position."""


class Anchor(NamedTuple):
    offset: int
    digest: bytes
    appended_at: datetime


async def positions(connection: asyncpg.Connection, lane: int) -> dict[str, Position]:
    rows = await connection.fetch(SQL.positions, lane)
    return {
        row["topic"]: Position(
            row["next_offset"],
            None if row["anchor_offset"] is None else (row["anchor_offset"], row["anchor_digest"]),
        )
        for row in rows
    }


async def put_aside(connection: asyncpg.Connection, lane: int) -> list[tuple[str, int]]:
    """Batches that cannot be opened and that an operator had put aside: topic and first offset."""
    return [(row["topic"], row["offset"]) for row in await connection.fetch(SQL.put_aside, lane)]


async def start_position(connection: asyncpg.Connection, lane: int, topic: str, offset: int) -> None:
    await connection.execute(SQL.start_position, lane, topic, offset)


async def fence(
    connection: asyncpg.Connection, claim: Claim, identities: Sequence[bytes], *, lease: timedelta
) -> dict[bytes, bytes]:
    """Open a batch; returns the digests of those identities that are known. Raises `Fenced`."""
    row = await connection.fetchrow(SQL.fence, claim.lane, claim.epoch, claim.batches, identities, lease)
    if row is None:
        raise Fenced(f"lane {claim.lane}: epoch {claim.epoch}, batch {claim.batches} is not ours to write")
    return dict(zip(row["identities"] or (), row["digests"] or (), strict=True))


async def remember(
    connection: asyncpg.Connection, lane: int, fresh: Sequence[Accepted], families: Mapping[str, str]
) -> None:
    """Identities of newly accepted events. A known one breaks the primary key and with it the batch."""
    if fresh:
        await connection.copy_to_table(
            "identities",
            source=_at_once(copy_identities(lane, fresh, families)),
            columns=("lane", "identity", "digest", "topic", "offset"),
            format="binary",
        )


async def _at_once(content: bytes) -> AsyncIterator[bytes]:
    # A file would be read in another thread, which waits for this one at every step.
    yield content


def copy_identities(lane: int, fresh: Sequence[Accepted], families: Mapping[str, str]) -> bytes:
    """The rows in Postgres's binary COPY format: one `pack` per event is a third of what a generic encoder costs."""
    rows = [COPY_HEADER]
    packers = {topic: _identity_row(lane, family) for topic, family in families.items()}
    for event in fresh:
        record = event.record
        pack, prefix, name = packers[record.topic]
        rows.append(pack(5, 2, prefix, 16, event.identity, 16, event.digest, len(name), name, 8, record.offset))
    rows.append(COPY_TRAILER)
    return b"".join(rows)


def _identity_row(lane: int, family: str) -> tuple:  # type: ignore[type-arg]
    name = family.encode()
    return struct.Struct(f">hihi16si16si{len(name)}siq").pack, lane, name


async def remember_repeats(
    connection: asyncpg.Connection, lane: int, repeats: Sequence[Accepted], families: Mapping[str, str]
) -> None:
    if repeats:
        await connection.copy_records_to_table(
            "repeats",
            records=[(lane, families[event.record.topic], event.record.offset, event.identity) for event in repeats],
            columns=("lane", "topic", "offset", "identity"),
        )


async def quarantine(
    connection: asyncpg.Connection, lane: int, refused: Iterable[Refused], families: Mapping[str, str]
) -> None:
    """Keep every byte of what was refused, with the reason."""
    rows = [_quarantined(lane, refusal, families) for refusal in refused]
    if rows:
        await connection.execute(SQL.quarantine, rows)


def _quarantined(lane: int, refusal: Refused, families: Mapping[str, str]) -> tuple:  # type: ignore[type-arg]
    record = refusal.record
    area, party = organisation(record.key)
    return (
        lane, families[record.topic], record.offset, instant(record.timestamp),
        refusal.reason.value, refusal.detail, refusal.source, refusal.id, refusal.type, refusal.identity,
        area or refusal.area, party, record.key, record.value,
        [name.encode("utf-8", "surrogateescape") for name, _ in record.headers],
        [value or b"" for _, value in record.headers],
    )  # fmt: skip


def organisation(key: bytes | None) -> tuple[str | None, str | None]:
    """Area and provider that a record belongs to, by its key. Its content is believed in one case (`refusal.area`):
    the area of a provider that nobody knows, which nothing else names."""
    text = (key or b"").decode("ascii", "replace")
    return (text if codes.is_area(text) else None, text if codes.is_provider(text) else None)


async def close_batch(
    connection: asyncpg.Connection,
    claim: Claim,
    order: Span,
    runs: Sequence[Run],
    anchors: Mapping[str, Anchor],
    outcomes: Mapping[str, Outcome],
) -> None:
    """Move the positions, count, log the order. Raises `InvariantBroken` where a position was not where we left it."""
    steps = [_step(topic, runs, anchors.get(topic), outcome) for topic, outcome in outcomes.items()]
    moved = await connection.fetchval(
        SQL.close_batch,
        claim.lane,
        order.first_batch,
        claim.epoch,
        order.topics,
        order.first_offsets,
        order.cuts,
        *map(list, zip(*steps, strict=True)),
    )
    if moved != len(steps):
        raise InvariantBroken(f"lane {claim.lane}: {len(steps) - moved} positions are not where this worker left them")


def _step(topic: str, runs: Sequence[Run], anchor: Anchor | None, outcome: Outcome) -> tuple:  # type: ignore[type-arg]
    mine = [run for run in runs if run.topic == topic]
    return (
        topic, mine[0].first, mine[-1].next,
        anchor and anchor.offset, anchor and anchor.digest, anchor and anchor.appended_at,
        outcome.applied, outcome.no_effect, outcome.duplicate, outcome.quarantined, outcome.control,
    )  # fmt: skip


async def enqueue(connection: asyncpg.Connection, claim: Claim, decisions: Sequence[Decision]) -> None:
    if decisions:
        await connection.copy_records_to_table(
            "outbox",
            records=[(claim.lane, claim.batches, place, *decision) for place, decision in enumerate(decisions)],
            columns=("lane", "batch", "ordinal", *Decision._fields),
        )


class Waiting(NamedTuple):
    batch: int
    ordinal: int
    decision: Decision


async def outbox(connection: asyncpg.Connection, lane: int, limit: int) -> list[Waiting]:
    rows = await connection.fetch(SQL.outbox, lane, limit)
    return [Waiting(row[0], row[1], Decision(*row[2:])) for row in map(tuple, rows)]


async def sent(connection: asyncpg.Connection, claim: Claim, last: Waiting) -> None:
    """Forget what the log has. Raises `Fenced`: the lane's new worker delivers what waits, again and under its ids."""
    if await connection.execute(SQL.sent, claim.lane, last.batch, last.ordinal, claim.epoch) == "DELETE 0":
        raise Fenced(f"lane {claim.lane}: epoch {claim.epoch} is not ours to deliver")


def instant(milliseconds: int) -> datetime:
    """A broker's time-stamp, exactly."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)


def anchors(runs: Sequence[Run]) -> dict[str, Anchor]:
    """The last record of each topic of a batch."""
    last = {run.topic: run.records[-1] for run in runs if run.records}
    return {topic: Anchor(record.offset, digest(record), instant(record.timestamp)) for topic, record in last.items()}


def digest(record: Record) -> bytes:
    """What the log holds at one place: key, headers, value. Tells a re-created topic or another cluster apart."""
    content = sha256()
    for part in (record.key, record.value, *(part for header in record.headers for part in header)):
        raw = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        content.update(b"-" if raw is None else b"%d:" % len(raw) + raw)
    return content.digest()
