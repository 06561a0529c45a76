"""What will leave the accounts, and what the treasury is asked for, over HTTP."""

from clearing.treasury.api import get_outflows, get_treasury_requests, post_treasury_requests
from medfund.http.api import Api
from medfund.http.tokens import AGENCY, PAYERS

API = Api(
    endpoints=(get_outflows, get_treasury_requests, post_treasury_requests),
    roles={
        "outflows": AGENCY,
        "treasury_requests": AGENCY,
        "request_funds": PAYERS,
    },
    commands=(post_treasury_requests.KIND,),
)
