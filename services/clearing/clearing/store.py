"""What a batch of events needs, read before it and written after it, in a number of statements that does not depend on
its size."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import msgspec

from clearing import capabilities, names, rows
from clearing.agreements import Agreements, Qualifications
from clearing.audit import store as audit_store
from clearing.claims import store as claims_store
from clearing.claims.claim import Claim
from clearing.names import Name, Part
from clearing.opening import items as openings
from clearing.opening import store as opening_store
from clearing.payments import store as payments_store
from clearing.payments import suspense
from clearing.payments.accounts import Account
from clearing.payments.mandates import Mandates
from clearing.policy import Policies
from clearing.prepayment import applying, prepayment
from clearing.prepayment import store as prepayment_store
from clearing.prepayment.assessments import Assessments
from clearing.prepayment.gate import Figures
from clearing.providers import Since
from clearing.state import Draft, Known
from clearing.supervision import store as supervision_store
from medfund import calendar
from medfund.events import fields
from medfund.events.agency import CalendarPublished, FundFiguresPublished
from medfund.events.audit import (
    AuditDeductionFinalised,
    AuditDeductionUndone,
    AuditFindingRaised,
    ClaimDeducted,
    ClaimFindingNoted,
    OfFinding,
)
from medfund.events.bank import BankPaymentSettled, BankReturnReversed
from medfund.events.claims import ClaimBatchSubmitted, ClaimBatchWithdrawalRequested, ClaimBatchWithdrawn
from medfund.events.codec import Accepted
from medfund.events.kinds import KINDS, Event
from medfund.events.openings import OpeningItem, OpeningItemRecorded
from medfund.events.prepayments import (
    PrepaymentApplied,
    PrepaymentGranted,
    PrepaymentPurchasesReported,
    PrepaymentRecallOrdered,
)
from medfund.events.settlements import Settlement
from medfund.events.supervision import PaymentHoldPlaced, ProviderAgreementChanged, RecoveryDecided
from medfund.events.time import DayOpened
from medfund.events.treasury import (
    OpeningBalanceRecorded,
    PaymentApprovalGiven,
    PaymentRunOpened,
    SuspensePlacingRequested,
)
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "store.sql")
_account = msgspec.json.Decoder(Account).decode
TYPES = {kind.event: kind.type for kind in KINDS.values()}

ENDINGS = (PrepaymentGranted, PrepaymentRecallOrdered, ProviderAgreementChanged, FundFiguresPublished)
"""Events that may cancel what was ordered for prepayments."""

FALL_DUE = (
    RecoveryDecided, PrepaymentRecallOrdered, ProviderAgreementChanged, PrepaymentGranted, PrepaymentPurchasesReported,
    OpeningItemRecorded,
)  # fmt: skip
"""Events with which something that a provider owes may fall due, so that orders make way for it."""

WHOLE_BATCHES = (AuditDeductionFinalised, ClaimBatchWithdrawalRequested, ClaimBatchWithdrawn)
"""Events that are about every finding of the batches that they name."""


def nothing() -> Known:
    """What is known before anybody has said anything."""
    return Known(
        areas={},
        policies=Policies({}, {}),
        calendar=calendar.shipped(),
        agreements=Agreements({}),
        qualifications=Qualifications({}),
        mandates=Mandates({}),
        figures=Figures({}),
        assessments=Assessments({}),
    )


async def load(connection: asyncpg.Connection, lane: int) -> Known:
    providers = await connection.fetch(SQL.known, lane)
    known = replace(
        nothing(),
        areas={row["provider"]: row["area"] for row in providers},
        accounts={row["provider"]: _account(row["body"]) for row in await connection.fetch(SQL.payees, lane)},
        today=await connection.fetchval(SQL.today, lane),
        since={
            row["provider"]: Since(row["since"], row["area"], row["origin"], row["first"])
            for row in providers
            if row["since"]
        },
    )
    for row in await connection.fetch(SQL.facts, lane):
        known = capabilities.known_after(known, msgspec.json.decode(row["body"], type=KINDS[row["type"]].event))
    return known


async def prepare(connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
    """Keep the settlements of a batch, and read what its other events refer to."""
    settlements = [accepted for accepted in fresh if isinstance(accepted.event, Settlement)]
    if settlements:
        await claims_store.keep_settlements(connection, lane, settlements)
    if len(settlements) < len(fresh):
        await _read(connection, lane, draft, [one for one in fresh if not isinstance(one.event, Settlement)])


async def foresee(connection: asyncpg.Connection, lane: int, draft: Draft, fact: Accepted) -> None:
    """What one fact refers to, for who may not look at settlements: which of them were reversed since is left out."""
    await _read(connection, lane, draft, [fact], settlements=False)


async def _read(
    connection: asyncpg.Connection, lane: int, draft: Draft, others: Sequence[Accepted], *, settlements: bool = True
) -> None:
    events: list[Any] = [accepted.event for accepted in others]
    submissions = [accepted for accepted in others if isinstance(accepted.event, ClaimBatchSubmitted)]
    await _read_payments(connection, lane, draft, events)
    named = {payment.payable for payment in draft.payments.values()}
    for event in events:
        named.update(_named(event))
    providers = {ref for event in events for ref in fields.named(event, "provider")}
    day = any(isinstance(event, DayOpened | CalendarPublished) for event in events)
    figures = any(isinstance(event, FundFiguresPublished) for event in events)
    if not (named or providers or day or figures):
        return
    await prepayment_store.read(connection, lane, draft, named, providers, every=day or figures)
    if any(isinstance(event, ENDINGS) for event in events):
        await payments_store.read(connection, lane, draft, (), draft.prepayments, ())
    begins = figures or any(_begins_a_month(draft, event) for event in events)
    owing = {one.dimensions.provider for one in draft.prepayments.values() if one.left > 0} if begins else set()
    if figures:
        providers |= owing
    if not (named or providers or day):
        return
    await claims_store.read(
        connection, lane, draft, named, providers, day=day, submissions=[one.event for one in submissions],  # type: ignore[misc]
    )  # fmt: skip
    leads = {claim.carried_by for claim in draft.claims.values()} - draft.claims.keys()
    if leads:
        await claims_store.read(connection, lane, draft, leads, (), day=False, submissions=())
    undone: set[Name] = set()
    if submissions:
        undone = await claims_store.read_submissions(connection, lane, draft, submissions)
    await supervision_store.read(connection, lane, draft, named, providers, day=day, settlements=undone)
    if opened := {names.item(event) for event in events if isinstance(event, OpeningItem)}:
        await opening_store.read(connection, lane, draft, opened)
    owing |= {event.provider for event in events if isinstance(event, FALL_DUE) or _disburses(draft, event)}
    every = (one for those in draft.payables for one in those.values())
    unsent = {one.name for one in every if one.owed and one.dimensions.provider in owing}
    held = [draft.claims.get(names.payable(event)) for event in events if isinstance(event, PaymentHoldPlaced)]
    held += [claim for event in events if (claim := _paid_at_once(draft, event)) is not None]
    unsent |= {claim.carried_by for claim in held if claim is not None and claim.lead}
    audited = {event.provider for event in events if isinstance(event, AuditDeductionFinalised)}
    reviewed = (claim for claim in draft.claims.values() if claim.status == "IN_REVIEW" and claim.p1 is not None)
    unsent |= {claim.name for claim in reviewed if day or claim.dimensions.provider in audited}
    if unsent:
        await payments_store.read(connection, lane, draft, (), unsent, ())
    await _read_findings(connection, lane, draft, events, undone, day=day, settlements=settlements)


def _begins_a_month(draft: Draft, event: Any) -> bool:
    today = draft.known.today
    return isinstance(event, DayOpened) and (today is None or event.date.replace(day=1) > today)


def _paid_at_once(draft: Draft, event: Any) -> Claim | None:
    """The claim whose P1 the bank has paid, or pays again."""
    answers = isinstance(event, BankPaymentSettled | BankReturnReversed)
    payment = draft.payments.get(names.payment(event)) if answers else None
    return draft.claims.get(payment.payable) if payment is not None and payment.purpose == "INSTANT" else None


def _disburses(draft: Draft, event: Any) -> bool:
    """Whether the bank paid a prepayment: a part of it may be due by now."""
    payment = draft.payments.get(names.payment(event)) if isinstance(event, BankPaymentSettled) else None
    return payment is not None and payment.purpose in ("PREPAYMENT", "BULK")


async def _read_payments(connection: asyncpg.Connection, lane: int, draft: Draft, events: Sequence[Any]) -> None:
    named = {name for event in events for name in _payments(event)}
    held = {names.payable(event) for event in events if isinstance(event, PaymentHoldPlaced)}
    runs = [event for event in events if isinstance(event, PaymentRunOpened)]
    approved = {name for event in events if isinstance(event, PaymentApprovalGiven) for name in _payments(event)}
    if named or held or runs:
        await payments_store.read(connection, lane, draft, named, held, runs, approved)
    told = {name for event in events if isinstance(event, BankReturnReversed) for name in _payments(event)}
    told |= {payment.name for payment in draft.payments.values() if payment.status == "FAILED"}
    if payables := {draft.payments[name].payable for name in told if name in draft.payments}:
        await payments_store.read(connection, lane, draft, (), payables, ())
    if items := {ref for event in events for ref in _suspense(event)}:
        areas = {event.area for event in events if isinstance(event, SuspensePlacingRequested)}
        await payments_store.read_suspense(connection, lane, draft, items, areas)


def _payments(event: Event) -> Iterable[Name]:
    """The payments that an event names."""
    return _of_provider(event, fields.named(event, "payment"))


def _of_provider(event: Any, refs: Iterable[str]) -> Iterable[Name]:
    """Names are of the provider that an event is about; where it is about none, it names nothing of anybody's."""
    return [Name(event.provider, ref) for ref in refs] if "provider" in type(event).__struct_fields__ else []


def _suspense(event: Event) -> Iterable[str]:
    """The suspense items that an event names, or would open."""
    if isinstance(event, suspense.OfLine):
        yield from suspense.refs(event)
    elif isinstance(event, OpeningBalanceRecorded):
        yield from openings.suspense_refs(event).values()
    yield from fields.named(event, "suspense")


async def _read_findings(
    connection: asyncpg.Connection, lane: int, draft: Draft, events: Sequence[Any], undone: set[Name], *, day: bool,
    settlements: bool,
) -> None:  # fmt: skip
    whole = {name for event in events if isinstance(event, WHOLE_BATCHES) for name in _named(event)}
    if day:
        whole |= {claim.name for claim in draft.claims.values() if claim.status == "IN_REVIEW" and not claim.lead}
    each = {place for event in events for place in _findings(event)}
    if whole or each or undone:
        await audit_store.read(connection, lane, draft, whole, each, undone, reversals=settlements)
    if raised := [event for event in events if isinstance(event, AuditFindingRaised)]:
        await audit_store.read_found(connection, lane, draft, raised)


def _named(event: Event) -> Iterable[Name]:
    """What an event names that a provider is paid for."""
    refs = [*fields.named(event, "payable")]
    if isinstance(event, PrepaymentApplied):
        refs += [applying.name_of(event, fund) for fund in event.funds]
    if isinstance(event, PrepaymentPurchasesReported):
        refs += [prepayment.name(event.provider, "BULK", event.contract_ref, fund) for fund in event.purchased]
    return _of_provider(event, refs)


def _findings(event: Event) -> Iterable[Part]:
    """The findings that an event names."""
    match event:
        case OfFinding() | ClaimFindingNoted():
            yield Part(event.provider, event.batch, event.finding_ref)
        case AuditDeductionUndone():
            yield Part(event.provider, event.of_batch, event.finding_ref)
        case ClaimDeducted():
            yield from (Part(event.provider, part.batch, part.finding_ref) for part in event.deductions)


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if draft.areas:
        found = [
            (provider, area, since.day.isoformat(), since.origin, since.first.isoformat(), *draft.named[provider])
            for provider, area in sorted(draft.areas.items())
            for since in (draft.since[provider],)
        ]
        await connection.execute(SQL.register, lane, *columns(found))
    if draft.accounts:
        payees = [(provider, rows.text(account)) for provider, account in sorted(draft.accounts.items())]
        await connection.execute(SQL.save_payees, lane, *columns(payees))
    if draft.opened is not None:
        await connection.execute(SQL.open_day, lane, draft.opened)
    if draft.published:
        kept = [
            (topic, str(offset), TYPES[type(event)], getattr(event, "provider", None), rows.text(event))
            for topic, offset, event in draft.published
        ]
        await connection.execute(SQL.keep, lane, *columns(kept))
    for store in (claims_store, payments_store, supervision_store, prepayment_store, audit_store, opening_store):
        await store.write(connection, lane, draft)
