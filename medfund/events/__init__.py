"""Event types, their envelope and codec, and the contract generated from them.

Importing this package registers every event type, so that `kinds.KINDS` is complete wherever it is seen.
"""

from medfund.events import (
    agency,
    bank,
    claims,
    clearing,
    ledger,
    openings,
    parking,
    payments,
    prepayments,
    reviews,
    sources,
    time,
    treasury,
)

__all__ = [
    "agency",
    "bank",
    "claims",
    "clearing",
    "ledger",
    "openings",
    "parking",
    "payments",
    "prepayments",
    "reviews",
    "sources",
    "time",
    "treasury",
]
