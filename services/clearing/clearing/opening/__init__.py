"""What is open when the books begin, taken over item by item (R10, c.2 67)."""

from clearing.capability import Capability
from clearing.opening import items
from medfund.events import openings, treasury

CAPABILITY = Capability(
    name="opening",
    answers={treasury.OpeningBalanceRecorded: items.unplaced, openings.OpeningItemRecorded: items.recorded},
    evolves={openings.OpeningItemTaken: items.evolve, openings.OpeningSuspenseTaken: items.evolve_unplaced},
)
