"""What follows for statements from a day alone: waiting ones, mismatches, silence, deadlines. Pure.

Source: R3.3, R10, c.2 (40-43).
"""

from collections.abc import Iterator
from datetime import date, timedelta

from direct_pay import clock, policy
from direct_pay.invoices import invoice as invoices
from direct_pay.names import Name
from direct_pay.names import statement as name_of
from direct_pay.statements import disputing, requesting, submitting
from direct_pay.statements import statement as statements
from direct_pay.statements.statement import LOOKED_AT, STATEMENTS, Statement, about
from medfund import money
from medfund.events.kinds import Event, Place
from medfund.events.statements import StatementDeadlineApproaching, StatementDeadlineBreached
from medfund.events.time import DayOpened
from medfund.lanes.days import CALENDAR
from medfund.lanes.draft import Draft


def day_opened(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    day = event.date
    yield from invoices.waited(draft, day, cause)
    # Of what is said later in the same batch there is no statement yet.
    for name in sorted(draft[LOOKED_AT] & draft[STATEMENTS].keys()):
        statement = draft[STATEMENTS][name]
        if statement.waiting:
            yield from submitting.answered(draft, name, day, cause)
        if statement.status != "MATCHED":
            continue
        if statement.is_mismatched:
            yield from disputing.rematched(draft, name, day, cause)
        yield from submitting.silent(draft, name, day, cause)
        yield from _deadline(draft, name, statement, day, cause)


def _deadline(draft: Draft, name: Name, statement: Statement, day: date, cause: Place) -> Iterator[Event]:
    due, chosen = statement.first_due(), policy.on(draft, statement.area, day)
    if due is None or chosen is None or statement.breached == due:
        return
    is_breached = day >= clock.told_by(draft.known[CALENDAR], due, chosen.statement_days) and day > due
    is_near = statement.warned != due and day <= due <= day + timedelta(days=chosen.warn_days)
    if (is_breached or is_near) and (unpaid := _unpaid(draft, name, statement, due)):
        told = StatementDeadlineBreached if is_breached else StatementDeadlineApproaching
        yield told(**about(name, statement, cause), due=due, unpaid=money.yuan(unpaid))


def _unpaid(draft: Draft, name: Name, statement: Statement, due: date) -> int:
    asked = sum([entry.unpaid for one in statement.instalments for entry in one.lines if entry.due <= due])
    found = requesting.payable(draft, name, statement) if statement.is_pending else ()
    return asked + sum([line.fen for line in found if line.due <= due])


def evolve_approaching(draft: Draft, event: StatementDeadlineApproaching) -> None:
    statements.of(draft, name_of(event), event.area).warned = event.due


def evolve_breached(draft: Draft, event: StatementDeadlineBreached) -> None:
    statements.of(draft, name_of(event), event.area).breached = event.due
