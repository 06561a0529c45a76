"""What examples are made of: a month's statement of one supplier to one hospital, as in R3.5."""

from collections.abc import Mapping

from medfund.events.purchases import A_BLUE, A_RED
from medfund.events.suppliers import A_PRODUCT, A_SUPPLIER
from medfund.http import examples

POSITIONS = {"3": {"agency": 57, "clearing": 96, "direct-pay": 640, "purchases": 30718, "time": 66}}
PROVIDER, PROVIDER_NAME = "H15250200017", "锡林郭勒盟示例医院"
SUPPLIER, SUPPLIER_NAME = A_SUPPLIER, "示例医药有限公司"
AREA, STATEMENT, ORDER = "152500", "DZ202609", "CG20260820000417"
BLUE, RED, PRODUCT = A_BLUE, A_RED, A_PRODUCT
WHOSE: examples.Json = {
    "area": AREA,
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "supplier": SUPPLIER,
    "supplier_name": SUPPLIER_NAME,
}
FUNDS = {
    "310100": examples.name("职工基本医疗保险统筹基金", "Employee insurance, pooled fund"),
    "390100": examples.name("城乡居民基本医疗保险基金", "Resident insurance fund"),
}


def funds(amounts: Mapping[str, str]) -> list[examples.Json]:
    return [{"fund": fund, "fund_name": FUNDS[fund], "amount": amount} for fund, amount in amounts.items()]
