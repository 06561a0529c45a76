"""What a provider says to a finding, over HTTP."""

from clearing.audit.api import post_appeals
from medfund.http.api import Api
from medfund.http.tokens import Role

API = Api(
    endpoints=(post_appeals,),
    roles={
        "appeal": frozenset({Role.provider}),
    },
    commands=(post_appeals.KIND,),
)
