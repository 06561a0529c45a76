"""What direct payment is composed of: capabilities, in the order in which they listen, and shelves, in the order in
which they are read."""

from collections.abc import Sequence

from medfund.lanes import days, kept, providers
from medfund.lanes.capability import Capability
from medfund.lanes.shelf import Shelf

CAPABILITIES: Sequence[Capability] = (providers.CAPABILITY, days.CAPABILITY)
SHELVES: Sequence[Shelf] = (kept.Facts(CAPABILITIES), kept.Providers(), kept.OpenDay())
