"""Connections to Postgres: every wait has a limit, and a connection that timed out is terminated, not closed.

Sums of fen are `numeric` there, for they have no limit, and whole numbers here.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg


@dataclass(frozen=True)
class Patience:
    """A stopped server must not hold a client for ever, a stopped client must not hold row locks for ever."""

    connect_s: float = 5.0
    command_s: float = 30.0
    lock_s: float = 10.0
    idle_in_transaction_s: float = 10.0

    @property
    def of_server(self) -> dict[str, str]:
        """What the server is told at connect."""
        return {
            "statement_timeout": _ms(self.command_s),
            "lock_timeout": _ms(self.lock_s),
            "idle_in_transaction_session_timeout": _ms(self.idle_in_transaction_s),
            "tcp_user_timeout": "15s",
        }


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


PATIENCE = Patience()
SERVER_SETTINGS = PATIENCE.of_server

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,  # until somebody puts the password right
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until somebody promotes it
    asyncpg.InternalClientError,  # the server said goodbye in between; the client takes it for the answer
)
"""What a call raises when the database cannot be used now and may be later."""


def why(error: BaseException) -> str:
    """What could not be reached, and why, in one line."""
    return " ".join(": ".join((*getattr(error, "__notes__", ()), type(error).__name__, str(error))).split())


async def connect(
    dsn: str, *, name: str = "medfund", settings: Mapping[str, str] = {}, patience: Patience = PATIENCE
) -> asyncpg.Connection:
    """One connection with limits. Raises one of `UNAVAILABLE`."""
    return await opened(
        dsn,
        timeout=patience.connect_s,
        command_timeout=patience.command_s,
        server_settings={**patience.of_server, **settings, "application_name": name},
    )


async def opened(dsn: str, *, timeout: float, **options: Any) -> asyncpg.Connection:  # noqa: ASYNC109 - as the pool's
    """To the first of the DSN's servers that lets us in and is what the DSN asks for (`target_session_attrs`). Each has
    its share of the time: the client itself would spend all of it on one that does not answer."""
    servers = each(dsn)
    for server in servers[:-1]:
        with suppress(*UNAVAILABLE):
            return await _opened(server, timeout / len(servers), options)
    return await _opened(servers[-1], timeout / len(servers), options)


async def _opened(server: str, timeout_s: float, options: Mapping[str, Any]) -> asyncpg.Connection:
    try:
        return await _within(server, timeout_s, options)
    except Exception as error:
        parts = urlsplit(server)
        error.add_note(f"the database at {parts.netloc.rpartition('@')[2]}{parts.path}")
        raise


async def _within(server: str, timeout_s: float, options: Mapping[str, Any]) -> asyncpg.Connection:
    async with asyncio.timeout(timeout_s):
        connection: asyncpg.Connection = await asyncpg.connect(server, timeout=timeout_s, **options)
        try:
            await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=int)
        except BaseException:
            connection.terminate()
            raise
    return connection


def each(dsn: str) -> list[str]:
    """A DSN for each server that a DSN names."""
    parts = urlsplit(dsn)
    login, at, places = parts.netloc.rpartition("@")
    if "," not in places:
        return [dsn]
    return [urlunsplit(parts._replace(netloc=f"{login}{at}{place}")) for place in places.split(",")]


@asynccontextmanager
async def connection(
    dsn: str, *, name: str = "medfund", settings: Mapping[str, str] = {}, patience: Patience = PATIENCE
) -> AsyncIterator[asyncpg.Connection]:
    """A connection for one piece of work; terminated when the work failed, for its state is then unknown."""
    opened = await connect(dsn, name=name, settings=settings, patience=patience)
    try:
        yield opened
    except BaseException:
        opened.terminate()
        raise
    await opened.close(timeout=patience.connect_s)
