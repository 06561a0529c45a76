"""Statements of suppliers, over HTTP."""

from direct_pay.statements.api import (
    post_statement_confirmations,
    post_statement_disputes,
    post_statement_withdrawals,
    post_statements,
)
from medfund.events.statements import StatementRefused
from medfund.http.api import Api
from medfund.http.tokens import PAYERS, Role

SUPPLIERS, HOSPITALS = frozenset({Role.supplier}), frozenset({Role.provider})

API = Api(
    endpoints=(
        post_statements,
        post_statement_withdrawals,
        post_statement_confirmations,
        post_statement_disputes,
    ),
    roles={
        "submit_statement": SUPPLIERS,
        "withdraw_statement": SUPPLIERS,
        "confirm_statement": HOSPITALS,
        "dispute_line": HOSPITALS | PAYERS,
        "resolve_line": HOSPITALS | PAYERS,
    },
    commands=(
        post_statements.KIND,
        post_statement_withdrawals.KIND,
        post_statement_confirmations.KIND,
        post_statement_disputes.DISPUTING,
        post_statement_disputes.RESOLVING,
    ),
    declines=(StatementRefused,),
    examples={"Given": post_statements.GIVEN, "CommandAnswer": post_statements.OUTCOME},
)
