"""Orders, over HTTP."""

from direct_pay.orders.api import post_order_confirmations
from medfund.http.api import Api
from medfund.http.tokens import Role

API = Api(
    endpoints=(post_order_confirmations,),
    roles={"confirm_order": frozenset({Role.supplier})},
    commands=(post_order_confirmations.KIND,),
)
