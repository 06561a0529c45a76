"""Who may call what. The least that each role needs; an operation that is missing here is open to nobody."""

from collections.abc import Mapping

from medfund.http.tokens import AGENCY, READERS, Role

ROLES: Mapping[str, frozenset[Role]] = {
    "balances": READERS | {Role.supplier},
    "lines": READERS | {Role.supplier},
    "trial_balance": AGENCY,
    "turnover": READERS,
    "cash": AGENCY,
    "explain": READERS,
    "event": frozenset({Role.publisher, Role.finance, Role.operator, Role.auditor}),
    "quarantine": frozenset({Role.publisher, Role.provider, Role.finance, Role.operator, Role.auditor}),
    "quarantined": frozenset({Role.publisher, Role.provider, Role.finance, Role.operator, Role.auditor}),
    "publish": frozenset({Role.publisher}),
}
