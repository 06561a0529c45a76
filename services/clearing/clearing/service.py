"""Clearing as a deciding service of lanes: each fact goes to the capability that answers it, each decision to what it
changes."""

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from clearing import policy, store
from clearing.claims import claim as state_of
from clearing.claims import decide
from clearing.state import Draft
from medfund.events.agency import CalendarPublished, PolicyPublished, ProviderChanged, ProviderRegistered
from medfund.events.bank import BankPaymentReturned, BankPaymentSettled
from medfund.events.claims import ClaimBatchSubmitted, ClaimBatchWithdrawalRequested
from medfund.events.clearing import (
    ClaimBatchAccepted,
    ClaimBatchApproved,
    ClaimBatchWithdrawn,
    ClaimDeadlineApproaching,
    ClaimDeadlineBreached,
    ClaimDeadlineRecalculated,
    InstantPaymentApproved,
    OffsetApplied,
    PaymentOrdered,
    PaymentReturned,
    PaymentSettled,
)
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.refusals import Reason
from medfund.events.reviews import AuditDeductionFinalised
from medfund.events.time import DayOpened
from medfund.lanes import batch, registered

ANSWERS: Mapping[type[Event], Callable[[Draft, Any, Place], Iterable[Event]]] = {
    ClaimBatchSubmitted: decide.submitted,
    ClaimBatchWithdrawalRequested: decide.withdrawal,
    AuditDeductionFinalised: decide.deduction,
    BankPaymentSettled: decide.bank_settled,
    BankPaymentReturned: decide.bank_returned,
    DayOpened: decide.day_opened,
    CalendarPublished: decide.calendar_published,
}
"""Fact -> what follows from it. Every other fact is only learned."""


class Clearing:
    name = "clearing"
    own = "clearing"
    facts: Sequence[str] = ("agency", "claims", "reviews", "bank", "time")
    references: Sequence[str] = ("agency",)
    lacking: Collection[Reason] = frozenset({Reason.UNKNOWN_PROVIDER})
    silent: Collection[str] = frozenset()

    def __init__(self, *, prefix: str) -> None:
        self._families = {f"{prefix}.{family}": family for family in self.facts}

    async def load(self, connection: asyncpg.Connection, lane: int) -> Draft:
        return Draft(await store.load(connection, lane))

    def draft(self, state: Draft) -> Draft:
        """Claims and payments are read anew for each batch; what is known of the lane goes on."""
        known = state.known
        if state.areas:
            known = replace(known, areas={**known.areas, **state.areas})
        return Draft(known)

    def admit(self, draft: Draft, fact: Accepted) -> Refused | None:
        if isinstance(fact.event, PolicyPublished):
            try:
                policy.parse(fact.event)
            except policy.BadPolicy as error:
                return batch.refuse(fact, Reason.BAD_CODE, f"$.parameters: {error}")
        return registered.admit(ChainMap(draft.areas, draft.known.areas), fact)  # type: ignore[arg-type]

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
        await store.prepare(connection, lane, draft, fresh)

    def learn(self, draft: Draft, fact: Accepted) -> None:
        event = fact.event
        if isinstance(event, ProviderRegistered | ProviderChanged):
            draft.areas[event.provider] = event.area
        elif isinstance(event, PolicyPublished):
            draft.policies.append((fact.record.offset, event))
            policies = draft.known.policies.with_policy(policy.parse(event))
            draft.known = replace(draft.known, policies=policies)
        elif isinstance(event, CalendarPublished):
            draft.notices.append((fact.record.offset, event))
            draft.known = replace(draft.known, calendar=store.with_notice(draft.known.calendar, event))

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
                draft.claims[decision.batch] = state_of.accepted(decision)
                draft.changed_claims.add(decision.batch)
            case ClaimDeadlineApproaching():
                _claim(draft, decision.batch).warned.append(decision.target)
            case ClaimDeadlineBreached():
                _claim(draft, decision.batch).breached.append(decision.target)
            case ClaimDeadlineRecalculated():
                state_of.deadline_moved(_claim(draft, decision.batch), decision)
            case ClaimBatchWithdrawn():
                _claim(draft, decision.batch).status = "WITHDRAWN"
            case InstantPaymentApproved():
                state_of.paid_at_once(_claim(draft, decision.payable_ref), decision)
                for part in decision.made_good or ():
                    state_of.made_good(_claim(draft, part.batch), part.amounts)
            case PaymentOrdered():
                payment = state_of.ordered(_claim(draft, decision.payable_ref), decision)
                draft.payments[payment.payment_ref] = payment
                draft.changed_payments.add(payment.payment_ref)
            case ClaimBatchApproved():
                state_of.approved([_claim(draft, name) for name in decision.batches], decision)
            case OffsetApplied():
                state_of.offset(_claim(draft, decision.payable_ref), decision)
                state_of.advance_taken(_claim(draft, decision.item_ref), decision)
            case PaymentSettled():
                claim = _claim(draft, decision.payable_ref)
                state_of.settled(claim, draft.payments[decision.payment_ref], decision)
                draft.changed_payments.add(decision.payment_ref)
            case PaymentReturned():
                claim = _claim(draft, decision.payable_ref)
                state_of.returned(claim, draft.payments[decision.payment_ref], decision)
                draft.changed_payments.add(decision.payment_ref)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        await store.write(connection, lane, draft)


def _claim(draft: Draft, name: str) -> state_of.Claim:
    draft.changed_claims.add(name)
    return draft.claims[name]
