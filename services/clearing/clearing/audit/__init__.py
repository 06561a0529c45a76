"""Findings, their appeals, and what is finally deducted (R1.3)."""

from clearing.audit import deduction, findings
from clearing.capability import Capability
from medfund.events import audit, claims

CAPABILITY = Capability(
    name="audit",
    keeps={audit.AuditStageCompleted: None},
    answers={
        claims.ClaimBatchSubmitted: findings.submitted,
        audit.AuditFindingRaised: findings.raised,
        audit.AuditFindingReviewed: findings.reviewed,
        audit.AuditAppealFiled: findings.appealed,
        audit.AuditAppealDecided: findings.answered,
        audit.AuditDeductionFinalised: deduction.finalised,
    },
    evolves={
        audit.ClaimFindingNoted: findings.evolve_noted,
        audit.ClaimDeducted: deduction.evolve,
        audit.AuditDeductionUndone: findings.evolve_undone,
        claims.ClaimBatchWithdrawn: findings.evolve_withdrawn,
    },
)
