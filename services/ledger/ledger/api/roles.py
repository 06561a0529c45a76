"""Who may call what. The least that each role needs; an operation that is missing here is open to nobody."""

from collections.abc import Mapping

from medfund.http.tokens import Role

READERS = frozenset({Role.provider, Role.finance, Role.approver, Role.operator, Role.auditor})

ROLES: Mapping[str, frozenset[Role]] = {
    "balances": READERS | {Role.supplier},
    "lines": READERS | {Role.supplier},
    "trial_balance": READERS - {Role.provider},
    "turnover": READERS,
    "cash": READERS - {Role.provider},
    "explain": READERS,
    "event": frozenset({Role.publisher, Role.finance, Role.operator, Role.auditor}),
    "quarantine": frozenset({Role.publisher, Role.provider, Role.finance, Role.operator, Role.auditor}),
    "quarantined": frozenset({Role.publisher, Role.provider, Role.finance, Role.operator, Role.auditor}),
    "publish": frozenset({Role.publisher}),
    "audit": frozenset({Role.auditor}),
    "metrics": frozenset({Role.operator, Role.auditor}),
}
