"""Direct payment as a deciding service of lanes: its capabilities learn from facts, answer them, and change what
follows."""

from collections.abc import Sequence

from direct_pay.capabilities import CAPABILITIES, SHELVES
from medfund.lanes.composed import Composed


class DirectPay(Composed):
    name = own = "direct-pay"
    facts: Sequence[str] = ("agency", "purchases", "clearing", "time")
    capabilities = CAPABILITIES
    shelves = SHELVES
