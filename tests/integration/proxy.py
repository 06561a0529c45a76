"""A TCP proxy before Postgres that breaks or stalls connections at chosen statements.

It knows just enough of the protocol: what a client sends for a statement, and that the server's next bytes answer it.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
Cut = Literal["before the bytes", "right after the bytes", "before the answer"]
"""Before anything of the COMMIT reached the server; when all of it was sent on; when the server had done it."""


@dataclass
class Connection:
    """One client and what is its own at the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    from_server: asyncio.StreamReader
    answers: "asyncio.Task[None]"

    async def send(self, data: bytes) -> None:
        self.server.write(data)
        await self.server.drain()

    async def hush(self) -> None:
        """The client hears nothing any more."""
        self.answers.cancel()
        await asyncio.gather(self.answers, return_exceptions=True)


@dataclass
class Proxy(ABC):
    dsn: str
    """Of the database behind it."""
    port: int = 0

    @property
    def here(self) -> str:
        """The DSN through it."""
        parts = urlsplit(self.dsn)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    @abstractmethod
    async def passes(self, data: bytes, connection: Connection) -> bool:
        """Send the client's bytes on. False ends the connection."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = urlsplit(self.dsn)
        from_server, server = await asyncio.open_connection(behind.hostname, behind.port)
        answers = asyncio.create_task(_copy(from_server, writer))
        connection = Connection(writer, server, from_server, answers)
        try:
            while data := await reader.read(1 << 16):
                if not await self.passes(data, connection):
                    break
        except OSError:
            pass  # either side went away by itself
        finally:
            answers.cancel()
            for end in (writer, server):
                end.transport.abort()


@dataclass
class Cutter(Proxy):
    """Cuts the COMMITs whose numbers are in `commits`, counted over all connections from 1."""

    cut: Cut = "before the bytes"
    commits: frozenset[int] = frozenset()
    seen: int = 0
    cuts: int = 0

    async def passes(self, data: bytes, connection: Connection) -> bool:
        self.seen += COMMIT in data
        if COMMIT not in data or self.seen not in self.commits:
            await connection.send(data)
            return True
        self.cuts += 1
        if self.cut != "before the bytes":
            await connection.hush()
            await connection.send(data)
        if self.cut == "right after the bytes":
            connection.server.write_eof()  # an orderly end: the bytes that are under way still arrive
        elif self.cut == "before the answer":
            assert await connection.from_server.read(1), "the server closed instead of answering"
        return False


@dataclass
class Staller(Proxy):
    """Takes no more bytes from the first client that sends a statement, and tells it nothing, until it goes away."""

    statement: bytes = b""
    stalled: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def passes(self, data: bytes, connection: Connection) -> bool:
        await connection.send(data)
        if self.statement in data and not self.stalled:
            self.stalled += 1
            await connection.hush()
            await self.gone.wait()
            return False
        return True


@dataclass
class Switch(Proxy):
    """Leads to one server now and, once its `dsn` is another one, to that. Connections stay where they are."""

    async def passes(self, data: bytes, connection: Connection) -> bool:
        await connection.send(data)
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super().serve(reader, writer)
        except OSError:
            writer.transport.abort()  # nobody is behind it now


P = TypeVar("P", bound=Proxy)


@asynccontextmanager
async def through(proxy: P) -> AsyncIterator[P]:
    """The proxy, while it serves."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what nobody reads must not fit in here
        server = await asyncio.start_server(proxy.serve, sock=listening, limit=1 << 16)
        proxy.port = listening.getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.transport.abort()
