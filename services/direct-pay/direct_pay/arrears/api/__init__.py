"""The register of arrears, over HTTP."""

from direct_pay.arrears.api import get_arrears
from medfund.http.api import Api
from medfund.http.tokens import READERS, Role

API = Api(endpoints=(get_arrears,), roles={"arrears": READERS | {Role.supplier}})
