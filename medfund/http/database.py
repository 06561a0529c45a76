"""Reading for one caller: a few connections, every wait bounded, one snapshot per answer, the caller's scope first.

Whoever is served by a `snapshot` sees what row-level security leaves of the tables for that scope, and nothing when
the scope was not set.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from medfund.http.problems import Problem
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.postgres import connect, queries

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"
"""What a service keeps of those who ask it. Clearing and the ledger have the same in migrations of their own."""
SQL = queries.load(__file__, "scope.sql")

Made = TypeVar("Made")
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Isolation: TypeAlias = Literal["read_committed", "repeatable_read"]

ACQUIRE_TIMEOUT_S = 1.0
STATEMENT_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 3.0
"""Longer than the statement's limit on the server: only a server that does not answer at all reaches it."""
TRIES = 4
# A filter that is not given must not shape the plan of one that is: every question is planned for itself.
PLANNING = {"plan_cache_mode": "force_custom_plan", "jit": "off"}


async def looking_again(make: Callable[[], Awaitable[Made]]) -> Made:
    """A change on one snapshot. Of two who make the same at once, the second looks again at what the first has made.
    Raises `Problem`."""
    for _ in range(TRIES):
        try:
            return await make()
        except asyncpg.SerializationError:
            continue
    raise Problem("question_too_slow")


class Database:
    """The connections of an API process. Opens none before the first question, so that it starts without a database."""

    def __init__(self, dsn: str, *, connections_max: int, name: str) -> None:
        limits = {"statement_timeout": f"{STATEMENT_TIMEOUT_S:g}s", "application_name": name, **PLANNING}
        self._settings = {**connect.SERVER_SETTINGS, **limits}
        self._dsn = dsn
        self._connections_max = connections_max
        self._pool: asyncpg.Pool[asyncpg.Record]

    async def open(self) -> None:
        """Belongs to the event loop it is opened in. Connects when the first question comes."""
        self._pool = await asyncpg.create_pool(  # type: ignore[call-overload]  # our `connect` takes what the pool gives
            self._dsn,
            connect=connect.opened,
            min_size=0,
            max_size=self._connections_max,
            timeout=ACQUIRE_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings=self._settings,
            reset=_nothing,
        )

    async def close(self) -> None:
        self._pool.terminate()

    @asynccontextmanager
    async def snapshot(
        self, principal: Principal, *, statement_timeout_s: float = STATEMENT_TIMEOUT_S
    ) -> AsyncIterator[Connection]:
        """One repeatable-read transaction that sees the caller's rows. Raises `Problem` when it cannot be had."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            # The scope is the transaction's first statement and ends with it: no pooled connection carries it on.
            await connection.execute(SQL.set_scope, *_scope(principal), f"{statement_timeout_s:g}s")
            yield connection

    @asynccontextmanager
    async def change(
        self, principal: Principal, *, isolation: Isolation = "read_committed"
    ) -> AsyncIterator[Connection]:
        """One transaction that sees, and may add, the caller's rows. Raises `Problem`.

        A `repeatable_read` one sees one moment, and raises `asyncpg.SerializationError` where that is over.
        """
        async with self._connection() as connection, connection.transaction(isolation=isolation):
            await connection.execute(SQL.set_scope, *_scope(principal), f"{STATEMENT_TIMEOUT_S:g}s")
            yield connection

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Rows of what belongs to nobody (positions, lanes, identities). Raises `Problem`."""
        async with self._connection() as connection:
            return await connection.fetch(statement, *values)

    async def record(self, statement: str, *values: object) -> None:
        """Append one row, committed when this returns. Raises `Problem`."""
        async with self._connection() as connection:
            await connection.execute(statement, *values)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = await self._acquire()
        try:
            yield connection
        except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
            raise Problem("question_too_slow") from error
        except asyncpg.SerializationError:
            raise  # somebody else was first: whoever asked for one moment to be seen may look again
        except BaseException as error:
            # What the server still does on this connection is not known: it is not given to anyone else.
            connection.terminate()
            if isinstance(error, connect.UNAVAILABLE):
                raise Problem("database_unavailable") from error
            raise
        finally:
            await self._pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)

    async def _acquire(self) -> Connection:
        try:
            return await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError as error:
            # Who waits for a connection that is not made yet waits for the server, not for other callers.
            raise Problem("busy" if self._all_in_use else "database_unavailable") from error
        except asyncpg.TooManyConnectionsError as error:
            raise Problem("busy") from error
        except connect.UNAVAILABLE as error:
            raise Problem("database_unavailable") from error

    @property
    def _all_in_use(self) -> bool:
        return self._pool.get_size() == self._connections_max and self._pool.get_idle_size() == 0


async def _nothing(connection: asyncpg.Connection) -> None:
    """Nothing of a session is ever changed beyond its transaction, so there is nothing to take back."""


def _scope(principal: Principal) -> tuple[list[str], list[str], list[str]]:
    """Areas, organisations and sources; sources bind publishers only, for nobody else speaks as one."""
    sources = principal.sources if principal.role == Role.publisher else (EVERYTHING,)
    return list(principal.areas), list(principal.organisations), list(sources)
