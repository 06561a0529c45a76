"""Who may be paid, what is held, and what has to be given back (R6)."""

from clearing import names, payable
from clearing.agreements import Agreements, Qualifications
from clearing.capability import Capability, changing, keeping
from clearing.payable import Kind
from clearing.state import Draft
from clearing.supervision import cases, holds, owed, recovery
from clearing.supervision.recovery import Recovery
from medfund.events import claims, clearing, reviews

_one = changing(Draft.change_recovery, names.recovery)
_held = changing(Draft.change, names.payable)

CAPABILITY = Capability(
    name="supervision",
    keeps={
        reviews.ProviderAgreementChanged: keeping("agreements", Agreements.with_change),
        reviews.PersonQualificationChanged: keeping("qualifications", Qualifications.with_change),
    },
    answers={
        claims.ClaimBatchSubmitted: cases.submitted,
        reviews.PaymentHoldPlaced: holds.placed,
        reviews.PaymentHoldReleased: holds.released,
        reviews.RecoveryDecided: cases.decided,
        reviews.RecoveryReceived: cases.received,
        reviews.RecoveryAppealUpheld: cases.upheld,
    },
    evolves={
        clearing.ClaimPayableHeld: _held(payable.held),
        clearing.ClaimPayableReleased: _held(payable.released),
        clearing.RecoveryOpened: cases.evolve_opened,
        clearing.RecoverySettled: _one(recovery.settled),
        clearing.RecoveryReversed: _one(recovery.reversed_),
    },
    payables={Recovery: Kind()},
    items=owed.ITEMS,
)
