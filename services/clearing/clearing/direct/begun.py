"""What the books began with of suppliers: owed to one, by one, or by a hospital for one. Pure. Source: R10, c.2 (67).

What stays true: each is open as any other, but without lines; a hospital's is due at once.
"""

from collections.abc import Iterator

from clearing import dimensions, names
from clearing.direct.payees import payee_of
from clearing.direct.statement import DIRECT, Debt, Statement
from clearing.funds import Fens, fens
from clearing.payments.making_way import fallen_due
from medfund.events.kinds import Event, Place
from medfund.events.openings import OpeningItemRecorded, OpeningItemTaken
from medfund.lanes.draft import Draft

FIRST = -1
"""Where it came into being: before every offset of the log."""


def recorded(draft: Draft, event: OpeningItemRecorded, cause: Place) -> Iterator[Event]:
    """What a hospital owes is taken from what is ordered and not sent; a supplier is paid when the next day opens."""
    if event.accounts[0].account == "1103" and names.item(event) in draft[DIRECT]:
        reason = f"{event.item_ref} is owed"
        yield from fallen_due(draft, (event.provider, event.area), event.accounts[0].amounts, cause, reason)


def evolve(draft: Draft, event: OpeningItemTaken) -> None:
    if event.kind == "DIRECT":
        one = _debt(event) if event.accounts[0].account == "1109" else _statement(draft, event)
        draft[DIRECT].put(one.name, one)


def _debt(event: OpeningItemTaken) -> Debt:
    return Debt(
        ref=event.item_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=FIRST,
        cut_off=event.value_date,
        supplier=event.supplier or "",
        due=fens(event.accounts[0].amounts),
    )


def _statement(draft: Draft, event: OpeningItemTaken) -> Statement:
    """One that is owed to a supplier has nothing that its hospital owes, which is an item of its own; and the other way
    round."""
    [part] = event.accounts
    amounts = fens(part.amounts)
    nothing: Fens = {}
    return Statement(
        ref=event.item_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=FIRST,
        cut_off=event.value_date,
        payable=amounts if part.account == "2105" else nothing,
        supplier=event.supplier or "",
        statement_ref=event.item_ref,
        funds=sorted(amounts),
        due_on=event.value_date,
        approved_on=None,
        paid_to=payee_of(draft, event.area, event.supplier or "", names.item(event)),
        supplied=amounts,
        charged=amounts if part.account == "1103" else nothing,
    )
