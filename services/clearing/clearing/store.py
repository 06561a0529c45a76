"""What a batch of events needs, shelf by shelf: a later one reads with what the earlier ones found. First what events
name, then whose that is and what else is open of those, then what of their orders may have to make way."""

from collections.abc import Sequence

from clearing.audit import store as audit
from clearing.capabilities import CAPABILITIES
from clearing.claims import store as claims
from clearing.opening import store as opening
from clearing.payments import store as payments
from clearing.prepayment import store as prepayment
from clearing.supervision import store as supervision
from medfund.lanes import kept
from medfund.lanes.shelf import Shelf

SHELVES: Sequence[Shelf] = (
    kept.Facts(CAPABILITIES),
    kept.Providers(),
    kept.OpenDay(),
    payments.Payees(),
    claims.Settlements(),
    payments.Payments(),
    payments.Retries(),
    opening.Lines(),
    payments.Suspense(),
    payments.Moves(),
    prepayment.Prepayments(),
    prepayment.Orders(),
    claims.Claims(),
    claims.Leads(),
    claims.Submissions(),
    claims.Rejections(),
    supervision.Recoveries(),
    opening.Openings(),
    audit.Audited(),
    payments.Orders(),
    audit.Findings(),
    audit.Settlements(),
)
