"""Who may call what. The least that each role needs; an operation that is missing here is open to nobody."""

from collections.abc import Mapping

from medfund.http.tokens import Role

READERS = frozenset({Role.provider, Role.finance, Role.approver, Role.operator, Role.auditor})
FINANCE = frozenset({Role.finance, Role.approver})

ROLES: Mapping[str, frozenset[Role]] = {
    "claims": READERS,
    "claim": READERS,
    "deadlines": READERS,
    "statement": READERS,
    "recoveries": READERS,
    "payments": READERS,
    "coverage": READERS - {Role.provider},
    "withdraw": frozenset({Role.provider}),
    "appeal": frozenset({Role.provider}),
    "hold": FINANCE,
    "release": FINANCE,
    "approve": FINANCE,
    "retry": FINANCE,
    "confirm_account": FINANCE,
    "open_run": FINANCE,
    "place": FINANCE,
    "request_funds": FINANCE,
    "command": READERS,
    "metrics": frozenset({Role.operator, Role.auditor}),
}
