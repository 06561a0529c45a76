"""A claim's page, its deadlines and its statement, over HTTP."""

from clearing.statement.api import get_claim, get_deadlines, get_statement
from medfund.http.api import Api
from medfund.http.tokens import READERS

API = Api(
    endpoints=(get_claim, get_deadlines, get_statement),
    roles={
        "claim": READERS,
        "deadlines": READERS,
        "statement": READERS,
    },
)
