"""Clearing as a deciding service of lanes: each fact goes to the capability that answers it, each decision to what it
changes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
from prometheus_client import Gauge

from clearing import days, names, payable, policy, providers, store
from clearing.audit import deduction, finding, findings
from clearing.claims import claim as claims
from clearing.claims import submitting
from clearing.funds import added, fens
from clearing.instant import advance, of_claims
from clearing.names import Name, Part
from clearing.offsets import debit, taking
from clearing.opening import items as openings
from clearing.payable import Kind, Payable
from clearing.payments import (
    accounts,
    answers,
    approving,
    cash,
    payment,
    receipts,
    retrying,
    running,
    suspense,
)
from clearing.prepayment import applying, ending, gating, giving, granting, history, prepayment
from clearing.prepayment import owed as prepaid
from clearing.state import Draft, Known
from clearing.supervision import cases, holds, recovery
from clearing.supervision import owed as recovered
from medfund import money
from medfund.events.agency import (
    CalendarPublished,
    FundFiguresPublished,
    PolicyPublished,
    ProviderAssessed,
    ProviderChanged,
    ProviderRegistered,
)
from medfund.events.bank import (
    BankLineCorrected,
    BankLineUnplaced,
    BankPaymentRejected,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
    TreasuryFundsReceived,
)
from medfund.events.claims import (
    ClaimBatchSubmitted,
    ClaimBatchWithdrawalRequested,
    PaymentConfirmed,
    SettlementRecorded,
    SettlementReversed,
)
from medfund.events.clearing import (
    AuditDeductionUndone,
    ClaimBatchAccepted,
    ClaimBatchApproved,
    ClaimBatchRejected,
    ClaimBatchWithdrawn,
    ClaimBreachWithdrawn,
    ClaimDeadlineApproaching,
    ClaimDeadlineBreached,
    ClaimDeadlineRecalculated,
    ClaimDeducted,
    ClaimFindingNoted,
    ClaimPayableHeld,
    ClaimPayableReleased,
    InstantPaymentApproved,
    OffsetApplied,
    RecoveryOpened,
    RecoveryReversed,
    RecoverySettled,
)
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.openings import OpeningItemRecorded, OpeningItemTaken, OpeningSuspenseTaken
from medfund.events.payments import (
    PayeeAccountNoted,
    PaymentApproved,
    PaymentCancelled,
    PaymentDoubted,
    PaymentFailed,
    PaymentOrdered,
    PaymentReceiptNoted,
    PaymentRetried,
    PaymentReturned,
    PaymentReturnUndone,
    PaymentSent,
    PaymentSettled,
    PaymentWithheld,
    SuspenseKept,
    SuspenseOpened,
    SuspensePlaced,
    SuspensePlacingNoted,
)
from medfund.events.prepayments import (
    BankPrepaymentRepaid,
    PrepaymentAdjusted,
    PrepaymentApplied,
    PrepaymentApproved,
    PrepaymentChecked,
    PrepaymentCleared,
    PrepaymentDisbursed,
    PrepaymentGranted,
    PrepaymentOverdue,
    PrepaymentPurchasesNoted,
    PrepaymentPurchasesReported,
    PrepaymentRecalled,
    PrepaymentRecallOrdered,
    PrepaymentRefused,
    PrepaymentReturned,
)
from medfund.events.refusals import Reason
from medfund.events.reviews import (
    AuditAppealDecided,
    AuditAppealFiled,
    AuditDeductionFinalised,
    AuditFindingRaised,
    AuditFindingReviewed,
    AuditStageCompleted,
    PaymentHoldPlaced,
    PaymentHoldReleased,
    PersonQualificationChanged,
    ProviderAgreementChanged,
    RecoveryAppealUpheld,
    RecoveryDecided,
    RecoveryReceived,
)
from medfund.events.time import DayOpened
from medfund.events.treasury import (
    OpeningBalanceRecorded,
    PaymentApprovalGiven,
    PaymentRetryRequested,
    PaymentRunOpened,
    ProviderAccountConfirmed,
    StaffMandated,
    SuspensePlacingRequested,
    TreasuryFundsRequested,
)
from medfund.lanes import batch, opened, registered
from medfund.lanes.sources import Sources

PAYABLES: Mapping[type[Payable], Kind] = {
    claims.Claim: of_claims.PAYABLE,
    recovery.Recovery: Kind(),
    prepayment.Prepayment: granting.PAYABLE,
}
ITEMS = {**debit.ITEMS, **advance.ITEMS, **recovered.ITEMS, **prepaid.ITEMS}
"""The kinds of open items that the waterfall takes from, by the account that each is booked in."""


def _submitted(draft: Draft, event: ClaimBatchSubmitted, cause: Place) -> Iterable[Event]:
    yield from submitting.submitted(draft, event, cause)
    yield from findings.submitted(draft, event, cause)
    yield from cases.submitted(draft, event, cause)


def _day_opened(draft: Draft, event: DayOpened, cause: Place) -> Iterable[Event]:
    yield from days.day_opened(draft, event, cause)
    yield from ending.day_opened(draft, event, cause)
    yield from giving.month_begins(draft, event, cause)
    yield from ending.parts_fall_due(draft, event, cause)


ANSWERS: Mapping[type[Event], Callable[[Draft, Any, Place], Iterable[Event]]] = {
    ClaimBatchSubmitted: _submitted,
    ClaimBatchWithdrawalRequested: submitting.withdrawal,
    AuditFindingRaised: findings.raised,
    AuditFindingReviewed: findings.reviewed,
    AuditAppealFiled: findings.appealed,
    AuditAppealDecided: findings.answered,
    AuditDeductionFinalised: deduction.finalised,
    PaymentHoldPlaced: holds.placed,
    PaymentHoldReleased: holds.released,
    RecoveryDecided: cases.decided,
    RecoveryReceived: cases.received,
    RecoveryAppealUpheld: cases.upheld,
    OpeningBalanceRecorded: openings.unplaced,
    OpeningItemRecorded: openings.recorded,
    ProviderRegistered: accounts.changed,
    ProviderChanged: accounts.changed,
    PaymentConfirmed: receipts.confirmed,
    ProviderAccountConfirmed: accounts.confirmed,
    PaymentApprovalGiven: approving.given,
    PaymentRetryRequested: retrying.requested,
    PaymentRunOpened: running.opened,
    BankPaymentSettled: answers.settled,
    BankPaymentReturned: answers.returned,
    BankReturnReversed: answers.reversed_,
    BankPaymentRejected: answers.rejected,
    BankLineUnplaced: suspense.unplaced,
    BankLineCorrected: suspense.corrected,
    SuspensePlacingRequested: suspense.placing,
    PrepaymentApplied: applying.applied,
    PrepaymentGranted: granting.granted,
    PrepaymentPurchasesReported: granting.purchased,
    PrepaymentRecallOrdered: ending.recall_ordered,
    BankPrepaymentRepaid: ending.repaid,
    ProviderAgreementChanged: ending.agreement_changed,
    FundFiguresPublished: gating.figures_published,
    DayOpened: _day_opened,
    CalendarPublished: days.calendar_published,
}
"""Fact -> what follows from it. Every other fact is only learned."""

KEPT = (
    PolicyPublished,
    CalendarPublished,
    ProviderAgreementChanged,
    PersonQualificationChanged,
    AuditStageCompleted,
    StaffMandated,
    PaymentRunOpened,
    TreasuryFundsRequested,
    FundFiguresPublished,
    ProviderAssessed,
)
"""Facts that are kept as they came."""


CALENDAR_DAYS = Gauge(
    "medfund_calendar_days",
    "For how many days after the present one the notices say whether they are worked",
    ["service"],  # so that it is told by those processes alone that know it
)


def _tell_calendar(known: Known) -> None:
    if known.today is not None:
        CALENDAR_DAYS.labels("clearing").set(days.known_ahead(known.calendar, known.today))


class Clearing:
    name = "clearing"
    own = "clearing"
    facts: Sequence[str] = ("agency", "claims", "prepayments", "reviews", "bank", "time")
    kept: Collection[type[Event]] = frozenset({SettlementRecorded, SettlementReversed})
    references: Sequence[str] = ("agency",)
    lacking: Collection[Reason] = frozenset({Reason.NOT_YOURS_TO_SAY, Reason.UNKNOWN_PROVIDER})
    silent: Collection[str] = frozenset()
    large: Collection[type[Event]] = frozenset({PaymentRunOpened, DayOpened, CalendarPublished})

    def __init__(self, *, prefix: str) -> None:
        self._families = {f"{prefix}.{family}": family for family in self.facts}

    async def load(self, connection: asyncpg.Connection, lane: int) -> Draft:
        known = await store.load(connection, lane)
        _tell_calendar(known)
        return self.begin(known)

    def begin(self, known: Known) -> Draft:
        return Draft(known, PAYABLES, ITEMS)

    def draft(self, state: Draft) -> Draft:
        """Claims and payments are read anew for each batch; what is known of the lane goes on."""
        known = state.known
        if state.areas or state.accounts:
            known = replace(
                known,
                areas={**known.areas, **state.areas},
                accounts={**known.accounts, **state.accounts},
                since={**known.since, **state.since},
            )
        return Draft(known, PAYABLES, ITEMS, admitted=dict(known.areas))

    def admit(self, draft: Draft, fact: Accepted, *, sources: Sources) -> Refused | None:
        asked = sources.asks(fact.record.timestamp)
        if isinstance(fact.event, PolicyPublished):
            try:
                policy.parse(fact.event, kept=not asked)
            except policy.BadPolicy as error:
                return batch.refuse(fact, Reason.BAD_CODE, f"$.parameters: {error}")
        if isinstance(fact.event, DayOpened):
            if asked and (refusal := opened.admit(draft.coming or draft.known.today, fact)):
                return refusal
            draft.coming = fact.event.date
        return registered.admit(draft.admitted, fact, sources)

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
        await store.prepare(connection, lane, draft, fresh)

    def learn(self, draft: Draft, fact: Accepted) -> None:
        event = fact.event
        match event:
            case ProviderRegistered() | ProviderChanged():
                draft.areas[event.provider] = event.area
                draft.since[event.provider] = providers.since(draft.provider_since(event.provider), event)
                draft.named[event.provider] = providers.named(draft.named.get(event.provider), event)
                if not accounts.of(draft, event.provider).ref:
                    draft.accounts[event.provider] = accounts.Account(ref=event.bank_account_ref)
            case PaymentRunOpened():
                draft.runs.setdefault(event.run_ref, fact.record.offset)
            case DayOpened():
                draft.day_before = draft.known.today
                draft.opened = event.date
                draft.known = replace(draft.known, today=event.date)
            case TreasuryFundsReceived():
                draft.moves += cash.received(event)
            case OpeningBalanceRecorded():
                draft.moves += cash.opening(event)
        if isinstance(event, KEPT):
            draft.published.append((self._families[fact.record.topic], fact.record.offset, event))
            draft.known = store.with_fact(draft.known, event)

    def decide(self, draft: Draft, fact: Accepted) -> Iterable[Event]:
        answer = ANSWERS.get(type(fact.event))
        if answer is None:
            return ()
        record = fact.record
        place = Place(topic=self._families[record.topic], lane=record.partition, offset=record.offset)
        return answer(draft, fact.event, place)

    def evolve(self, draft: Draft, decision: Event) -> None:
        match decision:
            case ClaimBatchAccepted():
                name = names.claim(decision)
                draft.claims[name] = claims.accepted(decision)
                draft.changed.add(name)
                draft.rejected[name] = None
            case ClaimBatchRejected() if decision.submission is not None:
                draft.rejected[names.claim(decision)] = decision
            case ClaimBatchWithdrawn():
                claims.withdrawn(draft.change_claim(names.claim(decision)))
                draft.forget_findings(names.claim(decision))
            case ClaimDeadlineApproaching():
                draft.change_claim(names.claim(decision)).warned.append(decision.target)
            case ClaimDeadlineBreached():
                draft.change_claim(names.claim(decision)).breached.append(decision.target)
            case ClaimBreachWithdrawn():
                draft.change_claim(names.claim(decision)).breached.remove(decision.target)
            case ClaimDeadlineRecalculated():
                claims.deadline_moved(draft.change_claim(names.claim(decision)), decision)
            case InstantPaymentApproved():
                claims.paid_at_once(draft.change_claim(names.payable(decision)), decision)
                for part in decision.made_good or ():
                    other = draft.change_claim(Name(decision.provider, part.batch))
                    other.carried = added(other.carried, fens(part.amounts), -1)
            case ClaimFindingNoted():
                place = names.finding(decision)
                draft.findings[place] = finding.noted(draft.findings.get(place), decision)
                draft.changed_findings.add(place)
            case ClaimDeducted():
                claims.deducted(draft.change_claim(names.payable(decision)), decision)
                for taken in decision.deductions:
                    place = Part(decision.provider, taken.batch, taken.finding_ref)
                    draft.change_finding(place).deducted = added(fens(taken.amounts), {})
            case AuditDeductionUndone():
                claims.undone(draft.change_claim(names.claim(decision)), decision)
                back = draft.change_finding(Part(decision.provider, decision.of_batch, decision.finding_ref))
                back.undone = added(back.undone, fens(decision.amounts))
            case ClaimBatchApproved():
                together = [Name(decision.provider, batch) for batch in decision.batches]
                claims.approved([draft.change_claim(name) for name in together], decision)
            case OffsetApplied():
                taking.evolve(draft, decision, fens(decision.amounts))
            case PaymentOrdered():
                payable.ordered(draft.change(names.payable(decision)), decision)
                draft.payments[names.payment(decision)] = payment.ordered(decision)
                draft.changed_payments.add(names.payment(decision))
            case PayeeAccountNoted():
                draft.accounts[decision.provider] = accounts.noted(decision)
            case PaymentApproved():
                payment.approved(draft.change_payment(names.payment(decision)), decision)
            case PaymentSent():
                payment.sent(draft.change_payment(names.payment(decision)), decision)
            case PaymentWithheld():
                payment.withheld(draft.change_payment(names.payment(decision)), decision)
            case PaymentCancelled():
                cancelled = draft.change_payment(names.payment(decision))
                cancelled.status = "CANCELLED"
                answers.release(draft, cancelled)
            case PaymentSettled():
                answers.evolve_settled(draft, decision)
                draft.moves += cash.answered(decision)
            case PaymentReceiptNoted():
                draft.change_payment(names.payment(decision)).confirmed_on = decision.received_on
            case PaymentReturned():
                answers.evolve_returned(draft, decision)
                draft.moves += cash.answered(decision)
            case PaymentReturnUndone():
                answers.evolve_undone(draft, decision)
                draft.moves += cash.answered(decision)
            case PaymentDoubted():
                payment.doubted(draft.change_payment(names.payment(decision)), decision)
            case PaymentFailed():
                answers.evolve_failed(draft, decision)
            case PaymentRetried():
                answers.evolve_retried(draft, decision)
            case SuspenseOpened():
                suspense.evolve_opened(draft, decision)
                draft.moves += cash.suspended(decision)
            case SuspenseKept():
                suspense.evolve_opened(draft, decision)
            case SuspensePlacingNoted():
                suspense.evolve_noted(draft, decision)
            case SuspensePlaced():
                suspense.evolve_placed(draft, decision)
                draft.moves += cash.placed(decision)
            case ClaimPayableHeld():
                payable.held(draft.change(names.payable(decision)), decision)
            case ClaimPayableReleased():
                payable.released(draft.change(names.payable(decision)), decision)
            case PrepaymentChecked():
                name = names.prepayment(decision)
                draft.prepayments[name] = prepayment.checked(draft.prepayments.get(name), decision)
                draft.changed.add(name)
            case PrepaymentRefused():
                name = names.prepayment(decision)
                before = draft.prepayments.get(name)
                if before is None or (before.status == "CHECKED" and decision.code != "TWICE"):
                    draft.prepayments[name] = prepayment.refused(before, decision)
                    draft.changed.add(name)
            case PrepaymentApproved():
                prepayment.approved(draft.change_prepayment(names.prepayment(decision)), decision)
            case PrepaymentAdjusted():
                prepayment.adjusted(draft.change_prepayment(names.prepayment(decision)), decision)
            case PrepaymentPurchasesNoted():
                draft.change_prepayment(names.prepayment(decision)).purchased = money.fen(decision.purchased)
            case PrepaymentDisbursed():
                prepayment.disbursed(draft.change_prepayment(names.prepayment(decision)), decision)
            case PrepaymentRecalled():
                prepayment.recalled(draft.change_prepayment(names.prepayment(decision)))
            case PrepaymentReturned():
                prepayment.returned(draft.change_prepayment(names.prepayment(decision)), decision)
                draft.moves += cash.repaid(decision)
            case PrepaymentOverdue():
                prepayment.overdue(draft.change_prepayment(names.prepayment(decision)), decision)
            case PrepaymentCleared():
                prepayment.cleared(draft.change_prepayment(names.prepayment(decision)), decision)
            case OpeningItemTaken():
                openings.evolve(draft, decision)
            case OpeningSuspenseTaken():
                openings.evolve_unplaced(draft, decision)
            case RecoveryOpened():
                name = names.recovery(decision)
                draft.recoveries[name] = recovery.opened(decision)
                draft.changed.add(name)
            case RecoverySettled():
                recovery.settled(draft.change_recovery(names.recovery(decision)), decision)
                draft.moves += cash.recovered(decision)
            case RecoveryReversed():
                recovery.reversed_(draft.change_recovery(names.recovery(decision)), decision)
        history.told(draft, decision)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        await store.write(connection, lane, draft)
        if draft.opened or draft.published:
            _tell_calendar(draft.known)
        draft.let_go()
