"""Claims: submitted, accepted or rejected, withdrawn, and what is told of their deadlines (R1)."""

from clearing import names
from clearing.capability import Capability, changing
from clearing.claims import claim, submitting
from clearing.state import Draft
from medfund.events import claims, clearing

_one = changing(Draft.change_claim, names.claim)

CAPABILITY = Capability(
    name="claims",
    answers={
        claims.ClaimBatchSubmitted: submitting.submitted,
        claims.ClaimBatchWithdrawalRequested: submitting.withdrawal,
    },
    evolves={
        clearing.ClaimBatchAccepted: submitting.evolve_accepted,
        clearing.ClaimBatchRejected: submitting.evolve_rejected,
        clearing.ClaimBatchWithdrawn: _one(claim.withdrawn),
        clearing.ClaimDeadlineApproaching: _one(claim.warned),
        clearing.ClaimDeadlineBreached: _one(claim.breached),
        clearing.ClaimBreachWithdrawn: _one(claim.breach_withdrawn),
        clearing.ClaimDeadlineRecalculated: _one(claim.deadline_moved),
    },
)
