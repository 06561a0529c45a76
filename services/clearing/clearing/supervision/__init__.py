"""Who may be paid, what is held, and what has to be given back (R6)."""

from clearing import names
from clearing.agreements import AGREEMENTS, QUALIFICATIONS, Agreements, Qualifications
from clearing.capability import Capability
from clearing.payable import Kind
from clearing.supervision import cases, holds, owed, recovery
from clearing.supervision.recovery import Recovery
from medfund.events import claims, supervision
from medfund.lanes.capability import changing, keeping

_one = changing(recovery.RECOVERIES, names.recovery)

CAPABILITY = Capability(
    name="supervision",
    keeps={
        supervision.ProviderAgreementChanged: keeping(AGREEMENTS, Agreements.with_change),
        supervision.PersonQualificationChanged: keeping(QUALIFICATIONS, Qualifications.with_change),
    },
    answers={
        claims.ClaimBatchSubmitted: cases.submitted,
        supervision.PaymentHoldPlaced: holds.placed,
        supervision.PaymentHoldReleased: holds.released,
        supervision.RecoveryDecided: cases.decided,
        supervision.RecoveryReceived: cases.received,
        supervision.BankRecoveryRepaid: cases.received,
        supervision.RecoveryAppealUpheld: cases.upheld,
    },
    evolves={
        supervision.ClaimPayableHeld: holds.evolve_held,
        supervision.ClaimPayableReleased: holds.evolve_released,
        supervision.RecoveryOpened: cases.evolve_opened,
        supervision.RecoverySettled: _one(recovery.settled),
        supervision.RecoveryReversed: _one(recovery.reversed_),
    },
    payables={Recovery: Kind(things=recovery.RECOVERIES, repaid=cases.REPAID)},
    items=owed.ITEMS,
)
