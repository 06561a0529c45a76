"""What a provider is owed and what is paid of it: payables, orders, and the bank's answers."""

from clearing import names
from clearing.capability import Capability
from clearing.payments import accounts, answers, approving, cash, orders, payment, receipts, retrying, running, suspense
from medfund.events import agency, bank, payments, treasury
from medfund.lanes import mandates
from medfund.lanes.capability import changing

_one = changing(payment.PAYMENTS, names.payment)

CAPABILITY = Capability(
    name="payments",
    keeps={
        **mandates.KEPT,
        treasury.PaymentRunOpened: None,
        treasury.TreasuryFundsRequested: None,
    },
    learns={
        agency.ProviderRegistered: accounts.learn,
        agency.ProviderChanged: accounts.learn,
        treasury.PaymentRunOpened: running.learn,
    },
    answers={
        agency.ProviderRegistered: accounts.changed,
        agency.ProviderChanged: accounts.changed,
        payments.PaymentConfirmed: receipts.confirmed,
        treasury.ProviderAccountConfirmed: accounts.confirmed,
        treasury.PaymentApprovalGiven: approving.given,
        treasury.PaymentRetryRequested: retrying.requested,
        treasury.PaymentRunOpened: running.opened,
        bank.BankPaymentSettled: answers.settled,
        bank.BankPaymentReturned: answers.returned,
        bank.BankReturnReversed: answers.reversed_,
        bank.BankPaymentRejected: answers.rejected,
    },
    evolves={
        payments.PaymentOrdered: orders.evolve,
        payments.PayeeAccountNoted: accounts.evolve,
        payments.PaymentApproved: _one(payment.approved),
        payments.PaymentSent: _one(payment.sent),
        payments.PaymentWithheld: _one(payment.withheld),
        payments.PaymentCancelled: answers.evolve_cancelled,
        payments.PaymentSettled: answers.evolve_settled,
        payments.PaymentReceiptNoted: _one(payment.received),
        payments.PaymentReturned: answers.evolve_returned,
        payments.PaymentReturnUndone: answers.evolve_undone,
        payments.PaymentDoubted: _one(payment.doubted),
        payments.PaymentFailed: answers.evolve_failed,
        payments.PaymentRetried: answers.evolve_retried,
    },
    large={treasury.PaymentRunOpened},
)
SUSPENSE = Capability(
    name="suspense",
    answers={
        bank.BankLineUnplaced: suspense.unplaced,
        bank.BankLineCorrected: suspense.corrected,
        treasury.SuspensePlacingRequested: suspense.placing,
    },
    evolves={
        payments.SuspenseOpened: suspense.evolve_opened,
        payments.SuspenseKept: suspense.evolve_opened,
        payments.SuspensePlacingNoted: suspense.evolve_noted,
        payments.SuspensePlaced: suspense.evolve_placed,
    },
)
CASH = Capability(
    name="cash",
    learns={fact: cash.learned(moved) for fact, moved in cash.OF_FACTS.items()},
    evolves={decision: cash.decided(moved) for decision, moved in cash.OF_DECISIONS.items()},
)
"""What moved on the bank accounts, whoever moved it."""
