"""The HTTP server of a process: uvicorn on uvloop and httptools, with limits on what a request line and headers may
cost before anything of the application runs.

What stays true: it speaks HTTP/1.1, and whoever offers another protocol is served as if not (RFC 9110, 7.8).
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httptools
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 32 * 1024
HEAD_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 10_000
"""Idle ones among them. What works at once is bounded further in: by the connections to the database."""
SHUTDOWN_S = 8
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class PlainParser(httptools.HttpRequestParser):
    """Goes on in HTTP/1.1 where httptools gives up its connection to the protocol that was offered (the JDK's client
    offers `Upgrade: h2c` with every first request): the head is read once more without the offer, its body behind it.
    """

    def __init__(self, protocol: "BoundedProtocol") -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own: what is pipelined is answered
        self._protocol = protocol

    @property
    def is_offered(self) -> bool:
        return self.should_upgrade() and self.get_method() != b"CONNECT"

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]
        rest = memoryview(data)
        while True:
            try:
                return super().feed_data(rest)
            except httptools.HttpParserUpgrade as ended:
                if not self.is_offered:
                    raise
                super().feed_data(self._head_without_offer())
                rest = rest[ended.args[0] :]

    def _head_without_offer(self) -> bytes:
        line = b"%b %b HTTP/%b\r\n" % (self.get_method(), self._protocol.url, self.get_http_version().encode())
        fields = (b"%b: %b\r\n" % field for field in self._protocol.headers if field[0] != b"upgrade")
        return b"%b%b\r\n" % (line, b"".join(fields))


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose next request's head is too large or too slow; uvicorn itself waits and collects."""

    parser: PlainParser
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.parser = PlainParser(self)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        if self.parser.is_offered:
            return  # the head comes again
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.is_offered:
            super().on_message_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class DrainingServer(uvicorn.Server):
    """Ends by returning; uvicorn's own way, raising the signal again, would end a drained process with an error."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.handle_exit, name, None)
        yield


def make(app: FastAPI, *, host: str, port: int, **options: Any) -> uvicorn.Server:
    """A server that is not started yet; `serve()` runs it until SIGTERM."""
    return DrainingServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=SHUTDOWN_S,
            **options,
        )
    )
