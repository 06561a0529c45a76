"""Claims: submitted, accepted or rejected, withdrawn, and what is told of their deadlines (R1)."""

from clearing import names
from clearing.capability import Capability
from clearing.claims import claim, submitting
from medfund.events import claims, settlements
from medfund.lanes.capability import changing

_one = changing(claim.CLAIMS, names.claim)

CAPABILITY = Capability(
    name="claims",
    answers={
        claims.ClaimBatchSubmitted: submitting.submitted,
        claims.ClaimBatchWithdrawalRequested: submitting.withdrawal,
    },
    evolves={
        claims.ClaimBatchAccepted: submitting.evolve_accepted,
        claims.ClaimBatchRejected: submitting.evolve_rejected,
        claims.ClaimBatchWithdrawn: _one(claim.withdrawn),
        claims.ClaimDeadlineApproaching: _one(claim.warned),
        claims.ClaimDeadlineBreached: _one(claim.breached),
        claims.ClaimBreachWithdrawn: _one(claim.breach_withdrawn),
        claims.ClaimDeadlineRecalculated: _one(claim.deadline_moved),
    },
    bulk={settlements.SettlementRecorded, settlements.SettlementReversed},
)
