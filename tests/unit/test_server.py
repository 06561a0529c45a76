"""What comes over the wire is what the client sent, whatever other protocol it offers beside."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from medfund.http.server import BoundedProtocol

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\nUpgrade: h2c\r\n"
SOCKET = b"Connection: upgrade\r\nUpgrade: websocket\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def post(path: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%b\r\n%b" % (path, b"".join(fields), body)


def length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


LARGE = bytes(range(256)) * 4096


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path, how many bytes came, and the first of them."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    told = b"<%b %d %b>" % (scope["path"].encode(), len(body), body[:5])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(
        echo, host="127.0.0.1", port=0, http=BoundedProtocol, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def exchange(port: int, pieces: list[bytes]) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (post(b"/a", OFFER, length(b"hello"), body=b"hello"), [b"</a 5 hello>"]),
        (post(b"/a", length(b"hello"), OFFER, body=b"hello"), [b"</a 5 hello>"]),
        (post(b"/a", OFFER, CHUNKED, body=b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), [b"</a 5 hello>"]),
        (post(b"/a", OFFER, length(LARGE), body=LARGE), [b"</a 1048576 \x00\x01\x02\x03\x04>"]),
        (post(b"/a", OFFER, length(b"hello"), b"Expect: 100-continue\r\n", body=b"hello"), [b"</a 5 hello>"]),
        (post(b"/a", OFFER, length(b"")), [b"</a 0 >"]),
        (post(b"/a", OFFER), [b"</a 0 >"]),
        (post(b"/a", OFFER, length(b"GET /"), body=b"GET /"), [b"</a 5 GET />"]),
        (
            post(b"/a", OFFER, length(b"hello"), body=b"hello") + post(b"/b", OFFER, length(b"you"), body=b"you"),
            [b"</a 5 hello>", b"</b 3 you>"],
        ),
        (post(b"/a", SOCKET, length(b"hello"), body=b"hello"), [b"</a 5 hello>"]),
        (post(b"/a", length(b"hello"), body=b"hello"), [b"</a 5 hello>"]),
    ],
    ids=[
        "h2c", "offer last", "chunked", "large", "continue", "empty", "no length", "a body like a head",
        "two", "websocket", "no offer",
    ],
)  # fmt: skip
@pytest.mark.parametrize("cut", ["whole", "head and body", "small pieces"])
async def test_an_offer_to_speak_another_protocol_is_ignored_and_the_body_counts(
    port: int, request_: bytes, told: list[bytes], cut: str
) -> None:
    head = request_.index(b"\r\n\r\n") + 4
    size = max(len(request_) // 20, 1)
    cuts = {
        "whole": [request_],
        "head and body": [request_[:head], request_[head:]],
        "small pieces": [request_[start : start + size] for start in range(0, len(request_), size)],
    }
    answer = await exchange(port, [*cuts[cut], LAST])
    for one in (*told, b"</last 0 >"):
        assert answer.count(one) == 1
    assert answer.count(b"HTTP/1.1 200") == len(told) + 1


async def test_many_offers_in_one_piece_are_all_served(port: int) -> None:
    answer = await exchange(port, [post(b"/a", OFFER, length(b"x"), body=b"x") * 1000 + LAST])
    assert answer.count(b"</a 1 x>") == 1000


async def test_an_offer_does_not_let_a_request_hide_in_another(port: int) -> None:
    answer = await exchange(port, [post(b"/a", OFFER, CHUNKED, length(b"0\r\n\r\n"), body=b"0\r\n\r\n"), LAST])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_tunnel_is_not_an_offer(port: int) -> None:
    answer = await exchange(port, [b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", LAST])
    assert answer.startswith(b"HTTP/1.1 400 ")
