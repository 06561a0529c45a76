"""What the clearing service is composed of, in the order in which its capabilities listen."""

from collections.abc import Sequence

from clearing import audit, claims, instant, offsets, opening, payable, payments, policy, prepayment, supervision
from clearing import days as of_days
from clearing.capability import Capability as OfClearing
from clearing.offsets import kinds
from medfund.lanes import days, providers
from medfund.lanes.capability import Capability
from medfund.lanes.draft import Known

CAPABILITIES: Sequence[Capability] = (
    providers.CAPABILITY,
    days.CAPABILITY,
    policy.CAPABILITY,
    payments.CAPABILITY,
    payments.SUSPENSE,
    payments.CASH,
    offsets.CAPABILITY,
    claims.CAPABILITY,
    instant.CAPABILITY,
    audit.CAPABILITY,
    supervision.CAPABILITY,
    of_days.CAPABILITY,
    prepayment.CAPABILITY,
    opening.CAPABILITY,
    prepayment.HISTORY,
)
REPAID = {
    kind.repaid.placed_as: kind.repaid
    for one in CAPABILITIES
    if isinstance(one, OfClearing)
    for kind in one.payables.values()
    if kind.repaid
}
"""What providers pay back in cash, by what people place it as."""


def known_of(capabilities: Sequence[Capability]) -> Known:
    """What is known of a lane before anybody has said anything of it: kinds of payables and of open items."""
    mine = [one for one in capabilities if isinstance(one, OfClearing)]
    return Known(
        {
            payable.KINDS: {type_: kind for one in mine for type_, kind in one.payables.items()},
            kinds.KINDS: {account: kind for one in mine for account, kind in one.items.items()},
        }
    )
