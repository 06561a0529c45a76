"""Who may be paid, what is held, and what has to be given back (R6)."""

from clearing import names, payable
from clearing.agreements import Agreements, Qualifications
from clearing.capability import Capability, changing, keeping
from clearing.payable import Kind
from clearing.state import Draft
from clearing.supervision import cases, holds, owed, recovery
from clearing.supervision.recovery import Recovery
from medfund.events import claims, supervision

_one = changing(Draft.change_recovery, names.recovery)
_held = changing(Draft.change, names.payable)

CAPABILITY = Capability(
    name="supervision",
    keeps={
        supervision.ProviderAgreementChanged: keeping("agreements", Agreements.with_change),
        supervision.PersonQualificationChanged: keeping("qualifications", Qualifications.with_change),
    },
    answers={
        claims.ClaimBatchSubmitted: cases.submitted,
        supervision.PaymentHoldPlaced: holds.placed,
        supervision.PaymentHoldReleased: holds.released,
        supervision.RecoveryDecided: cases.decided,
        supervision.RecoveryReceived: cases.received,
        supervision.RecoveryAppealUpheld: cases.upheld,
    },
    evolves={
        supervision.ClaimPayableHeld: _held(payable.held),
        supervision.ClaimPayableReleased: _held(payable.released),
        supervision.RecoveryOpened: cases.evolve_opened,
        supervision.RecoverySettled: _one(recovery.settled),
        supervision.RecoveryReversed: _one(recovery.reversed_),
    },
    payables={Recovery: Kind()},
    items=owed.ITEMS,
)
