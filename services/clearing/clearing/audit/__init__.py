"""Findings, their appeals, and what is finally deducted (R1.3)."""

from clearing.audit import deduction, findings
from clearing.capability import Capability
from medfund.events import claims, clearing, reviews

CAPABILITY = Capability(
    name="audit",
    keeps={reviews.AuditStageCompleted: lambda known, _: known},
    answers={
        claims.ClaimBatchSubmitted: findings.submitted,
        reviews.AuditFindingRaised: findings.raised,
        reviews.AuditFindingReviewed: findings.reviewed,
        reviews.AuditAppealFiled: findings.appealed,
        reviews.AuditAppealDecided: findings.answered,
        reviews.AuditDeductionFinalised: deduction.finalised,
    },
    evolves={
        clearing.ClaimFindingNoted: findings.evolve_noted,
        clearing.ClaimDeducted: deduction.evolve,
        clearing.AuditDeductionUndone: findings.evolve_undone,
        clearing.ClaimBatchWithdrawn: findings.evolve_withdrawn,
    },
)
