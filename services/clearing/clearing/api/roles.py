"""Who may call what. The least that each role needs; an operation that is missing here is open to nobody."""

from collections.abc import Mapping

from medfund.http.tokens import Role

READERS = frozenset({Role.provider, Role.finance, Role.approver, Role.operator, Role.auditor})
AGENCY = READERS - {Role.provider}
FINANCE = frozenset({Role.finance, Role.approver})

ROLES: Mapping[str, frozenset[Role]] = {
    "claims": READERS,
    "claim": READERS,
    "deadlines": READERS,
    "statement": READERS,
    "recoveries": READERS,
    "doubtful_settlements": READERS,
    "payments": READERS,
    "prepayments": READERS,
    "prepayment_outlook": AGENCY,
    "prepayment_statement": READERS,
    "prepayment_plan": AGENCY,
    "apply_for_prepayment": frozenset({Role.provider}),
    "recall": FINANCE,
    "plan_prepayments": FINANCE,
    "approve_plan": FINANCE,
    "coverage": AGENCY,
    "run_plan": AGENCY,
    "payment_runs": AGENCY,
    "payment_run": AGENCY,
    "suspense": AGENCY,
    "reconciliations": AGENCY,
    "outflows": AGENCY,
    "treasury_requests": AGENCY,
    "withdraw": frozenset({Role.provider}),
    "receive": frozenset({Role.provider}),
    "appeal": frozenset({Role.provider}),
    "hold": FINANCE,
    "release": FINANCE,
    "approve": FINANCE,
    "retry": FINANCE,
    "confirm_account": FINANCE,
    "open_run": FINANCE,
    "place": FINANCE,
    "request_funds": FINANCE,
    "propose": frozenset({Role.office}),
    "approve_proposal": frozenset({Role.office}),
    "mandates": AGENCY | {Role.office},
    "proposals_of_the_office": AGENCY | {Role.office},
    "command": READERS | {Role.office},
    "audit": frozenset({Role.auditor}),
    "metrics": frozenset({Role.operator, Role.auditor}),
}
