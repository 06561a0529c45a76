"""Event types, their envelope and codec, and the contract generated from them.

Importing this package registers every event type, so that `kinds.KINDS` is complete wherever it is seen.
"""

from medfund.events import (
    agency,
    audit,
    bank,
    claims,
    disputes,
    instant,
    ledger,
    offsets,
    openings,
    parking,
    payments,
    prepayments,
    settlements,
    sources,
    supervision,
    time,
    treasury,
)

__all__ = [
    "agency",
    "audit",
    "bank",
    "claims",
    "disputes",
    "instant",
    "ledger",
    "offsets",
    "openings",
    "parking",
    "payments",
    "prepayments",
    "settlements",
    "sources",
    "supervision",
    "time",
    "treasury",
]
