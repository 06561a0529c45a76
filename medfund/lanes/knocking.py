"""Why a broker does not let us in: the client tells that to its log alone, and us that there is no broker.

What stays true: whatever starts a client by `let_in` fails for the reason that a person can do something about.
"""

from collections.abc import Awaitable, Mapping
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

KNOCK_LIMIT_MS = 3000


async def let_in(starting: Awaitable[None], broker: Mapping[str, Any]) -> None:
    """Start a client that was opened with these words. Raises `KafkaConnectionError`, and whatever else it raises."""
    try:
        await starting
    except KafkaConnectionError as error:
        if (why := await _why(dict(broker))) is None:
            raise
        raise KafkaConnectionError(why) from error


async def _why(broker: dict[str, Any]) -> str | None:
    """What the broker says at its door; the last of several."""
    found = None
    for host, port, _ in collect_hosts(broker.pop("bootstrap_servers")):
        try:
            connection = await create_conn(host, port, request_timeout_ms=KNOCK_LIMIT_MS, **broker)
        except (KafkaError, OSError, TimeoutError) as error:
            found = f"{host}:{port}: {str(error) or type(error).__name__}"
        else:
            connection.close()
    return found
