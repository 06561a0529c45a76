"""Where a red letter hits: what is not paid yet, what is paid, what the hospital has given back. Pure.

What stays true: what is not recovered is hit first; what is on its way to the supplier counts as paid, what is netted
with it does not, and what is not sent makes way; a hospital gets back what it gave for goods that are taken back.
Source: R3.7, R10, c.4.
"""

from collections.abc import Iterator

from clearing import names
from clearing import payable as payables
from clearing.dimensions import disputed
from clearing.direct import limits, statement
from clearing.direct.paying import owe
from clearing.direct.statement import DIRECT, LINES, Followed, GivenBack, Hit, Statement
from clearing.funds import Fens, added, fens, first_above, positive, yuans
from clearing.names import Name
from clearing.payments.orders import cancel, pay_out
from medfund.events.direct import RedLetterApplied, RedLetterFollowed
from medfund.events.kinds import Event, Place
from medfund.events.statements import StatementLineReduced
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft


def reduced(draft: Draft, event: StatementLineReduced, cause: Place) -> Iterator[Event]:
    one, amounts = statement.named(draft, names.payable(event)), positive(fens(event.amounts))
    lines = draft[LINES].get(names.payable(event), [])
    number = statement.number_of(lines, event.invoice)
    if one is None or number is None:
        yield disputed(event, cause, f"{event.payable_ref} has no invoice {event.invoice}")
    elif (fund := first_above(amounts, statement.charged(one, lines[number]))) is not None:
        yield disputed(event, cause, f"fund {fund}: less than {event.amounts[fund]} is left of {event.invoice}")
    else:
        yield from _applied(draft, one, number, event, amounts, cause)


def _applied(
    draft: Draft, one: Statement, number: int, event: StatementLineReduced, amounts: Fens, cause: Place
) -> Iterator[Event]:
    reason = f"red letter {event.red} takes back of {event.invoice}"
    for fund in amounts:
        yield from cancel(draft, one, cause, fund, reason)
    for part in statement.followed(one, draft[LINES][one.name], number, amounts):
        yield _followed(draft, one, part, event, cause)
        amounts = added(amounts, {part.fund: part.paid + part.came_back}, -1)
    parts = statement.hit(one, draft[LINES][one.name], number, amounts)
    if amounts:
        yield _hit(draft, one, parts, event, amounts, cause)
    mine = (other for other in statement.statements(draft, one.dimensions.purse) if other.supplier == one.supplier)
    for other in sorted(mine, key=lambda other: other is not one):
        for fund in statement.unreserved(draft, other):
            yield from cancel(draft, other, cause, fund, reason)
        yield from pay_out(draft, other, cause)
    back = payables.find(draft, Name(one.dimensions.provider, statement.given_back_ref(one.ref)))
    if back is not None:
        yield from pay_out(draft, back, cause)
    yield from limits.reconsidered(draft, one.dimensions.purse, cause)


def _hit(draft: Draft, one: Statement, parts: Hit, event: StatementLineReduced, amounts: Fens, cause: Place) -> Event:
    owed_back = statement.given_back_ref(one.ref) if parts.owed_back else None
    return RedLetterApplied(
        **one.fields(cause, amounts),
        supplier=one.supplier,
        payable_ref=one.ref,
        invoice=event.invoice,
        red=event.red,
        amounts=yuans(amounts),
        unpaid=yuans(parts.unpaid),
        paid=yuans(parts.paid),
        recovered=yuans(parts.recovered),
        came_back=yuans(parts.came_back),
        applied_on=draft.known[TODAY] or one.due_on,
        owed_back_in=owed_back,
    )


def _followed(draft: Draft, one: Statement, part: Followed, event: StatementLineReduced, cause: Place) -> Event:
    """In the fund that took it over, what the hospital owes still is hit first."""
    still = one.over.get(part.into, 0)
    owed = min(part.paid, still)
    given_back = max(0, part.came_back - (still - owed))
    owed_back = statement.given_back_ref(one.ref) if part.paid > owed or given_back else None
    return RedLetterFollowed(
        **one.fields(cause, [part.fund]),
        supplier=one.supplier,
        payable_ref=one.ref,
        invoice=event.invoice,
        red=event.red,
        from_fund=part.fund,
        to_fund=part.into,
        amounts=yuans({part.fund: part.paid + part.came_back}),
        paid=yuans(positive({part.fund: part.paid})),
        owed=yuans(positive({part.into: owed})),
        recovered=yuans(positive({part.into: part.paid - owed})),
        undone=yuans(positive({part.fund: part.came_back})),
        given_back=yuans(positive({part.into: given_back})),
        applied_on=draft.known[TODAY] or one.due_on,
        owed_back_in=owed_back,
    )


def evolve_followed(draft: Draft, event: RedLetterFollowed) -> None:
    one: Statement = draft[DIRECT].change(names.payable(event))
    statement.follow(one, draft[LINES].change(one.name), event)
    if debt := added(fens(event.owed), fens(event.recovered)):
        owe(draft, one, debt, event.cause)
    if event.owed_back_in is not None:
        back = _given_back(draft, one, event, event.owed_back_in)
        back.payable = added(back.payable, added(fens(event.recovered), fens(event.given_back)))


def evolve(draft: Draft, event: RedLetterApplied) -> None:
    one: Statement = draft[DIRECT].change(names.payable(event))
    statement.reduced(one, draft[LINES].change(one.name), event)
    if debt := added(fens(event.paid), fens(event.recovered)):
        owe(draft, one, debt, event.cause)
    if event.owed_back_in is not None:
        back = _given_back(draft, one, event, event.owed_back_in)
        back.payable = added(back.payable, added(fens(event.recovered), fens(event.came_back)))


def _given_back(draft: Draft, one: Statement, event: RedLetterApplied | RedLetterFollowed, ref: str) -> GivenBack:
    """One for each statement, however many red letters come."""
    name = Name(one.dimensions.provider, ref)
    if name not in draft[DIRECT]:
        back = GivenBack(
            ref=ref, dimensions=one.dimensions, policy_ref=one.policy_ref, opened=event.cause.offset,
            cut_off=event.applied_on or one.due_on,
        )  # fmt: skip
        draft[DIRECT].put(name, back)
    found: GivenBack = draft[DIRECT].change(name)
    return found
