"""Clearing as a deciding service of lanes: its capabilities learn from facts, answer them, and change what follows."""

from collections.abc import Sequence

from clearing.capabilities import CAPABILITIES, SHELVES, known_of
from medfund.lanes.composed import Composed


class Clearing(Composed):
    name = own = "clearing"
    facts: Sequence[str] = ("agency", "claims", "prepayments", "reviews", "bank", "time", "direct-pay")
    capabilities = CAPABILITIES
    shelves = SHELVES
    known = known_of(CAPABILITIES)
