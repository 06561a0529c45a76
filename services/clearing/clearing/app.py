"""What is asked of the clearing service over HTTP: the endpoints of its capabilities as one application."""

from typing import Any

from fastapi import FastAPI

from clearing.api import declining
from clearing.audit import api as audit
from clearing.bank import api as bank
from clearing.claims import api as claims
from clearing.direct import api as direct
from clearing.instant import api as instant
from clearing.office import api as office
from clearing.payments import api as payments
from clearing.prepayment import api as prepayment
from clearing.service import Clearing
from clearing.settings import ApiSettings
from clearing.statement import api as statement
from clearing.supervision import api as supervision
from clearing.treasury import api as treasury
from medfund import money
from medfund.events.kinds import Event
from medfund.http import app, context, foreseeing, server
from medfund.http.tokens import READERS, Role
from medfund.lanes.decider import Decider

VERSION = "1"
DESCRIPTION = """What providers of a public medical-insurance fund claimed, and what they are owed and paid.

Money is yuan text with two decimals. Every answer is one snapshot and names the positions it reflects. Every call needs
a bearer token; what it does not cover looks like what does not exist.

What goes wrong is answered as application/problem+json with a stable code; the codes are listed below."""

API = app.composed(
    claims.API,
    statement.API,
    audit.API,
    supervision.API,
    payments.API,
    instant.API,
    treasury.API,
    bank.API,
    prepayment.API,
    office.API,
    direct.API,
    outcomes=READERS | {Role.office},
)


def create(settings: ApiSettings) -> FastAPI:
    rules = Clearing(prefix=settings.topic_prefix)
    service = Decider(rules, lanes=settings.lanes, prefix=settings.topic_prefix)
    return app.create(
        title="medfund clearing",
        version=VERSION,
        description=DESCRIPTION,
        api=API,
        context=context.made_of(
            settings,
            service=service,
            roles=API.roles,
            moves=_moves,
            foresee=foreseeing.by(rules, API.declines, declining.declined),
        ),
    )


def _moves(event: Event) -> int:
    """What an event is about, by its amounts."""
    told: Any = getattr(event, "funds", None) or getattr(event, "amounts", None) or {}
    return sum(money.fen(amount) for amount in told.values())


async def serve(settings: ApiSettings) -> None:
    """Answer until SIGTERM or SIGINT, then let open requests finish."""
    await server.make(create(settings), host=settings.host, port=settings.port).serve()
