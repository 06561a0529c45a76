"""A TCP proxy before Postgres that cuts connections around chosen COMMITs, so that their outcome is not known.

It knows just enough of the protocol: what a client sends for COMMIT, and that the server's next bytes answer it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
Cut = Literal["before the bytes", "right after the bytes", "before the answer"]
"""Before anything of the COMMIT reached the server; when all of it was sent on; when the server had done it."""


@dataclass
class Proxy:
    """Cuts the COMMITs whose numbers are in `commits`, counted over all connections from 1."""

    server: tuple[str, int]
    cut: Cut
    commits: frozenset[int]
    port: int = 0
    seen: int = 0
    cuts: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self.server)
        answers = asyncio.create_task(_copy(there, writer))
        try:
            while data := await reader.read(1 << 16):
                if COMMIT in data:
                    self.seen += 1
                    if self.seen in self.commits:
                        self.cuts += 1
                        await self._cut(data, there, back, answers)
                        return
                back.write(data)
                await back.drain()
        except OSError:
            pass  # either side went away by itself
        finally:
            answers.cancel()
            for end in (writer, back):
                end.transport.abort()

    async def _cut(
        self, data: bytes, there: asyncio.StreamReader, back: asyncio.StreamWriter, answers: "asyncio.Task[None]"
    ) -> None:
        if self.cut == "before the bytes":
            return
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)
        back.write(data)
        await back.drain()
        if self.cut == "before the answer":
            assert await there.read(1), "the server closed instead of answering"
        else:
            back.write_eof()  # an orderly end: the bytes that are under way still arrive


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.transport.abort()


@asynccontextmanager
async def cutting(server: tuple[str, int], cut: Cut, commits: set[int]) -> AsyncIterator[Proxy]:
    proxy = Proxy(server, cut, frozenset(commits))
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
