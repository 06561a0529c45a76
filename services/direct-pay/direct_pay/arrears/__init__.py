"""The register of arrears from before go-live."""

from direct_pay.arrears import arrears
from medfund.events import statements
from medfund.lanes.capability import Capability

CAPABILITY = Capability(
    name="arrears",
    learns={statements.ArrearsRegistered: arrears.registered, statements.ArrearsCleared: arrears.cleared},
    answers={statements.ArrearsRegistered: arrears.note, statements.ArrearsCleared: arrears.lower},
    evolves={statements.ArrearsNoted: arrears.evolve_noted, statements.ArrearsLowered: arrears.evolve_lowered},
)
