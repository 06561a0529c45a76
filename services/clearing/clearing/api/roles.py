"""Who may call what. The least that each role needs; an operation that is missing here is open to nobody."""

from collections.abc import Mapping

from medfund.http.tokens import Role

READERS = frozenset({Role.provider, Role.finance, Role.approver, Role.operator, Role.auditor})

ROLES: Mapping[str, frozenset[Role]] = {
    "claims": READERS,
    "claim": READERS,
    "deadlines": READERS,
    "statement": READERS,
    "recoveries": READERS,
    "payments": READERS,
    "coverage": READERS - {Role.provider},
    "metrics": frozenset({Role.operator, Role.auditor}),
}
