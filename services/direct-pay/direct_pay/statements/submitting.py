"""Statements are submitted, matched or refused, confirmed, and taken back. Pure.

What stays true: each submission is answered once, in the order in which they came; one that lists an invoice which
nobody has registered waits for it, so that the order in which papers come changes nothing.
Source: R3.3, R3.4, c.2 (40, 42).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from direct_pay import names, policy
from direct_pay.invoices import invoice as invoices
from direct_pay.invoices.invoice import INVOICES
from direct_pay.names import Name
from direct_pay.statements import disputing, worth
from direct_pay.statements import statement as statements
from direct_pay.statements.statement import DISPUTES_MAX, STATEMENTS, Fault, Statement, Submitted, about
from medfund import money, people
from medfund.events.kinds import Event, Place
from medfund.events.statements import (
    Dispute,
    RefusedCode,
    StatementConfirmationNoted,
    StatementConfirmed,
    StatementEnded,
    StatementMatched,
    StatementRefused,
    StatementSubmitted,
    StatementWithdrawn,
)
from medfund.lanes.draft import Draft


class Refusal(NamedTuple):
    code: RefusedCode
    detail: str
    invoice: str | None = None


# -- what facts say


def submitted(draft: Draft, event: StatementSubmitted, place: Place) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    amounts = money.fens([one.amount for one in event.lines])
    lines = [(one.invoice, fen) for one, fen in zip(event.lines, amounts, strict=True)]
    statement.heard += 1
    statement.submissions.append(Submitted(event.period, event.submitted_on, event.submitted_by, lines))


def confirmed(draft: Draft, event: StatementConfirmed, place: Place) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    statement.confirmations = sorted([*statement.confirmations, (event.confirmed_on, event.confirmed_by or "")])


def withdrawn(draft: Draft, event: StatementWithdrawn, place: Place) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    statement.withdrawn_on = min(statement.withdrawn_on or event.withdrawn_on, event.withdrawn_on)


# -- what follows


def answer(draft: Draft, event: StatementSubmitted, cause: Place) -> Iterator[Event]:
    yield from answered(draft, names.statement(event), event.submitted_on, cause)


def answered(draft: Draft, name: Name, day: date, cause: Place) -> Iterator[Event]:
    """As many submissions of a name as can be answered on a day."""
    statement = draft[STATEMENTS][name]
    while waiting := statement.waiting:
        refusal = _refusal(draft, name, statement, waiting[0])
        if refusal is not None and refusal.code == "NO_INVOICE" and not _is_over(draft, statement, waiting[0], day):
            return
        chosen = policy.on(draft, statement.area, waiting[0].on)
        if refusal is not None:
            yield StatementRefused(**about(name, statement, cause), **refusal._asdict())
        elif chosen is None:
            return  # nobody can say what it is to be matched by
        else:
            yield from _matched(draft, name, statement, waiting[0], chosen, cause)
            yield from _at_once(draft, name, statement, cause)


def _is_over(draft: Draft, statement: Statement, waiting: Submitted, day: date) -> bool:
    """Whether it has waited long enough."""
    chosen = policy.on(draft, statement.area, day)
    return chosen is not None and waiting.on + timedelta(days=chosen.wait_days) < day


def _refusal(draft: Draft, name: Name, statement: Statement, submitted: Submitted) -> Refusal | None:
    """Why it is not taken: the first reason that it will never be, else that it has to wait."""
    if statement.status:
        return Refusal("NAME_TAKEN", f"{name.ref} is the statement of {statement.submitted_on}")
    missing, blues = None, 0
    for ref, fen in submitted.lines:
        known = draft[INVOICES].get(name.beside(ref))
        if known is None or known.issued_on is None:
            if owner := draft[invoices.OWNERS].get(ref):
                return Refusal("NOT_YOURS", f"{ref} was registered by {owner.supplier} for {owner.provider}", ref)
            missing = missing or Refusal("NO_INVOICE", f"nobody has registered {ref}", ref)
        elif fen != (registered := -known.fen if known.red_of else known.fen):
            detail = f"{ref} is of {money.yuan(registered)}, the statement says {money.yuan(fen)}"
            return Refusal("AMOUNT", detail, ref)
        elif known.statement_ref:
            return Refusal("IN_ANOTHER", f"{ref} is in statement {known.statement_ref}", ref)
        else:
            blues += not known.red_of
    if missing is None and not blues:
        return Refusal("NOTHING_LEFT", "it lists no invoice that anything could be paid of")
    return missing


def _matched(
    draft: Draft, name: Name, statement: Statement, submitted: Submitted, chosen: policy.Policy, cause: Place
) -> Iterator[Event]:
    blues = [ref for ref, _ in submitted.lines if not draft[INVOICES][name.beside(ref)].red_of]
    matched = worth.match_all(draft, name, blues)
    disputes = [*worth.disputes(matched), *_said(statement, set(blues))]
    foreseen = Statement(statement.area, faults=[_fault(one, submitted.on) for one in disputes])
    yield StatementMatched(
        **about(name, statement, cause),
        period=submitted.period,
        submitted_on=submitted.on,
        policy_ref=chosen.hash,
        invoices=blues,
        disputes=disputes[:DISPUTES_MAX],
        submitted_by=submitted.by,
        due=worth.first_due(worth.open_of(draft, name, foreseen, matched, chosen)),
    )
    yield from disputing.noted(draft, name, submitted.on, cause, opened=disputes[DISPUTES_MAX:], matched=matched)


def _said(statement: Statement, invoices: set[str]) -> Iterator[Dispute]:
    """What people said before it was submitted, and have not taken back."""
    for one in statement.said:
        if one.invoice in invoices and disputing.settled(statement, one) is None:
            yield Dispute(
                invoice=one.invoice,
                code=one.code,  # type: ignore[arg-type]
                detail=one.reason,
                order_no=one.order_no or None,
                line=one.line or None,
            )


def _at_once(draft: Draft, name: Name, statement: Statement, cause: Place) -> Iterator[Event]:
    """What was said of it before it came."""
    if statement.withdrawn_on is not None:
        yield StatementEnded(**about(name, statement, cause))
        return
    yield from disputing.dropped_before(draft, name, cause)
    if confirmations := statement.confirmations:
        mine = statement.submitted_by
        yield _noted(name, statement, min(confirmations, key=lambda one: (_same(one[1], mine), one)), cause)


def confirm(draft: Draft, event: StatementConfirmed, cause: Place) -> Iterator[Event]:
    name = names.statement(event)
    statement = draft[STATEMENTS][name]
    if statement.status == "MATCHED" and not statement.mode:
        yield _noted(name, statement, (event.confirmed_on, event.confirmed_by or ""), cause)


def _noted(name: Name, statement: Statement, said: tuple[date, str], cause: Place) -> StatementConfirmationNoted:
    """Nobody confirms what he submitted himself: somebody of the agency has to see to it."""
    day, by = said
    if _same(by, statement.submitted_by):
        detail = f"{by} submitted it, and cannot confirm it"
        return StatementConfirmationNoted(**about(name, statement, cause), on=day, mode="ESCALATED", detail=detail)
    return StatementConfirmationNoted(**about(name, statement, cause), on=day, mode="HOSPITAL")


def _same(one: str, other: str | None) -> bool:
    return bool(one and other) and people.same(one, other or "")


def silent(draft: Draft, name: Name, day: date, cause: Place) -> Iterator[Event]:
    """The hospital said nothing for as long as the policy waits."""
    statement = draft[STATEMENTS][name]
    chosen = policy.on(draft, statement.area, day)
    if chosen is None or statement.status != "MATCHED" or statement.mode or statement.escalated:
        return
    if statement.submitted_on is not None and statement.submitted_on + timedelta(days=chosen.confirm_days) < day:
        mode = "AUTO" if chosen.silent == "CONFIRM" else "ESCALATED"
        yield StatementConfirmationNoted(**about(name, statement, cause), on=day, mode=mode)  # type: ignore[arg-type]


def withdraw(draft: Draft, event: StatementWithdrawn, cause: Place) -> Iterator[Event]:
    """While nothing of it was requested; then it stays as it is."""
    name = names.statement(event)
    statement = draft[STATEMENTS][name]
    if statement.status == "MATCHED" and not statement.instalments:
        yield StatementEnded(**about(name, statement, cause))


# -- what it changes


def evolve_matched(draft: Draft, event: StatementMatched) -> None:
    name = names.statement(event)
    statement = statements.of(draft, name, event.area)
    statement.answered += 1
    statement.status, statement.period = "MATCHED", event.period
    statement.submitted_on, statement.submitted_by = event.submitted_on, event.submitted_by
    statement.invoices, statement.due = event.invoices, event.due
    statement.faults = [_fault(one, event.submitted_on) for one in event.disputes]
    for ref in event.invoices:
        invoices.of(draft, name.beside(ref), event.area).statement_ref = name.ref


def _fault(one: Dispute, since: date) -> Fault:
    return Fault(one.invoice, one.order_no or "", one.line or 0, one.code, one.detail, since)


def evolve_refused(draft: Draft, event: StatementRefused) -> None:
    statements.of(draft, names.statement(event), event.area).answered += 1


def evolve_ended(draft: Draft, event: StatementEnded) -> None:
    name = names.statement(event)
    statement = statements.of(draft, name, event.area)
    statement.status = "ENDED"
    for ref in statement.invoices:
        invoices.of(draft, name.beside(ref), event.area).statement_ref = ""


def evolve_confirmed(draft: Draft, event: StatementConfirmationNoted) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    if event.mode == "ESCALATED":
        statement.escalated = True
    else:
        statement.mode = event.mode
