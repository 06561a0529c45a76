"""Event types, their envelope and codec, and the contract generated from them.

Importing this package registers every event type, so that `kinds.KINDS` is complete wherever it is seen.
"""

from medfund.events.agency import CalendarPublished, PolicyPublished, ProviderChanged, ProviderRegistered
from medfund.events.bank import BankPaymentReturned, BankPaymentSettled
from medfund.events.claims import (
    ClaimBatchSubmitted,
    ClaimBatchWithdrawalRequested,
    ControlTotalDeclared,
    ReconciliationCompleted,
    SettlementOutcomeResolved,
    SettlementRecorded,
    SettlementReversed,
)
from medfund.events.clearing import (
    ClaimBatchAccepted,
    ClaimBatchApproved,
    ClaimBatchRejected,
    ClaimBatchWithdrawn,
    ClaimDeadlineApproaching,
    ClaimDeadlineBreached,
    ClaimDeadlineRecalculated,
    FactDisputed,
    InstantPaymentApproved,
    OffsetApplied,
    PaymentOrdered,
    PaymentReturned,
    PaymentSettled,
)
from medfund.events.kinds import Event, Place
from medfund.events.ledger import EventRefused
from medfund.events.parking import FactParked, FactReleased, FactRetried
from medfund.events.reviews import AuditDeductionFinalised, PaymentHoldPlaced, PaymentHoldReleased
from medfund.events.time import DayOpened

__all__ = [
    "AuditDeductionFinalised",
    "BankPaymentReturned",
    "BankPaymentSettled",
    "CalendarPublished",
    "ClaimBatchAccepted",
    "ClaimBatchApproved",
    "ClaimBatchRejected",
    "ClaimBatchSubmitted",
    "ClaimBatchWithdrawalRequested",
    "ClaimBatchWithdrawn",
    "ClaimDeadlineApproaching",
    "ClaimDeadlineBreached",
    "ClaimDeadlineRecalculated",
    "ControlTotalDeclared",
    "DayOpened",
    "Event",
    "EventRefused",
    "FactDisputed",
    "FactParked",
    "FactReleased",
    "FactRetried",
    "InstantPaymentApproved",
    "OffsetApplied",
    "PaymentHoldPlaced",
    "PaymentHoldReleased",
    "PaymentOrdered",
    "PaymentReturned",
    "PaymentSettled",
    "Place",
    "PolicyPublished",
    "ProviderChanged",
    "ProviderRegistered",
    "ReconciliationCompleted",
    "SettlementOutcomeResolved",
    "SettlementRecorded",
    "SettlementReversed",
]
