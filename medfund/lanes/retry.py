"""For operators: which keys wait, and appending copies of what waits to the end of the log.

What stays true: a copy is the same event (source, id and content), so that whoever booked the first one sees a repeat,
and the service that put it aside takes it once. Nothing but the log is written, so a retry may be broken off anywhere
and done twice. What is out of turn, or fails again, still waits afterwards.
"""

from datetime import UTC, datetime

import asyncpg
import msgspec

from medfund.events.kinds import Place
from medfund.events.parking import FactParked
from medfund.lanes import partition
from medfund.lanes.log import Copy, Log
from medfund.lanes.parking import SQL

COPIES_MAX = 500
_START = (datetime(1970, 1, 1, tzinfo=UTC), "", -1)
_fault = msgspec.json.Decoder(FactParked).decode


class ParkedKey(msgspec.Struct, frozen=True, kw_only=True):
    """`first` could not be decided, for `fault`; so many events wait, the oldest of them `since` it was appended."""

    key: str
    lane: int
    first: Place
    fault: str
    waiting: int
    since: datetime


async def parked(connection: asyncpg.Connection) -> list[ParkedKey]:
    """Every key of which events wait, by lane."""
    return [_parked(*row) for row in map(tuple, await connection.fetch(SQL.parked))]


def _parked(lane: int, key: str, event: str, waiting: int, since: datetime) -> ParkedKey:
    fault = _fault(event)
    return ParkedKey(key=key, lane=lane, first=fault.cause, fault=fault.detail, waiting=waiting, since=since)


async def retry(connection: asyncpg.Connection, log: Log, key: str, *, lanes: int) -> int:
    """Append copies of all events of a key that wait, in the order in which they came; how many."""
    lane = partition.lane_of(key.encode(), lanes)
    appended, last = 0, _START
    while rows := await connection.fetch(SQL.to_retry, lane, key, *last, COPIES_MAX):
        await log.append(lane, [copy_of(lane, row) for row in rows])
        appended += len(rows)
        last = (rows[-1]["appended_at"], rows[-1]["topic"], rows[-1]["offset"])
    return appended


def copy_of(lane: int, row: asyncpg.Record) -> Copy:
    """The same event as far as it is read; headers that are no attributes of events are left behind."""
    headers = dict(zip(row["header_names"], row["header_values"], strict=True))
    source, id, type, time = (headers[b"ce_" + name].decode() for name in (b"source", b"id", b"type", b"time"))
    place = f"{row['topic']}/{lane}/{row['offset']}"
    return Copy(row["topic"], row["key"], source, id, type, time, row["value"], place)
