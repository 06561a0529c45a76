"""What was claimed, what is doubtful of what was recorded, and what is taken back, over HTTP."""

from clearing.claims.api import get_claims, get_doubtful_settlements, post_withdrawals
from medfund.http.api import Api
from medfund.http.tokens import READERS, Role

API = Api(
    endpoints=(get_claims, get_doubtful_settlements, post_withdrawals),
    roles={
        "claims": READERS,
        "doubtful_settlements": READERS,
        "withdraw": frozenset({Role.provider}),
    },
    commands=(post_withdrawals.KIND,),
)
