"""What a statement comes to: of each invoice what may be requested of it now, and by when it is to be paid. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from direct_pay import clock, policy
from direct_pay.invoices.invoice import INVOICES, Item
from direct_pay.matching import matching
from direct_pay.matching.matching import Matched
from direct_pay.names import Name
from direct_pay.policy import Policy
from direct_pay.statements.statement import STATEMENTS, WHOLE_INVOICE, Fault, Line, Statement
from medfund.calendar import Calendar
from medfund.events.statements import Dispute
from medfund.lanes.days import CALENDAR
from medfund.lanes.draft import Draft


class Open(NamedTuple):
    """What may be requested of an invoice now."""

    invoice: str
    fen: int
    due: date
    accepted: date


def match_all(draft: Draft, name: Name, invoices: Iterable[str]) -> dict[str, Matched]:
    asked = Asked(draft)
    return {ref: matching.match(draft, name.beside(ref), asked) for ref in invoices}


class Asked:
    """Of which invoices something was requested."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._found: dict[Name, set[str]] = {}

    def __call__(self, invoice: Name) -> bool:
        known = self._draft[INVOICES].get(invoice)
        if known is None or not known.statement_ref:
            return False
        of = invoice.beside(known.statement_ref)
        if of not in self._found:
            statement = self._draft[STATEMENTS].get(of)
            self._found[of] = {*statement.asked} if statement else set()
        return invoice.ref in self._found[of]


def disputes(matched: dict[str, Matched]) -> list[Dispute]:
    return [
        Dispute(invoice=ref, code=one.code, detail=one.detail, order_no=one.order_no or None, line=one.line or None)
        for ref, found in matched.items()
        for one in found.mismatches
    ]


def blocked(statement: Statement) -> dict[str, set[Line]]:
    """By invoice: the lines that are in dispute, or never paid. What was requested of it is not among them."""
    found: dict[str, set[Line]] = {}
    for one in statement.dropped:
        found.setdefault(one.invoice, set()).add((one.order_no, one.line))
    for fault in statement.faults:
        if fault.until is None:
            found.setdefault(fault.invoice, set()).add((fault.order_no, fault.line))
    for ref in statement.asked if found else ():
        if ref in found:
            held = set(statement.held.get(ref, ()))
            found[ref] = held if WHOLE_INVOICE in found[ref] else found[ref] & held
    return found


def open_of(draft: Draft, name: Name, statement: Statement, matched: dict[str, Matched], chosen: Policy) -> list[Open]:
    """Of each invoice of a statement that has anything: what is to be paid of it and was not requested."""
    asked, against = statement.asked, blocked(statement)
    dues, ended = Dues(draft.known[CALENDAR], chosen), _ended(statement)
    found = []
    for ref, one in matched.items():
        if WHOLE_INVOICE in (stopped := against.get(ref, ())):
            continue
        invoice = draft[INVOICES][name.beside(ref)]
        left, counted = 0, []
        beyond = 0
        for place, item in enumerate(invoice.parts):
            if item.of not in stopped:
                left += item.fen
                beyond += one.beyond[place]
                counted.append(place)
        red = invoice.taken_back
        fen = max(0, min(left - min(beyond, red), invoice.fen - red)) - asked.get(ref, 0)
        if ref in asked:
            held = statement.held.get(ref, [])
            counted = [place for place in counted if invoice.parts[place].of in held] or counted
        if fen > 0 and (dated := [*_dated(ended.get(ref, ()), one, counted, invoice.parts, dues)]):
            found.append(Open(ref, fen, *min(dated)))
    return found


def _ended(statement: Statement) -> dict[str, list[Fault]]:
    """Disputes that are over, by invoice."""
    found: dict[str, list[Fault]] = {}
    for fault in statement.faults:
        if fault.until:
            found.setdefault(fault.invoice, []).append(fault)
    return found


class Dues(dict[tuple[date, bool, int], date]):
    """By when what was taken in on a day is to be paid, in bulk or not, after a dispute of so many days: few are
    different."""

    def __init__(self, calendar: Calendar, chosen: Policy) -> None:
        self._calendar, self._chosen = calendar, chosen

    def __missing__(self, key: tuple[date, bool, int]) -> date:
        accepted, bulk, days = key
        month_end = self._chosen.bulk_month_end and bulk
        self[key] = due = clock.due(self._calendar, accepted, self._chosen.days, month_end=month_end, paused=days)
        return due


def _dated(
    ended: Sequence[Fault], matched: Matched, counted: list[int], parts: list[Item], dues: Dues
) -> Iterator[tuple[date, date]]:
    """By when each line is to be paid, and when it was taken in; one that was in dispute later by as many days."""
    for place in counted:
        accepted = matched.accepted[place]
        if accepted is None:
            continue
        spans = [
            (max(fault.since, accepted), fault.until)
            for fault in ended
            if fault.until and (fault.order_no, fault.line) in (WHOLE_INVOICE, parts[place].of)
        ]
        yield dues[accepted, matched.bulk[place], clock.paused(spans) if spans else 0], accepted


def first_due(found: Iterable[Open]) -> date | None:
    return min((one.due for one in found), default=None)


def policy_of(draft: Draft, statement: Statement, day: date) -> Policy | None:
    return policy.on(draft, statement.area, day)
