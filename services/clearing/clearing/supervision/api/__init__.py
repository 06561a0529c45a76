"""What has to be given back, and what is held, over HTTP."""

from clearing.supervision.api import get_recoveries, post_holds
from medfund.http.api import Api
from medfund.http.tokens import PAYERS, READERS

API = Api(
    endpoints=(get_recoveries, post_holds),
    roles={
        "recoveries": READERS,
        "hold": PAYERS,
        "release": PAYERS,
    },
    commands=(post_holds.HOLDING, post_holds.RELEASING),
    examples={"Given": post_holds.GIVEN, "CommandAnswer": post_holds.OUTCOME},
)
