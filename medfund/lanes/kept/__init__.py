"""What a deciding service keeps in memory of a lane, in its own schema: facts as they came, providers, the open day."""

from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec

from medfund.events.kinds import KINDS, Event
from medfund.lanes.capability import Capability, known_after, listeners
from medfund.lanes.days import DAYS, TODAY
from medfund.lanes.draft import Draft, Known, Part
from medfund.lanes.providers import AREAS, BEGUN, NAMED, SINCE, Since
from medfund.lanes.shelf import Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "kept.sql")
MIGRATIONS = Path(__file__).parent / "sql" / "migrations"
"""Their tables, where row security can ask for a scope. Clearing has the same in migrations of its own."""
TYPES = {kind.event: kind.type for kind in KINDS.values()}
PUBLISHED: Part[list[tuple[str, int, Event]]] = Part("published", list)
"""Facts of this batch that are kept as they came, with their topic and offset."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Facts(Shelf):
    """What the capabilities keep as it came."""

    def __init__(self, capabilities: Sequence[Capability]) -> None:
        self._keeps = listeners([one.keeps for one in capabilities])

    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        types = sorted(TYPES[type_] for type_, keeps in self._keeps.items() if any(keeps))
        for row in await connection.fetch(SQL.facts, lane, types):
            known = known_after(self._keeps, known, msgspec.json.decode(row["body"], type=KINDS[row["type"]].event))
        return known

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if published := draft[PUBLISHED]:
            rows = [
                (topic, str(offset), TYPES[type(event)], _provider(event), _encode(event).decode())
                for topic, offset, event in published
            ]
            await connection.execute(SQL.keep, lane, *columns(rows))


def _provider(event: Event) -> str | None:
    return event.provider if "provider" in event.__struct_fields__ else None  # type: ignore[attr-defined]


class Providers(Shelf):
    keeps = "provider"

    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        rows = await connection.fetch(SQL.providers, lane)
        since = {
            row["provider"]: Since(row["since"], row["area"], row["origin"], row["first"])
            for row in rows
            if row["since"]
        }
        return known.replaced(AREAS, {row["provider"]: row["area"] for row in rows}).replaced(SINCE, since)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if begun := draft[BEGUN]:
            found = [
                (
                    provider,
                    since.area,
                    since.day.isoformat(),
                    since.origin,
                    since.first.isoformat(),
                    *draft[NAMED][provider],
                )
                for provider, since in sorted(begun.items())
            ]
            await connection.execute(SQL.register, lane, *columns(found))
            areas = {provider: since.area for provider, since in begun.items()}
            known = draft.known.replaced(AREAS, {**draft.known[AREAS], **areas})
            draft.known = known.replaced(SINCE, {**known[SINCE], **begun})


class OpenDay(Shelf):
    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        return known.replaced(TODAY, await connection.fetchval(SQL.today, lane))

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if (day := draft[DAYS].opened) is not None:
            await connection.execute(SQL.open_day, lane, day)
