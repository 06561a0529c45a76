"""The ledger's API as one application."""

from fastapi import FastAPI

from ledger import posting
from ledger.api import (
    event_schemas,
    get_balances,
    get_cash,
    get_event,
    get_explain,
    get_lines,
    get_quarantine,
    get_quarantined,
    get_trial_balance,
    get_turnover,
    post_events,
)
from ledger.api.roles import ROLES
from ledger.service import Ledger
from ledger.settings import ApiSettings
from medfund.events.kinds import Event
from medfund.http import app, context
from medfund.http.api import Api

VERSION = "1"
DESCRIPTION = """Settlement ledger of a public medical-insurance fund: what was booked, why, and what was not.

Money is yuan text with two decimals. Every answer is one snapshot and names the positions it reflects. Every call needs
a bearer token; what it does not cover looks like what does not exist.

What goes wrong is answered as application/problem+json with a stable code; the codes are listed below."""

API = app.composed(
    Api(
        endpoints=(
            get_balances, get_lines, get_trial_balance, get_turnover, get_cash, get_explain, post_events, get_event,
            get_quarantine, get_quarantined,
        ),
        roles=ROLES,
    )
)  # fmt: skip


def create(settings: ApiSettings) -> FastAPI:
    service = Ledger(lanes=settings.lanes, prefix=settings.topic_prefix)
    return app.create(
        title="medfund ledger",
        version=VERSION,
        description=DESCRIPTION,
        api=API,
        context=context.made_of(settings, service=service, roles=API.roles, moves=_moves),
        schemas=event_schemas.components(),
    )


def _moves(event: Event) -> int:
    """What it moves in the accrual book."""
    return sum(line.amount for line in posting.lines(event) if line.book == "OPS")
