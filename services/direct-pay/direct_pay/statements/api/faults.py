"""What is wrong with a line of a statement, in words."""

from collections.abc import Mapping

from medfund.http.answers import Name

CODES: Mapping[str, Name] = {
    "NO_ORDER": Name(zh="无对应订单", en="no such order"),
    "NOT_ORDERED": Name(zh="发货超过订购", en="more was sent than ordered"),
    "NOT_SHIPPED": Name(zh="验收超过发货", en="more was taken in than sent"),
    "NOT_ACCEPTED": Name(zh="尚未验收", en="not taken in"),
    "TOO_MANY": Name(zh="开票超过验收", en="more is invoiced than was taken in"),
    "PRODUCT": Name(zh="产品不符", en="another product"),
    "PRICE": Name(zh="价格不符", en="another price"),
    "AMOUNT": Name(zh="金额不符", en="another amount"),
    "SUPPLIER": Name(zh="非协议配送企业", en="not the contracted supplier"),
    "SCOPE": Name(zh="不在直接结算范围", en="outside the scope"),
    "MANDATE": Name(zh="医疗机构未授权", en="the hospital had given no mandate"),
    "CONTRACT": Name(zh="无有效合同", en="no contract"),
    "TWO_INVOICES": Name(zh="违反两票制", en="against the two-invoice rule"),
    "DATES": Name(zh="日期不符", en="days that cannot be"),
    "BY_HOSPITAL": Name(zh="医疗机构提出异议", en="disputed by the hospital"),
    "BY_AGENCY": Name(zh="经办机构提出异议", en="disputed by the agency"),
}
