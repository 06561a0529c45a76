"""The waterfall: what a provider owes is taken from what it is owed (R3.6)."""

from clearing.capability import Capability
from clearing.offsets import debit, taking
from medfund.events import offsets

CAPABILITY = Capability(name="offsets", evolves={offsets.OffsetApplied: taking.evolve}, items=debit.ITEMS)
