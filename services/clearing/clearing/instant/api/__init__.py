"""How much of the expense is paid at once, over HTTP."""

from clearing.instant.api import get_coverage
from medfund.http.api import Api
from medfund.http.tokens import AGENCY

API = Api(
    endpoints=(get_coverage,),
    roles={
        "coverage": AGENCY,
    },
)
