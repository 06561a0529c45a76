"""Disputes: what does not match, and what people say; each ends by itself, with both days kept. Pure.

What stays true: a line in dispute stops nothing but itself; what was requested before stays. Source: R3.4, R3.7.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from direct_pay import names
from direct_pay.matching.matching import Matched
from direct_pay.names import Name
from direct_pay.statements import statement as statements
from direct_pay.statements import worth
from direct_pay.statements.statement import DISPUTES_MAX, STATEMENTS, Dropped, Fault, Said, Settled, Statement, about
from medfund.events import speakers
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.refusals import Reason
from medfund.events.speakers import Speaker
from medfund.events.statements import (
    Dispute,
    StatementDisputesNoted,
    StatementLineDisputed,
    StatementLineResolved,
)
from medfund.lanes import batch
from medfund.lanes.draft import Draft

if TYPE_CHECKING:
    from medfund.lanes.sources import Sources

# -- what facts say


def admit(draft: Draft, fact: Accepted, sources: "Sources") -> Refused | None:
    """What the agency says of a line is said by command."""
    event: Any = fact.event
    if event.speaks_for == "AGENCY" and sources.asks(fact.record.timestamp) and not _is_command(fact.source):
        return batch.refuse(fact, Reason.NOT_YOURS_TO_SAY, f"{fact.source} does not speak for the agency")
    return None


def _is_command(source: str) -> bool:
    return speakers.OURS.get(source) is Speaker.COMMAND


def disputed(draft: Draft, event: StatementLineDisputed, place: Place) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    code = f"BY_{event.speaks_for}"
    said = Said(event.invoice, event.order_no or "", event.line or 0, event.disputed_on, code, event.reason)
    statement.said = sorted([*statement.said, said])


def resolved(draft: Draft, event: StatementLineResolved, place: Place) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    statement.settled = sorted([*statement.settled, _ending(event)])


def _ending(event: StatementLineResolved) -> Settled:
    line = event.invoice, event.order_no or "", event.line or 0
    return Settled(*line, event.resolved_on, event.outcome, event.reason, event.speaks_for)


def _line(one: Said | Settled | Fault | Dropped) -> tuple[str, str, int]:
    return one.invoice, one.order_no, one.line


def settled(statement: Statement, said: Said) -> Settled | None:
    """By what a dispute ended: of that line, on the same day or later, whichever of them was heard first."""
    found = (
        one for one in statement.settled if _line(one) == _line(said) and one.on >= said.on and one.ends(said.code)
    )
    return min(found, key=lambda one: one.on, default=None)


# -- what follows


def dispute(draft: Draft, event: StatementLineDisputed, cause: Place) -> Iterator[Event]:
    """Noted with the day on which it was said; where its end was heard before it, with both."""
    name = names.statement(event)
    statement = draft[STATEMENTS][name]
    if not _is_about(statement, event):
        return
    found = _of_line(event, f"BY_{event.speaks_for}", event.reason)
    yield from noted(draft, name, event.disputed_on, cause, opened=[found])
    said = Said(event.invoice, event.order_no or "", event.line or 0, event.disputed_on, found.code, "")
    if end := settled(statement, said):
        yield from noted(draft, name, end.on, cause, closed=[found])


def resolve(draft: Draft, event: StatementLineResolved, cause: Place) -> Iterator[Event]:
    name = names.statement(event)
    statement = draft[STATEMENTS][name]
    if not _is_about(statement, event):
        return
    end = _ending(event)
    said = (one for one in statement.faults if one.until is None and one.code.startswith("BY_"))
    open = [one for one in said if _line(one) == _line(end) and end.ends(one.code)]
    closed = [_dispute(one) for one in open if one.since <= event.resolved_on]
    dropped = [_of_line(event, "BY_AGENCY", event.reason)] if event.outcome == "DROP" else []
    yield from noted(draft, name, event.resolved_on, cause, closed=closed, dropped=dropped)


def dropped_before(draft: Draft, name: Name, cause: Place) -> Iterator[Event]:
    """What people said the fund never pays, before the statement came."""
    statement = draft[STATEMENTS][name]
    found = [one for one in statement.settled if one.outcome == "DROP" and one.invoice in statement.invoices]
    for day in sorted({one.on for one in found}):
        dropped = [
            Dispute(
                invoice=one.invoice, code="BY_AGENCY", detail=one.reason, order_no=one.order_no or None,
                line=one.line or None,
            )
            for one in found if one.on == day
        ]  # fmt: skip
        yield from noted(draft, name, day, cause, dropped=dropped)


def _is_about(statement: Statement, event: StatementLineDisputed | StatementLineResolved) -> bool:
    return statement.status == "MATCHED" and event.invoice in statement.invoices


def _of_line(event: StatementLineDisputed | StatementLineResolved, code: str, reason: str) -> Dispute:
    return Dispute(
        invoice=event.invoice,
        code=code,  # type: ignore[arg-type]
        detail=reason,
        order_no=event.order_no,
        line=event.line,
    )


def noted(
    draft: Draft, name: Name, day: date, cause: Place, *, opened: Iterable[Dispute] = (),
    closed: Iterable[Dispute] = (), dropped: Iterable[Dispute] = (), matched: dict[str, Matched] | None = None,
) -> Iterator[Event]:  # fmt: skip
    """What came into dispute and out of it, where anything did; as many at a time as an event holds."""
    statement = draft[STATEMENTS][name]
    known = {fault.key for fault in statement.faults if fault.until is None}
    new = [one for one in opened if _key(one) not in known]
    told = [*((one, 0) for one in new), *((one, 1) for one in closed), *((one, 2) for one in dropped)]
    if told and matched is None:
        matched = worth.match_all(draft, name, statement.invoices)
    for first in range(0, len(told), DISPUTES_MAX):
        some = told[first : first + DISPUTES_MAX]
        three = [[one for one, of in some if of == which] for which in range(3)]
        yield _noted(draft, name, statement, day, cause, three, matched or {})


def _noted(
    draft: Draft, name: Name, statement: Statement, day: date, cause: Place, three: list[list[Dispute]],
    matched: dict[str, Matched],
) -> StatementDisputesNoted:  # fmt: skip
    """`three`: opened, closed, dropped."""
    chosen, due = worth.policy_of(draft, statement, statement.submitted_on or day), statement.due
    if chosen is not None:
        after = _after(statement, day, *three)
        due = worth.first_due(worth.open_of(draft, name, after, matched, chosen))
    opened, closed, dropped = three
    return StatementDisputesNoted(
        **about(name, statement, cause), on=day, opened=opened, closed=closed, dropped=dropped, due=due
    )


def rematched(
    draft: Draft, name: Name, day: date, cause: Place, matched: dict[str, Matched] | None = None
) -> Iterator[Event]:
    """What does not match any more, or does now."""
    statement = draft[STATEMENTS][name]
    if matched is None:
        matched = worth.match_all(draft, name, statement.invoices)
    found = worth.disputes(matched)
    if not (found or statement.faults):
        return
    keys = {_key(one) for one in found}
    asked = worth.Asked(draft)
    whole = {ref for ref in statement.invoices if asked(name.beside(ref)) and ref not in statement.held}
    closed = [
        _dispute(fault)
        for fault in statement.faults
        if fault.until is None and not fault.code.startswith("BY_") and fault.key not in keys
    ]
    opened = [one for one in found if one.invoice not in whole]
    yield from noted(draft, name, day, cause, opened=opened, closed=closed, matched=matched)


def _dispute(fault: Fault) -> Dispute:
    return Dispute(
        invoice=fault.invoice,
        code=fault.code,  # type: ignore[arg-type]
        detail=fault.detail,
        order_no=fault.order_no or None,
        line=fault.line or None,
    )


def _key(one: Dispute) -> tuple[str, str, int, str]:
    return one.invoice, one.order_no or "", one.line or 0, one.code


# -- what it changes


def evolve(draft: Draft, event: StatementDisputesNoted) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    after = _after(statement, event.on, event.opened, event.closed, event.dropped)
    statement.faults, statement.dropped, statement.due = after.faults, after.dropped, event.due


def _after(
    statement: Statement, day: date, opened: Iterable[Dispute], closed: Iterable[Dispute], dropped: Iterable[Dispute]
) -> Statement:
    """Its faults, what is dropped, and what was requested, after some more."""
    over = {_key(one) for one in closed}
    faults = [
        Fault(*_line(one), one.code, one.detail, one.since, max(day, one.since))
        if one.until is None and one.key in over
        else one
        for one in statement.faults
    ]
    faults += [Fault(one.invoice, one.order_no or "", one.line or 0, one.code, one.detail, day) for one in opened]
    away = [*statement.dropped, *(Dropped(one.invoice, one.order_no or "", one.line or 0) for one in dropped)]
    return Statement(
        statement.area, status=statement.status, faults=faults, dropped=away, instalments=statement.instalments,
        held=statement.held,
    )  # fmt: skip
