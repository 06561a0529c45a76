"""Each exchange: an id, security headers, a line in the log, a measure; and the last resort when it fails.

The line is made from an allow-list: never a body, a token, a query or a path as it was sent (they hold what people
type), only the route it matched.
"""

import asyncio
import time
import traceback
from dataclasses import dataclass, field

import structlog
import uuid_utils
from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medfund.http import problems

log = structlog.get_logger(__name__)

SECONDS = Histogram(
    "medfund_http_seconds",
    "Time to answer, by route, method and status",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

SEND_TIMEOUT_S = 30.0

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(slots=True)
class _Exchange:
    scope: Scope
    send: Send
    id: str = field(default_factory=lambda: str(uuid_utils.uuid7()))
    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    is_head: bool = False
    """Asked as GET, and answered without the body."""

    async def answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self.id
        elif self.is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        # A client that does not read must not keep its answer in memory for ever.
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self.send(message)

    def close(self) -> None:
        seconds = time.perf_counter() - self.started
        method = "HEAD" if self.is_head else self.scope["method"] if self.scope["method"] in METHODS else "other"
        route = getattr(self.scope.get("route"), "path", "none")
        state = self.scope["state"]
        SECONDS.labels(method, route, self.status).observe(seconds)
        log.info(
            "answered",
            request=self.id,
            method=method,
            route=route,
            status=self.status,
            ms=round(seconds * 1000, 1),
            subject=state.get("subject"),
            role=state.get("role"),
            problem=state.get("problem"),
        )


class Traffic:
    """ASGI middleware around everything that is answered over HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        scope = {**scope, "method": "GET"} if is_head else scope  # a copy: the server has to know that no body follows
        exchange = _Exchange(scope, send, is_head=is_head)
        scope.setdefault("state", {})["request_id"] = exchange.id
        try:
            await self._app(scope, receive, exchange.answer)
        except Exception as error:
            # The places only: messages of errors and values of variables repeat what was sent, the token among it.
            frames = traceback.extract_tb(error.__traceback__)
            places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            log.error("failed", request=exchange.id, error=type(error).__name__, places=places)
            if exchange.status:
                raise
            await problems.answer(problems.Problem("internal"))(scope, receive, exchange.answer)
        finally:
            exchange.close()
