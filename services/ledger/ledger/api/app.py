"""The ledger's API as one application."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, Request

from ledger.api import (
    auditing,
    get_balances,
    get_event,
    get_explain,
    get_health,
    get_lines,
    get_metrics,
    get_quarantine,
    get_quarantined,
    get_trial_balance,
    get_turnover,
    post_events,
)
from ledger.api.appending import Appending
from ledger.api.context import Context
from ledger.api.log_reading import LogReading
from ledger.api.probe import Probe
from ledger.api.roles import ROLES
from ledger.service import Ledger
from ledger.settings import ApiSettings
from medfund.http import app as http
from medfund.http import tokens
from medfund.http.access import Access
from medfund.http.database import Database
from medfund.http.tokens import Principal
from medfund.lanes.kafka import KafkaLog

VERSION = "1"
DESCRIPTION = """Settlement ledger of a public medical-insurance fund: what was booked, why, and what was not.

Money is yuan text with two decimals. Every answer is one snapshot and names the positions it reflects. Every call needs
a bearer token; what it does not cover looks like what does not exist.

What goes wrong is answered as application/problem+json with a stable code; the codes are listed below."""

LOCKED = (
    get_balances, get_lines, get_trial_balance, get_turnover, get_explain, post_events,
    get_event, get_quarantine, get_quarantined, get_metrics,
)  # fmt: skip


def create(settings: ApiSettings) -> FastAPI:
    """The application. It starts without its database and its log, and says so until they answer."""
    context = _context(settings)
    app = http.create(title="medfund ledger", version=VERSION, description=DESCRIPTION, roles=ROLES, lifespan=_lifespan)
    app.state.context = context
    locked = APIRouter(dependencies=[Depends(context.access)])
    for endpoint in LOCKED:
        locked.include_router(endpoint.router)
    app.include_router(locked)
    app.include_router(get_health.router)
    app.openapi()  # made now, for parameters are checked against it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    await context.database.open()
    try:
        yield
    finally:
        await context.appending.close()
        await context.database.close()


def _context(settings: ApiSettings) -> Context:
    database = Database(settings.database_url, connections_max=settings.pool_size, name="ledger api")
    service = Ledger(lanes=settings.lanes, prefix=settings.topic_prefix)
    bootstrap, prefix = settings.kafka_bootstrap, settings.topic_prefix

    async def record_refusal(request: Request, principal: Principal, code: str) -> None:
        await auditing.record(request, database, principal, code, {"method": request.method})

    return Context(
        lanes=settings.lanes,
        cursor_key=secrets.token_bytes(32),
        access=Access(tokens.load_key(settings.public_key), ROLES, record_refusal),
        database=database,
        reading=LogReading(KafkaLog(bootstrap, prefix=prefix)),
        appending=Appending(bootstrap, prefix=prefix),
        probe=Probe(database, service, bootstrap=bootstrap, prefix=prefix),
        service=service,
    )
