"""Direct payment's API over a real database, the log in memory: a hospital, its suppliers, a month's purchases."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from direct_pay.app import create
from direct_pay.settings import ApiSettings
from medfund.http import tokens
from medfund.http.log_reading import LogReading
from tests.conftest import Database
from tests.integration.claims_served import MemoryAppending
from tests.integration.served import Api
from tests.purchasing import INSULIN, METFORMIN, Purchasing
from tests.simulation.memory_log import MemoryLog


@asynccontextmanager
async def serving(database: Database, log: MemoryLog, keys_folder: Path, *, lanes: int = 1) -> AsyncIterator[Api]:
    keys = tokens.make_keys(keys_folder)
    log.clock_ms = time.time_ns() // 1_000_000  # commands carry the time of the API
    app = create(
        ApiSettings.model_validate(
            {
                "kafka_bootstrap": "127.0.0.1:1",
                "MEDFUND_LANES": lanes,
                "MEDFUND_TOPIC_PREFIX": "medfund",
                "DIRECT_PAY_API_DSN": database.dsn("api", "direct_pay"),
                "MEDFUND_TOKEN_PUBLIC_KEY": keys.public,
                "DIRECT_PAY_API_POOL": 4,
            }
        )
    )
    app.state.context = replace(app.state.context, appending=MemoryAppending(log), reading=LogReading(log))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://direct-pay", timeout=30)
    async with app.router.lifespan_context(app), client:
        yield Api(app, client, keys, database, "", "medfund", "direct_pay")


def month(fund: Purchasing, *, number: int = 1, quantity: int = 9_480, **data: str) -> dict[str, str]:
    """What was ordered, delivered and invoiced: two invoices, of which the second has a red letter of 1,234.00."""
    order = f"CG-{number}"
    fund.deliver(order, (METFORMIN, quantity, "12.34"), (INSULIN, 100, "48.20"), **data)
    line = {"order_no": order, "line": 2, "product": INSULIN, "quantity": 100, "price": "48.20", "amount": "4820.00"}
    first = fund.invoice(10 * number, order, (METFORMIN, quantity, "12.34"), **data)
    second = fund.invoice(10 * number + 1, order, lines=[line], **data)
    red = fund.red(10 * number + 2, second, "1234.00", **data)
    fen = quantity * 1234
    return {first: f"{fen // 100}.{fen % 100:02d}", second: "4820.00", red: "-1234.00"}
