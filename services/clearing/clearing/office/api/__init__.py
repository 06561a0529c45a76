"""Who may approve what, and what two of the office say, over HTTP."""

from clearing.office.api import get_mandates, get_proposals, post_proposal_approvals, post_proposals, proposals
from medfund.http.api import Api
from medfund.http.tokens import AGENCY, Role

API = Api(
    endpoints=(get_mandates, get_proposals, post_proposals, post_proposal_approvals),
    roles={
        "mandates": AGENCY | {Role.office},
        "proposals_of_the_office": AGENCY | {Role.office},
        "propose": frozenset({Role.office}),
        "approve_proposal": frozenset({Role.office}),
    },
    commands=tuple(proposals.COMMANDS.values()),
)
