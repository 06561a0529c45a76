"""Prepayments: about a month in advance, granted by rule, and taken back to the fen (R2)."""

from clearing import names
from clearing.capability import Capability
from clearing.prepayment import applying, ending, gating, granting, history, owed, prepayment
from clearing.prepayment.assessments import ASSESSMENTS, Assessments
from clearing.prepayment.gate import FIGURES, Figures
from clearing.prepayment.prepayment import Prepayment
from medfund.events import agency, prepayments, supervision, time
from medfund.lanes.capability import changing, keeping

_one = changing(prepayment.PREPAYMENTS, names.prepayment)

CAPABILITY = Capability(
    name="prepayment",
    keeps={
        agency.FundFiguresPublished: keeping(FIGURES, Figures.with_figures),
        agency.ProviderAssessed: keeping(ASSESSMENTS, Assessments.with_assessment),
    },
    answers={
        prepayments.PrepaymentApplied: applying.applied,
        prepayments.PrepaymentGranted: granting.granted,
        prepayments.PrepaymentPurchasesReported: granting.purchased,
        prepayments.PrepaymentRecallOrdered: ending.recall_ordered,
        prepayments.BankPrepaymentRepaid: ending.repaid,
        supervision.ProviderAgreementChanged: ending.agreement_changed,
        agency.FundFiguresPublished: gating.figures_published,
        time.DayOpened: ending.day_opened,
    },
    evolves={
        prepayments.PrepaymentChecked: applying.evolve_checked,
        prepayments.PrepaymentRefused: applying.evolve_refused,
        prepayments.PrepaymentApproved: _one(prepayment.approved),
        prepayments.PrepaymentAdjusted: _one(prepayment.adjusted),
        prepayments.PrepaymentPurchasesNoted: _one(prepayment.purchased),
        prepayments.PrepaymentDisbursed: _one(prepayment.disbursed),
        prepayments.PrepaymentRecalled: _one(prepayment.recalled),
        prepayments.PrepaymentReturned: _one(prepayment.returned),
        prepayments.PrepaymentOverdue: _one(prepayment.overdue),
        prepayments.PrepaymentCleared: _one(prepayment.cleared),
    },
    payables={Prepayment: granting.PAYABLE},
    items=owed.ITEMS,
)
HISTORY = Capability(name="history of prepayments", evolves=history.LISTENS)
"""What became of a prepayment is told when everybody else has changed it."""
