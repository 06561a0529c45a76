"""What the clearing service is composed of: capabilities, in the order in which they listen, and shelves, in the order
in which they are read."""

from collections.abc import Sequence

from clearing import (
    audit,
    claims,
    direct,
    instant,
    offsets,
    opening,
    payable,
    payments,
    policy,
    prepayment,
    supervision,
)
from clearing import days as of_days
from clearing.audit import store as audit_store
from clearing.capability import Capability as OfClearing
from clearing.claims import store as claims_store
from clearing.direct import store as direct_store
from clearing.offsets import kinds
from clearing.opening import store as opening_store
from clearing.payments import store as payments_store
from clearing.prepayment import store as prepayment_store
from clearing.supervision import store as supervision_store
from medfund.lanes import days, kept, providers
from medfund.lanes.capability import Capability
from medfund.lanes.draft import Known
from medfund.lanes.shelf import Shelf

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
    direct.CAPABILITY,
)
REPAID = {
    kind.repaid.placed_as: kind.repaid
    for one in CAPABILITIES
    if isinstance(one, OfClearing)
    for kind in one.payables.values()
    if kind.repaid
}
"""What providers pay back in cash, by what people place it as."""
SHELVES: Sequence[Shelf] = (
    kept.Facts(CAPABILITIES),
    kept.Providers(),
    kept.OpenDay(),
    payments_store.Payees(),
    claims_store.Settlements(),
    # what events name
    payments_store.Payments(),
    payments_store.Retries(),
    opening_store.Lines(),
    payments_store.Suspense(),
    payments_store.Moves(),
    # what that pays, and what else is open of those whose it is
    direct_store.Direct(),
    prepayment_store.Prepayments(),
    prepayment_store.Orders(),
    claims_store.Claims(),
    claims_store.Leads(),
    claims_store.Submissions(),
    claims_store.Rejections(),
    supervision_store.Recoveries(),
    opening_store.Openings(),
    audit_store.Findings(),
    audit_store.Settlements(),
    # which of their orders may have to make way
    audit_store.Audited(),
    payments_store.Orders(),
)


def known_of(capabilities: Sequence[Capability]) -> Known:
    """What is known of a lane before anybody has said anything of it: kinds of payables and of open items."""
    mine = [one for one in capabilities if isinstance(one, OfClearing)]
    return Known(
        {
            payable.KINDS: {type_: kind for one in mine for type_, kind in one.payables.items()},
            kinds.KINDS: {account: kind for one in mine for account, kind in one.items.items()},
        }
    )
