"""The clearing service's API as one application."""

from typing import Any

from fastapi import FastAPI

from clearing.api import (
    get_claim,
    get_claims,
    get_command,
    get_coverage,
    get_deadlines,
    get_doubtful_settlements,
    get_mandates,
    get_outflows,
    get_payment_run,
    get_payment_run_plan,
    get_payment_runs,
    get_payments,
    get_prepayment_outlook,
    get_prepayment_plan,
    get_prepayment_statement,
    get_prepayments,
    get_proposals,
    get_reconciliations,
    get_recoveries,
    get_statement,
    get_suspense,
    get_treasury_requests,
    post_account_confirmations,
    post_appeals,
    post_approvals,
    post_holds,
    post_payment_runs,
    post_prepayment_applications,
    post_prepayment_approvals,
    post_prepayment_plans,
    post_prepayment_recalls,
    post_proposal_approvals,
    post_proposals,
    post_receipts,
    post_retries,
    post_suspense_placings,
    post_treasury_requests,
    post_withdrawals,
)
from clearing.api.roles import ROLES
from clearing.service import Clearing
from clearing.settings import ApiSettings
from medfund import money
from medfund.events.kinds import Event
from medfund.http import app, context, get_audit, get_metrics
from medfund.lanes.decider import Decider

VERSION = "1"
DESCRIPTION = """What providers of a public medical-insurance fund claimed, and what they are owed and paid.

Money is yuan text with two decimals. Every answer is one snapshot and names the positions it reflects. Every call needs
a bearer token; what it does not cover looks like what does not exist.

What goes wrong is answered as application/problem+json with a stable code; the codes are listed below."""

LOCKED = (
    get_claims, get_deadlines, get_statement, get_claim, get_recoveries, get_payments, get_payment_runs,
    get_payment_run_plan, get_payment_run, get_suspense, get_reconciliations, get_outflows, get_treasury_requests,
    get_coverage, get_doubtful_settlements, post_withdrawals,
    post_appeals, post_holds, post_approvals, post_receipts, post_retries,
    post_account_confirmations, post_payment_runs, get_prepayments, get_prepayment_outlook, get_prepayment_plan,
    get_prepayment_statement, post_prepayment_plans, post_prepayment_approvals, post_prepayment_applications,
    post_prepayment_recalls, post_suspense_placings, post_treasury_requests, get_mandates, get_proposals,
    post_proposals, post_proposal_approvals, get_command, get_audit, get_metrics,
)  # fmt: skip
"""A batch's name may hold slashes: what follows it is matched first. A run that is planned is none of the runs."""


def create(settings: ApiSettings) -> FastAPI:
    rules = Clearing(prefix=settings.topic_prefix)
    service = Decider(rules, lanes=settings.lanes, prefix=settings.topic_prefix)
    return app.create(
        title="medfund clearing",
        version=VERSION,
        description=DESCRIPTION,
        roles=ROLES,
        context=context.made_of(settings, service=service, roles=ROLES, moves=_moves),
        locked=[endpoint.router for endpoint in LOCKED],
    )


def _moves(event: Event) -> int:
    """What an event is about, by its amounts."""
    told: Any = getattr(event, "funds", None) or getattr(event, "amounts", None) or {}
    return sum(money.fen(amount) for amount in told.values())
