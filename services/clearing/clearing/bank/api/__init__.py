"""Whether a day of the bank adds up, and what nobody has placed, over HTTP."""

from clearing.bank.api import get_reconciliations, get_suspense, post_suspense_placings
from medfund.events import payments
from medfund.http.api import Api
from medfund.http.tokens import AGENCY, PAYERS

API = Api(
    endpoints=(get_reconciliations, get_suspense, post_suspense_placings),
    roles={
        "reconciliations": AGENCY,
        "suspense": AGENCY,
        "place": PAYERS,
    },
    commands=(post_suspense_placings.KIND,),
    declines=(payments.SuspensePlacingRefused,),
)
