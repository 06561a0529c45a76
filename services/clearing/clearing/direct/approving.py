"""What direct-pay requests for a supplier is taken over. Pure. Source: R3.5, c.2 (43), c.4.

What stays true: a supplier is owed nothing but what was requested, each line split by the key of its instalment.
"""

from collections.abc import Iterator

from clearing import names
from clearing import payable as payables
from clearing.dimensions import disputed, fields
from clearing.direct import statement
from clearing.direct.payees import payee_of
from clearing.direct.statement import DIRECT, LINES
from clearing.funds import fens
from clearing.policy import POLICIES, NoPolicy
from medfund import money
from medfund.events.direct import StatementApproved
from medfund.events.kinds import Event, Place
from medfund.events.statements import StatementRequested
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft


def requested(draft: Draft, event: StatementRequested, cause: Place) -> Iterator[Event]:
    """Ordered when the next day opens."""
    today = draft.known[TODAY]
    if wrong := _wrong(draft, event):
        yield disputed(event, cause, wrong)
        return
    try:
        policy = draft.known[POLICIES].on(event.area, today or event.due)
    except NoPolicy as error:
        yield disputed(event, cause, str(error))
        return
    year = (today or event.due).year
    whose = statement.dimensions_of(event.provider, event.area, [*event.key], year)
    yield StatementApproved(
        **fields(whose, event.amounts),
        cause=cause,
        policy_ref=policy.hash,
        supplier=event.supplier,
        payable_ref=event.payable_ref,
        statement_ref=event.statement_ref,
        instalment=event.instalment,
        amounts=event.amounts,
        key=event.key,
        key_version=event.key_version,
        lines=event.lines,
        due=event.due,
        approved_on=today,
        payee=payee_of(draft, event.area, event.supplier, names.payable(event)),
    )


def _wrong(draft: Draft, event: StatementRequested) -> str | None:
    if payables.find(draft, names.payable(event)) is not None:
        return f"{event.payable_ref} is known already"
    if not any(event.key.values()):
        return f"the key of {event.payable_ref} has no weight above zero"
    made = statement.sums(statement.split(event.lines, event.key), sorted(event.key))
    if made != {fund: fen for fund, fen in fens(event.amounts).items() if fen}:
        told = ", ".join(f"{fund} {money.yuan(fen)}" for fund, fen in made.items())
        return f"the key makes other amounts of the lines of {event.payable_ref}: {told}"
    return None


def evolve(draft: Draft, event: StatementApproved) -> None:
    approved, lines = statement.approved(event)
    draft[DIRECT].put(approved.name, approved)
    draft[LINES].put(approved.name, lines)
