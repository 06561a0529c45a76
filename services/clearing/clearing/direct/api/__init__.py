"""What suppliers are paid on hospitals' behalf, over HTTP."""

from clearing.direct.api import get_exposures, get_supplier_payables, post_supplier_account_confirmations
from medfund.events.direct import SupplierAccountRefused
from medfund.http.api import Api
from medfund.http.tokens import PAYERS, READERS, Role

API = Api(
    endpoints=(get_supplier_payables, get_exposures, post_supplier_account_confirmations),
    roles={
        "supplier_payables": READERS | {Role.supplier},
        "exposures": READERS,
        "confirm_supplier_account": PAYERS,
    },
    commands=(post_supplier_account_confirmations.KIND,),
    declines=(SupplierAccountRefused,),
)
