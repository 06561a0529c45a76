"""What is paid of a claim at once, and what is approved of it after audit (R1.5, R1.6)."""

from clearing.capability import Capability
from clearing.claims.claim import Claim
from clearing.instant import advance, approving, of_claims, paying
from medfund.events import instant

CAPABILITY = Capability(
    name="instant",
    evolves={
        instant.InstantPaymentApproved: paying.evolve,
        instant.ClaimBatchApproved: approving.evolve,
    },
    payables={Claim: of_claims.PAYABLE},
    items=advance.ITEMS,
)
