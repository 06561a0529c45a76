"""Connections to Postgres: every wait has a limit, and a connection that timed out is terminated, not closed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0

# A stopped client must not hold row locks for ever, a stopped server must not hold a client for ever.
SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "tcp_user_timeout": "15s",
}

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""What a call raises when the database cannot be used now and may be later."""


async def connect(dsn: str, *, name: str = "medfund", settings: Mapping[str, str] = {}) -> asyncpg.Connection:
    """One connection with limits. Raises one of `UNAVAILABLE`."""
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={**SERVER_SETTINGS, **settings, "application_name": name},
    )


@asynccontextmanager
async def connection(
    dsn: str, *, name: str = "medfund", settings: Mapping[str, str] = {}
) -> AsyncIterator[asyncpg.Connection]:
    """A connection for one piece of work; terminated when the work failed, for its state is then unknown."""
    opened = await connect(dsn, name=name, settings=settings)
    try:
        yield opened
    except BaseException:
        opened.terminate()
        raise
    await opened.close(timeout=CONNECT_TIMEOUT_S)
