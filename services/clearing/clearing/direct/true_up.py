"""A fund takes over what another one cannot recover from a hospital's payables of its own. Pure.

What stays true: nothing is taken over but what is due, the oldest first; the two funds owe each other so much until it
is paid in cash. Source: R3.5, R10, c.2 (63), c.4, edge case 65.
"""

from collections.abc import Iterator

from clearing.dimensions import disputed
from clearing.direct.statement import statements
from clearing.payments.making_way import fallen_due
from medfund import money
from medfund.events.direct import InterFundTruedUp, InterFundTrueUpAgreed
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft


def agreed(draft: Draft, event: InterFundTrueUpAgreed, cause: Place) -> Iterator[Event]:
    """It is due there at once: what the hospital is owed in that fund makes way."""
    purse, left = (event.provider, event.area), money.fen(event.amount)
    due = [(one, one.own_due.get(event.from_fund, 0)) for one in statements(draft, purse)]
    if (most := sum(fen for _, fen in due)) < left:
        detail = f"fund {event.from_fund}: {money.yuan(most)} is due of {event.provider}, not {event.amount}"
        yield disputed(event, cause, detail)
        return
    for one, fen in due:
        if taken := min(fen, left):
            left -= taken
            yield InterFundTruedUp(
                **one.fields(cause, [event.from_fund]),
                payable_ref=one.ref,
                from_fund=event.from_fund,
                to_fund=event.to_fund,
                amounts={event.from_fund: money.yuan(taken)},
                value_date=event.agreed_on,
            )
    reason = f"fund {event.to_fund} has taken over what is owed to fund {event.from_fund}"
    yield from fallen_due(draft, purse, [event.to_fund], cause, reason)
