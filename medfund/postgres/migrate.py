"""Migrations: plain SQL files in dbmate's format (`-- migrate:up`, `-- migrate:down`), each applied once, whole.

A file is one transaction together with the row that remembers it, so a crash leaves it applied or not at all.
What was applied must not change afterwards: its checksum is compared at every start.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog

from medfund import faults
from medfund.postgres import queries

log = structlog.get_logger(__name__)

SQL = queries.load(__file__, "migrate.sql")


class MigrationChanged(Exception):
    """A migration that was applied no longer has the content that was applied."""


@dataclass(frozen=True)
class Migration:
    name: str
    up: str
    checksum: str


def read(folder: Path) -> list[Migration]:
    """The migrations of a folder in the order of their names; `<owner>/<file>` is a migration's name."""
    owner = folder.parent.parent.name
    return [_read(path, f"{owner}/{path.stem}") for path in sorted(folder.glob("*.sql"))]


def _read(path: Path, name: str) -> Migration:
    text = path.read_text(encoding="utf-8")
    _, _, rest = text.partition("-- migrate:up")
    up, _, _ = rest.partition("-- migrate:down")
    if not up.strip():
        raise ValueError(f"{path.name} has no `-- migrate:up` part")
    return Migration(name, up, hashlib.sha256(text.encode()).hexdigest())


async def migrate(connection: asyncpg.Connection, folders: Sequence[Path]) -> list[str]:
    """Apply what is missing, in order; returns the names applied. Raises `MigrationChanged`."""
    await connection.execute(SQL.create_table)
    applied = []
    for migration in [m for folder in folders for m in read(folder)]:
        if await _apply(connection, migration):
            applied.append(migration.name)
            log.info("migration applied", name=migration.name)
    return applied


async def _apply(connection: asyncpg.Connection, migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute(SQL.lock_table)
        known = await connection.fetchval(SQL.checksum_of, migration.name)
        if known == migration.checksum:
            return False
        if known is not None:
            raise MigrationChanged(f"{migration.name} was applied with other content")
        await connection.execute(migration.up)
        faults.point("mid_migration")
        await connection.execute(SQL.remember, migration.name, migration.checksum)
    return True
