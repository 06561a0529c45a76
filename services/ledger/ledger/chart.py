"""Chart of accounts: what the codes mean and on which side they grow (domain.md c.3).

Two books. OPS is accrual, what people work with; STAT is cash basis, the statutory view. The codes are ours; the map
to the official codes is data of the customer's finance department.
"""

from dataclasses import dataclass
from typing import Literal

Book = Literal["OPS", "STAT"]
BOOKS: tuple[Book, ...] = ("OPS", "STAT")


@dataclass(frozen=True)
class Account:
    code: str
    zh: str
    en: str
    normal: Literal["debit", "credit"]
    book: Book


def _ops(code: str, zh: str, en: str, normal: Literal["debit", "credit"]) -> Account:
    return Account(code, zh, en, normal, "OPS")


def _stat(code: str, zh: str, en: str, normal: Literal["debit", "credit"]) -> Account:
    return Account(code, zh, en, normal, "STAT")


INCOME = _ops("1001", "收入户存款", "Income account", "debit")
EXPENDITURE = _ops("1002", "支出户存款", "Expenditure account", "debit")
FISCAL = _ops("1003", "财政专户存款", "Fiscal special account", "debit")
PREPAYMENT = _ops("1101", "暂付款—医保预付金", "Provider prepayment", "debit")
BULK_PREPAYMENT = _ops("1102", "暂付款—集采预付金", "Bulk-purchase prepayment", "debit")
DIRECT_ADVANCE = _ops("1103", "暂付款—直接结算资金", "Direct-settlement advance (hospital owes)", "debit")
INSTANT_ADVANCE = _ops("1104", "暂付款—即时结算预拨", "Instant-settlement advance", "debit")
CROSS_REGION_PREPAID = _ops("1105", "暂付款—异地就医预付金", "Cross-region prepayment paid", "debit")
CROSS_REGION_RECEIVABLE = _ops("1106", "应收异地清算款", "Cross-region receivable", "debit")
RECOVERY = _ops("1107", "应收追回款", "Recovery receivable", "debit")
CLEARING_RECEIVABLE = _ops("1108", "应收年度清算退款", "Clearing receivable (provider owes)", "debit")
SUPPLIER_REFUND = _ops("1109", "应收医药企业退款", "Supplier refund receivable", "debit")
OTHER_PAYER = _ops("1110", "暂付款—大病/救助垫付", "Advance for other payer", "debit")
DUE_FROM_FUND = _ops("1120", "应收其他险种基金", "Due from other fund", "debit")
SUSPENSE_OUT = _ops("1190", "待查付款", "Suspense (debit)", "debit")
PAYABLE_UNCLAIMED = _ops("2100", "应付定点机构—未申报", "Payable, recorded and not yet claimed", "credit")
PAYABLE_IN_REVIEW = _ops("2101", "应付定点机构—待审", "Payable, pending review", "credit")
PAYABLE_APPROVED = _ops("2102", "应付定点机构—已审定", "Payable, approved", "credit")
QUALITY_BOND = _ops("2103", "应付质量保证金", "Quality bond payable", "credit")
CLEARING_PAYABLE = _ops("2104", "应付年度清算款", "Clearing payable", "credit")
SUPPLIER_PAYABLE = _ops("2105", "应付代付货款", "On-behalf payable to supplier", "credit")
CROSS_REGION_PAYABLE = _ops("2106", "应付异地清算款", "Cross-region payable", "credit")
CROSS_REGION_RECEIVED = _ops("2107", "暂收款—异地预付金", "Cross-region prepayment received", "credit")
PAYABLE_ON_HOLD = _ops("2108", "应付暂缓拨付", "Payable on hold", "credit")
PERSON_PAYABLE = _ops("2109", "应付个人报销", "Payable to person (token)", "credit")
DUE_TO_FUND = _ops("2120", "应付其他险种基金", "Due to other fund", "credit")
SUSPENSE_IN = _ops("2190", "暂收款—待查", "Unidentified receipt", "credit")
FUND_BALANCE = _ops("3001", "基金结余", "Fund balance (per fund)", "credit")
OTHER_INCOME = _ops("4001", "其他收入", "Other income (prior-year recovery, breach money)", "credit")
BENEFIT_EXPENSE = _ops("5001", "社会保险待遇支出", "Benefit expense", "debit")
CLEARING_ADJUSTMENT = _ops("5002", "年度清算调整", "Clearing adjustment", "debit")
INSURER_PREMIUM = _ops("5003", "大病—划转保费", "Transfer to serious-illness insurer", "debit")
OTHER_EXPENDITURE = _ops("5004", "其他支出", "Other expenditure (fees of the fund's own accounts)", "debit")
FINES = _ops("9001", "备查: 罚款", "Memo: fines", "debit")
FINES_CONTRA = _ops("9901", "备查: 罚款对方", "Memo: fines, contra", "credit")
ORDERS = _ops("9002", "备查: 订单承诺", "Memo: order commitments", "debit")
ORDERS_CONTRA = _ops("9902", "备查: 订单承诺对方", "Memo: order commitments, contra", "credit")
ARREARS = _ops("9003", "备查: 历史欠款", "Memo: hospital-supplier arrears", "debit")
ARREARS_CONTRA = _ops("9903", "备查: 历史欠款对方", "Memo: hospital-supplier arrears, contra", "credit")
BUDGET = _ops("9004", "备查: 预算额度", "Memo: budget control", "debit")
BUDGET_CONTRA = _ops("9904", "备查: 预算额度对方", "Memo: budget control, contra", "credit")

CASH_EXPENDITURE = _stat("EXP_CASH", "支出户存款", "Expenditure account", "debit")
CASH_FISCAL = _stat("FISCAL_CASH", "财政专户存款", "Fiscal special account", "debit")
TEMP_PREPAY = _stat("TEMP_PREPAY", "暂付款—医保预付金", "Temporary payment: provider prepayment", "debit")
TEMP_VBP = _stat("TEMP_VBP", "暂付款—集采预付金", "Temporary payment: bulk-purchase prepayment", "debit")
TEMP_DIRECT = _stat("TEMP_DIRECT", "暂付款—直接结算资金", "Temporary payment: direct settlement", "debit")
TEMP_INSTANT = _stat("TEMP_INSTANT", "暂付款—即时结算预拨", "Temporary payment: instant settlement", "debit")
TEMP_XR = _stat("TEMP_XR", "暂付款—异地就医预付金", "Temporary payment: cross-region prepayment", "debit")
TEMP_VISITOR = _stat("TEMP_VISITOR", "暂付款—异地就医", "Temporary payment: visitors", "debit")
TEMP_OTHER = _stat("TEMP_OTHER", "暂付款—其他支付方", "Temporary payment: other payers", "debit")
TEMP_FUND = _stat("TEMP_FUND", "暂付款—其他险种基金", "Temporary payment: other fund", "debit")
TEMP_SUSPENSE = _stat("TEMP_SUSPENSE", "暂付款—待查", "Temporary payment: suspense", "debit")
RECV_XR = _stat("RECV_XR", "暂收款—异地预付金", "Temporary receipt: cross-region prepayment", "credit")
RECV_FUND = _stat("RECV_FUND", "暂收款—其他险种基金", "Temporary receipt: other fund", "credit")
RECV_SUSPENSE = _stat("RECV_SUSPENSE", "暂收款—待查", "Temporary receipt: suspense", "credit")
EXPENSE = _stat("EXPENSE", "待遇支出", "Benefit expense", "debit")
INSURER_EXPENSE = _stat("INSURER_EXPENSE", "大病保险支出", "Serious-illness insurance expense", "debit")
STAT_OTHER_EXPENDITURE = _stat("OTHER_EXPENSE", "其他支出", "Other expenditure", "debit")
STAT_OTHER_INCOME = _stat("OTHER_INCOME", "其他收入", "Other income", "credit")
NET_ASSETS = _stat("FUND_BALANCE", "净资产", "Net assets", "credit")

ACCOUNTS: dict[str, Account] = {
    account.code: account for account in list(globals().values()) if isinstance(account, Account)
}

CASH_STAT: dict[str, Account] = {
    EXPENDITURE.code: CASH_EXPENDITURE,
    FISCAL.code: CASH_FISCAL,
    SUSPENSE_OUT.code: TEMP_SUSPENSE,
    SUSPENSE_IN.code: RECV_SUSPENSE,
}
"""Each bank account of OPS, and what stands in its place while nobody knows what the money was: one to one in STAT."""
