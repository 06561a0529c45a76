"""What the clearing service is composed of, in the order in which its capabilities listen."""

from collections.abc import Sequence

from clearing import (
    audit,
    claims,
    days,
    instant,
    offsets,
    opening,
    payments,
    policy,
    prepayment,
    providers,
    supervision,
)
from clearing.capability import Capability
from clearing.state import Draft, Known
from medfund.events.kinds import Event
from medfund.lanes.capability import listeners

CAPABILITIES: Sequence[Capability] = (
    providers.CAPABILITY,
    policy.CAPABILITY,
    payments.CAPABILITY,
    payments.SUSPENSE,
    payments.CASH,
    offsets.CAPABILITY,
    claims.CAPABILITY,
    instant.CAPABILITY,
    audit.CAPABILITY,
    supervision.CAPABILITY,
    days.CAPABILITY,
    prepayment.CAPABILITY,
    opening.CAPABILITY,
    prepayment.HISTORY,
)
KEEPS = listeners([one.keeps for one in CAPABILITIES])
LEARNS = listeners([one.learns for one in CAPABILITIES])
ANSWERS = listeners([one.answers for one in CAPABILITIES])
EVOLVES = listeners([one.evolves for one in CAPABILITIES])
LARGE = frozenset(type_ for one in CAPABILITIES for type_ in one.large)
_PAYABLES = {payable: kind for one in CAPABILITIES for payable, kind in one.payables.items()}
_ITEMS = {account: kind for one in CAPABILITIES for account, kind in one.items.items()}


def begin(known: Known) -> Draft:
    """A batch of a lane of which so much is known."""
    return Draft(known, _PAYABLES, _ITEMS, admitted=dict(known.areas))


def known_after(known: Known, fact: Event) -> Known:
    """What is known after a fact that is kept as it came."""
    for keep in KEEPS.get(type(fact), ()):
        known = keep(known, fact)
    return known
