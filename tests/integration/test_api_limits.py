"""The API under pressure: no database, no log, no connection left, hostile clients; and whatever OpenAPI allows."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY

from medfund.http import tokens
from medfund.local.kafka import Kafka
from tests import events
from tests.conftest import LANES, Database
from tests.events import settlement
from tests.integration import api_process, purchases_served, served
from tests.integration.claims_served import Clinic
from tests.integration.served import Api, document
from tests.integration.small_city import POOLED, City
from tests.purchasing import buying

NOWHERE = "127.0.0.1:1"


@pytest.fixture
async def alone(database: Database, kafka: Kafka, tmp_path: Path) -> AsyncIterator[Api]:
    """An API of its own, over an empty database and a log that answers nobody."""
    async with served.serving(database, NOWHERE, "none", tmp_path) as api:
        yield api


async def test_with_every_connection_taken_the_api_says_when_to_come_back(alone: Api) -> None:
    limit = f"alter database {alone.database.name} connection limit"
    await alone.superuser(f"{limit} 1")
    holder = await asyncpg.connect(alone.database.dsn("worker"))
    try:
        response = await alone.caller("auditor").get("/v1/balances")
        assert (response.status_code, response.json()["code"]) == (503, "busy")
        assert response.headers["retry-after"] == "1"
        assert await holder.fetchval("select 1") == 1  # who holds a connection keeps it: the worker goes on
    finally:
        await holder.close()
        await alone.superuser(f"{limit} -1")
    assert (await alone.caller("auditor").get("/v1/balances")).status_code == 200


async def test_with_the_pool_in_use_the_api_says_when_to_come_back(alone: Api) -> None:
    database = alone.app.state.context.database
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(database._connection())
        response = await alone.caller("auditor").get("/v1/balances")
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert (await alone.caller("auditor").get("/v1/balances")).status_code == 200


async def test_a_question_that_takes_too_long_is_ended(alone: Api) -> None:
    holder = await asyncpg.connect(alone.database.admin)
    try:
        async with holder.transaction():
            await holder.execute("lock table ledger.buckets in access exclusive mode")
            response = await alone.caller("auditor").get("/v1/balances")
        assert (response.status_code, response.json()["code"]) == (503, "question_too_slow")
    finally:
        await holder.close()
    assert (await alone.caller("auditor").get("/v1/balances")).status_code == 200


async def test_without_a_database_the_api_answers_and_health_says_why(
    database: Database, kafka: Kafka, tmp_path: Path
) -> None:
    nowhere = Database("none", f"postgresql://postgres@{NOWHERE}/none")
    async with served.serving(nowhere, kafka.address, "none", tmp_path) as api:
        response = await api.caller("auditor").get("/v1/balances")
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
        assert response.headers["retry-after"] == "5"
        health, live, ready = [await api.client.get(path) for path in ("/healthz", "/livez", "/readyz")]
    assert health.status_code == 503
    assert health.json()["faults"] == ["database_unavailable"]
    assert REGISTRY.get_sample_value("medfund_faults", {"service": "ledger", "fault": "database_unavailable"}) == 1
    assert health.json()["log"] is None, "it was not asked"
    assert (live.status_code, live.json()) == (200, {"status": "ok"}), "to start it anew helps nobody"
    assert (ready.status_code, ready.json()["code"]) == (503, "database_unavailable")


async def test_an_api_whose_books_are_late_is_ready_all_the_same(alone: Api) -> None:
    assert (await alone.client.get("/healthz")).json()["faults"]
    for path in ("/livez", "/readyz"):
        response = await alone.client.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_database_that_takes_calls_and_never_answers_is_away_and_not_busy(kafka: Kafka, tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        frozen = Database("none", f"postgresql://postgres@127.0.0.1:{port}/none?sslmode=disable")
        async with served.serving(frozen, kafka.address, "none", tmp_path) as api:
            asked = [api.caller("auditor").get("/v1/balances") for _ in range(3)]
            for response in await asyncio.gather(*asked):
                assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
            health = (await api.client.get("/healthz")).json()
            assert (health["faults"], health["log"]) == (["database_unavailable"], None)


async def test_without_a_log_books_are_read_and_nothing_is_taken(alone: Api) -> None:
    assert (await alone.caller("auditor").get("/v1/balances")).status_code == 200
    await alone.hears(*events.registry(range(LANES), LANES))
    event = document(settlement("H15250200001", id="lost", funds={POOLED: 1}))
    response = await alone.caller("publisher").post(event)
    assert (response.status_code, response.json()["code"]) == (503, "log_unavailable")
    health = await alone.client.get("/healthz")
    assert (health.status_code, health.json()["faults"]) == (503, ["log_unavailable", "lane_without_worker"])


# A server of its own


@pytest.fixture(scope="module")
async def server(booked: tuple[Api, City]) -> AsyncIterator[str]:
    api, _ = booked
    async with api_process.running(api.service, api.database, api.bootstrap, api.prefix, api.keys) as running:
        yield running.url


@pytest.fixture(scope="module")
async def clearing_server(claimed: tuple[Api, Clinic], booked: tuple[Api, City]) -> AsyncIterator[str]:
    (api, _), (books, _) = claimed, booked
    async with api_process.running(api.service, api.database, books.bootstrap, books.prefix, api.keys) as running:
        yield running.url


async def _exchange(url: str, *pieces: bytes) -> bytes:
    """Send raw bytes and read until the server closes."""
    target = httpx.URL(url)
    reader, writer = await asyncio.open_connection(target.host, target.port)
    answer = b""
    try:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            answer = await asyncio.wait_for(reader.read(), 15)
    finally:
        writer.close()
    return answer


HEAD = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"


async def test_a_real_server_answers_over_http(server: str, api: Api) -> None:
    async with httpx.AsyncClient(base_url=server) as client:
        response = await client.get("/v1/balances", headers=api.caller("auditor").headers)
    assert response.status_code == 200
    assert "server" not in response.headers


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((HEAD + b"x: " + b"a" * (1 << 20) + b"\r\n\r\n",), b"431"),
        ((HEAD, *[b"x-%d: y\r\n" % n * 1000 for n in range(40)]), b"431"),
        ((b"GET / HTTP/1.1\r\nbroken\r\n\r\n",), b"400"),
        (
            (
                b"POST /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n"
                b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            b"400",
        ),
        ((b"POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",), b"40"),
    ],
    ids=["one large header", "many headers", "broken head", "length and chunks", "chunks that lie"],
)
async def test_hostile_heads_are_refused(server: str, pieces: tuple[bytes, ...], status: bytes) -> None:
    answer = await _exchange(server, *pieces)
    assert answer.startswith(b"HTTP/1.1 " + status) or answer == b"", answer[:200]
    assert (await _exchange(server, HEAD + b"\r\n")).startswith(b"HTTP/1.1 ")


async def test_a_head_that_does_not_come_is_not_waited_for(server: str) -> None:
    target = httpx.URL(server)
    idle = [await asyncio.open_connection(target.host, target.port) for _ in range(50)]
    try:
        for _, writer in idle:
            writer.write(b"GET /healthz HT")
        assert (await _exchange(server, HEAD + b"\r\n")).startswith(b"HTTP/1.1 ")
        ends = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in idle)), 15)
        assert set(ends) == {b""}
    finally:
        for _, writer in idle:
            writer.close()


async def test_whatever_openapi_allows_is_answered_as_openapi_says(server: str, api: Api) -> None:
    assert "get /v1/balances" in await _fuzzed(server, api, poster="publisher")


async def test_whatever_openapi_allows_is_answered_as_openapi_says_of_claims(
    clearing_server: str, claimed: tuple[Api, Clinic]
) -> None:
    assert "get /v1/claims/{provider}/{batch}/statement" in await _fuzzed(clearing_server, claimed[0], poster="finance")


async def test_whatever_openapi_allows_is_answered_as_openapi_says_of_purchases(
    database: Database, booked: tuple[Api, City], tmp_path: Path
) -> None:
    """Of a statement that is in every answer."""
    books, _ = booked
    async with buying(database, lane=0, lanes=LANES) as fund:
        await fund.set_up()
        fund.submit_statement("DZ-1", purchases_served.month(fund))
        fund.day("2026-10-07")
        await fund.drain()
        async with purchases_served.serving(database, fund.log, tmp_path, lanes=fund.lanes) as api:
            where = api.database, books.bootstrap, books.prefix, api.keys
            async with api_process.running("direct_pay", *where) as running:
                found = await _fuzzed(running.url, api, poster="finance")
    assert "get /v1/statements/{provider}/{supplier}/{statement}" in found


async def _fuzzed(server: str, api: Api, *, poster: str) -> list[str]:
    """The operations that were called."""
    fuzz = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.openapi_fuzz", server,
        env={**os.environ, "TOKEN_GET": api.caller("auditor").token, "TOKEN_POST": api.caller(poster).token},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(fuzz.communicate(), 100)
    assert fuzz.returncode == 0, output.decode()
    return output.decode().split("\n")


async def test_tokens_of_another_key_do_not_open_a_real_server(server: str, tmp_path: Path) -> None:
    stranger = tokens.load_key(tokens.make_keys(tmp_path).private)
    token = tokens.issue(stranger, role="auditor", areas=["*"], organisations=["*"], subject="x", ttl_s=60)
    async with httpx.AsyncClient(base_url=server) as client:
        response = await client.get("/v1/balances", headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 401
