"""What of a statement is requested of the clearing service, and what red letters take off it again. Pure.

What stays true: a statement is requested as people saw it when they agreed, or not at all; what is requested of an
invoice in all is never more than what was found in order less its red letters; fund by fund, what its red letters take
off is never more than what was requested. Source: R3.3, R3.5, R3.7, R10.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter

from direct_pay import names, policy
from direct_pay.funds import Fens, fens, yuans
from direct_pay.invoices.invoice import INVOICES, blue_of
from direct_pay.master import buyer
from direct_pay.matching import matching
from direct_pay.matching.matching import Matched
from direct_pay.names import Name
from direct_pay.policy import Policy
from direct_pay.statements import disputing, worth
from direct_pay.statements import statement as statements
from direct_pay.statements.statement import STATEMENTS, Entry, Instalment, Statement, about
from direct_pay.statements.worth import Open
from medfund import money
from medfund.events.kinds import Event, Place
from medfund.events.purchases import InvoiceRedIssued
from medfund.events.statements import (
    Agreed,
    RequestedLine,
    StatementLineReduced,
    StatementRequested,
    StatementsAgreed,
    StatementWithheld,
)
from medfund.lanes.draft import Draft

FACTS_OF_ONE = 50
"""For so many facts a statement counts that is agreed to: its invoices and their orders are read and matched again."""
LINES_MAX = 8000
"""Of an instalment: an event has one MiB at most."""


def weight(agreed: bytes) -> int:
    return FACTS_OF_ONE * agreed.count(b'"statement_ref"')


def agreed(draft: Draft, event: StatementsAgreed, cause: Place) -> Iterator[Event]:
    """Each statement that still is what people saw."""
    for one in event.statements:
        name = Name(event.provider, one.supplier, one.statement_ref)
        statement = draft[STATEMENTS].get(name)
        if statement is None or statement.status != "MATCHED":
            statement = statement or Statement(event.area)
            yield _withheld(name, statement, event, cause, f"{name.ref} is no statement that was matched")
            continue
        matched = worth.match_all(draft, name, statement.invoices)
        yield from disputing.rematched(draft, name, event.agreed_on, cause, matched)
        yield from _requested(draft, name, statement, matched, event, one, cause)


def _requested(
    draft: Draft, name: Name, statement: Statement, matched: dict[str, Matched], event: StatementsAgreed, one: Agreed,
    cause: Place,
) -> Iterator[Event]:  # fmt: skip
    chosen = policy.on(draft, statement.area, event.agreed_on)
    key = buyer.key(draft, name.provider, event.agreed_on, chosen.split_funds) if chosen else None
    without = one.without or ()
    found = [line for line in _payable(draft, name, statement, matched) if line.invoice not in without]
    if why := _why_not(statement, one, found):
        yield _withheld(name, statement, event, cause, why)
    elif chosen is None or key is None:
        yield _withheld(name, statement, event, cause, f"there is no key to split what is paid for {name.provider} by")
    else:
        for due, lines in _by_due(found, chosen):
            yield _instalment(name, statement, event, key, chosen, due, lines, cause)


def payable(draft: Draft, name: Name, statement: Statement) -> Sequence[Open]:
    """What of a matched statement may be requested now, whoever confirmed it."""
    return _payable(draft, name, statement, worth.match_all(draft, name, statement.invoices))


def _payable(draft: Draft, name: Name, statement: Statement, matched: dict[str, Matched]) -> Sequence[Open]:
    chosen = worth.policy_of(draft, statement, statement.submitted_on) if statement.submitted_on else None
    return worth.open_of(draft, name, statement, matched, chosen) if chosen else ()


def _why_not(statement: Statement, one: Agreed, found: Sequence[Open]) -> str | None:
    now = sum([line.fen for line in found])
    if not statement.mode:
        return "the hospital has not confirmed it"
    if not now or now != money.fen(one.amount):
        return f"{one.amount} was agreed to, {money.yuan(now)} is to be paid now"
    return None


def _by_due(found: Sequence[Open], chosen: Policy) -> Iterator[tuple[date, list[Open]]]:
    """One instalment by the first day, or one for each; several where there are more lines than one event holds."""
    if chosen.due_by == "EARLIEST":
        by_due = [(min(line.due for line in found), [*found])]
    else:
        ordered = sorted(found, key=attrgetter("due"))
        by_due = [(due, [*lines]) for due, lines in groupby(ordered, key=attrgetter("due"))]
    for due, lines in by_due:
        for first in range(0, len(lines), LINES_MAX):
            yield due, lines[first : first + LINES_MAX]


def _instalment(
    name: Name, statement: Statement, event: StatementsAgreed, key: buyer.Key, chosen: Policy, due: date,
    lines: Sequence[Open], cause: Place,
) -> StatementRequested:  # fmt: skip
    number = len(statement.instalments) + 1
    return StatementRequested(
        **about(name, statement, cause),
        payable_ref=f"{name.supplier}/{name.ref}/{number}",
        instalment=number,
        amounts=yuans(_split([line.fen for line in lines], key.weights)),
        key=dict(key.weights),
        key_version=key.version,
        lines=[RequestedLine(line.invoice, money.yuan(line.fen), due, line.accepted) for line in lines],
        due=due,
        policy_ref=chosen.hash,
        plan_ref=event.plan_ref,
    )


def _split(amounts: Iterable[int], key: Mapping[str, int]) -> Fens:
    """The sums of what the key makes of each."""
    funds = sorted(key)
    weights, sums = [key[fund] for fund in funds], [0] * len(funds)
    for amount in amounts:
        for place, part in enumerate(money.split(amount, weights)):
            sums[place] += part
    return dict(zip(funds, sums, strict=True))


def _withheld(
    name: Name, statement: Statement, event: StatementsAgreed, cause: Place, detail: str
) -> StatementWithheld:
    return StatementWithheld(**about(name, statement, cause), plan_ref=event.plan_ref, detail=detail)


# -- red letters on what was requested


def reduced(draft: Draft, event: InvoiceRedIssued, cause: Place) -> Iterator[Event]:
    """The last instalment first: it is the least likely to be paid."""
    blue = blue_of(event)
    invoice = draft[INVOICES][blue]
    name = blue.beside(invoice.statement_ref)
    statement = draft[STATEMENTS].get(name) if invoice.statement_ref else None
    if statement is None or event.invoice not in {red.invoice for red in invoice.applied}:
        return
    over = statement.asked.get(blue.ref, 0) - _left(draft, blue, statement)
    for instalment in reversed(statement.instalments):
        for entry in instalment.lines:
            if entry.invoice == blue.ref and (off := min(over, entry.left)) > 0:
                over -= off
                yield StatementLineReduced(
                    **about(name, statement, cause),
                    payable_ref=f"{name.supplier}/{name.ref}/{instalment.number}",
                    invoice=blue.ref,
                    red=event.invoice,
                    amounts=yuans(money.lowered(instalment.parts(entry), entry.left - off, instalment.key)),
                )


def _left(draft: Draft, blue: Name, statement: Statement) -> int:
    """What of the lines that were requested red letters leave."""
    invoice, found = draft[INVOICES][blue], matching.match(draft, blue, worth.Asked(draft))
    held = set(statement.held.get(blue.ref, ()))
    whole = beyond = 0
    for item, more in zip(invoice.parts, found.beyond, strict=True):
        if item.of not in held:
            whole += item.fen
            beyond += more
    red = invoice.taken_back
    return max(0, min(whole - min(beyond, red), invoice.fen - red))


# -- what it changes


def evolve_requested(draft: Draft, event: StatementRequested) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    against = worth.blocked(statement)
    amounts = money.fens([line.amount for line in event.lines])
    lines = [Entry(line.invoice, fen, line.due, line.accepted) for line, fen in zip(event.lines, amounts, strict=True)]
    for line in event.lines if against or statement.held else ():
        if held := against.get(line.invoice):
            statement.held[line.invoice] = sorted(held)
        else:
            statement.held.pop(line.invoice, None)
    statement.instalments.append(Instalment(event.instalment, event.key, event.key_version, lines))


def evolve_reduced(draft: Draft, event: StatementLineReduced) -> None:
    statement = statements.of(draft, names.statement(event), event.area)
    number, off = int(event.payable_ref.rpartition("/")[2]), fens(event.amounts)
    for instalment in statement.instalments:
        for entry in instalment.lines if instalment.number == number else ():
            if entry.invoice == event.invoice:
                parts = instalment.parts(entry)
                entry.parts = {fund: part - off.get(fund, 0) for fund, part in parts.items()}
                entry.left = sum(entry.parts.values())
