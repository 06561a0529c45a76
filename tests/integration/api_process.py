"""`python -m <service> api` in a process of its own, on a port of its own."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from medfund.http import tokens
from medfund.local import services
from tests.conftest import LANES, Database

STARTED_S = 20


@dataclass(frozen=True)
class Server:
    url: str
    process: asyncio.subprocess.Process

    async def ends(self) -> int:
        """How it ended, by itself."""
        return await asyncio.wait_for(self.process.wait(), 15)


@contextlib.asynccontextmanager
async def running(
    service: str,
    database: Database,
    bootstrap: str,
    prefix: str,
    keys: tokens.Keys,
    *,
    first: str = "",
    **settings: str,
) -> AsyncIterator[Server]:
    """Stops on SIGTERM with exit 0, unless it was killed before. Settings are its environment: `CRASH_AT`, ...; `first`
    is run in it before it begins."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "MEDFUND_LANES": str(LANES),
        "MEDFUND_TOPIC_PREFIX": prefix,
        services.variable(service, "api"): database.dsn("api", service),
        f"{service}_API_PORT".upper(): str(port),
        "MEDFUND_TOKEN_PUBLIC_KEY": str(keys.public),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"{first}\nimport runpy; runpy.run_module({service!r}, run_name='__main__')", "api",
        env={**os.environ, **environment, **settings}, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _started(url)
        yield Server(url, process)
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 15) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _started(url: str) -> None:
    async with asyncio.timeout(STARTED_S), httpx.AsyncClient() as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                await client.get(f"{url}/openapi.json")
                return
            await asyncio.sleep(0.1)
