"""What examples are made of: a claim of a month like that of R1.5, of one hospital."""

from collections.abc import Mapping

from medfund.http import examples

POSITIONS = {"3": {"agency": 57, "bank": 12, "claims": 30718, "clearing": 96, "reviews": 41, "time": 66}}
PROVIDER, PROVIDER_NAME = "H15250200017", "锡林郭勒盟示例医院"
AREA, POLICY = "152500", "c24042fb9f533189" + "0" * 48
BATCH = "H15250200017-310-21-202601"
PAYMENT = f"{BATCH}/P1/310100"
FUNDS = {
    "310100": examples.name("职工基本医疗保险统筹基金", "Employee insurance, pooled fund"),
    "310200": examples.name("职工基本医疗保险个人账户", "Employee insurance, personal accounts"),
}


def funds(amounts: Mapping[str, str]) -> list[examples.Json]:
    return [{"fund": fund, "fund_name": FUNDS[fund], "amount": amount} for fund, amount in amounts.items()]
