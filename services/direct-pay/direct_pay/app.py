"""What is asked of direct payment over HTTP: the endpoints of its capabilities as one application."""

from typing import Any

from fastapi import FastAPI

from direct_pay.api import declining
from direct_pay.arrears import api as arrears
from direct_pay.orders import api as orders
from direct_pay.plans import api as plans
from direct_pay.service import DirectPay
from direct_pay.settings import ApiSettings
from direct_pay.statements import api as statements
from medfund import money
from medfund.events.kinds import Event
from medfund.http import app, context, foreseeing, server
from medfund.http.tokens import READERS, Role
from medfund.lanes.decider import Decider

VERSION = "1"
DESCRIPTION = """What hospitals bought of suppliers, what of it a public medical-insurance fund pays for
them, and when.

Money is yuan text with two decimals. Every answer is one snapshot and names the positions it reflects. Every call needs
a bearer token; what it does not cover looks like what does not exist.

What goes wrong is answered as application/problem+json with a stable code; the codes are listed below."""

API = app.composed(orders.API, statements.API, plans.API, arrears.API, outcomes=READERS | {Role.supplier})


def create(settings: ApiSettings) -> FastAPI:
    rules = DirectPay(prefix=settings.topic_prefix)
    service = Decider(rules, lanes=settings.lanes, prefix=settings.topic_prefix)
    return app.create(
        title="medfund direct payment",
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
    """What an event is about, by its amount."""
    told: Any = getattr(event, "amounts", None)
    return sum(map(money.fen, told.values())) if told else money.fen(getattr(event, "amount", None) or "0.00")


async def serve(settings: ApiSettings) -> None:
    """Answer until SIGTERM or SIGINT, then let open requests finish."""
    await server.make(create(settings), host=settings.host, port=settings.port).serve()
