"""Statements of suppliers: matched, disputed, confirmed, requested, and what was paid of them."""

from direct_pay.statements import days, disputing, paying, requesting, submitting
from medfund.events import direct, purchases, statements
from medfund.events.time import DayOpened
from medfund.lanes.capability import Capability

CAPABILITY = Capability(
    name="statements",
    admits=dict.fromkeys((statements.StatementLineDisputed, statements.StatementLineResolved), disputing.admit),
    learns={
        statements.StatementSubmitted: submitting.submitted,
        statements.StatementConfirmed: submitting.confirmed,
        statements.StatementWithdrawn: submitting.withdrawn,
        statements.StatementLineDisputed: disputing.disputed,
        statements.StatementLineResolved: disputing.resolved,
        direct.SupplierPaymentSettled: paying.learn,
    },
    answers={
        statements.StatementSubmitted: submitting.answer,
        statements.StatementConfirmed: submitting.confirm,
        statements.StatementWithdrawn: submitting.withdraw,
        statements.StatementLineDisputed: disputing.dispute,
        statements.StatementLineResolved: disputing.resolve,
        statements.StatementsAgreed: requesting.agreed,
        purchases.InvoiceRedIssued: requesting.reduced,
        DayOpened: days.day_opened,
    },
    evolves={
        statements.StatementMatched: submitting.evolve_matched,
        statements.StatementRefused: submitting.evolve_refused,
        statements.StatementEnded: submitting.evolve_ended,
        statements.StatementConfirmationNoted: submitting.evolve_confirmed,
        statements.StatementDisputesNoted: disputing.evolve,
        statements.StatementRequested: requesting.evolve_requested,
        statements.StatementLineReduced: requesting.evolve_reduced,
        statements.StatementDeadlineApproaching: days.evolve_approaching,
        statements.StatementDeadlineBreached: days.evolve_breached,
    },
    large={DayOpened},
    weights={statements.StatementsAgreed: requesting.weight},
)
