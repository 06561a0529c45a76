"""Statements of suppliers, over HTTP."""

from direct_pay.statements.api import (
    get_invoices,
    get_statement_deadlines,
    get_statement_disputes,
    get_statements,
    get_supplier_cycle,
    get_supplier_statement,
    post_statement_confirmations,
    post_statement_disputes,
    post_statement_withdrawals,
    post_statements,
)
from medfund.events.statements import StatementRefused
from medfund.http.api import Api
from medfund.http.tokens import PAYERS, READERS, Role

SUPPLIERS, HOSPITALS = frozenset({Role.supplier}), frozenset({Role.provider})
LOOKING = READERS | SUPPLIERS

API = Api(
    endpoints=(
        get_statements,
        get_supplier_statement,
        get_invoices,
        get_statement_disputes,
        get_statement_deadlines,
        get_supplier_cycle,
        post_statements,
        post_statement_withdrawals,
        post_statement_confirmations,
        post_statement_disputes,
    ),
    roles={
        "statements": LOOKING,
        "supplier_statement": LOOKING,
        "invoices": LOOKING,
        "statement_disputes": LOOKING,
        "statement_deadlines": LOOKING,
        "supplier_cycle": LOOKING,
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
