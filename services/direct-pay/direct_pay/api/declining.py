"""Why something is declined, in Chinese: what sort of thing is wrong."""

from medfund.http import declining

BY_CODE = {
    "MANDATE": "经办人在该统筹区当日没有有效授权",
    "LIMIT": "超出审批人的授权限额",
    "NAME_TAKEN": "该对账单编号已使用",
    "NO_INVOICE": "发票未登记",
    "NOT_YOURS": "发票不属于该企业",
    "IN_ANOTHER": "发票已列入其他对账单",
    "AMOUNT": "发票金额不符",
    "NOTHING_LEFT": "发票已全额红冲",
}
BY_WORDS = {
    r"mandate|no day has been opened": BY_CODE["MANDATE"],
    "submitted it|another one": "须由另一人办理",
    "already|before|twice": "该事项已办理，不能重复办理",
    "more than|less than": "金额与可办理的金额不符",
    "there is no |has no |is no |^no |^nothing |not registered|not in ": "所指的事项不存在或已办结",
    "requested|withdrawn|confirmed|is paid|cannot be": "所处环节不允许办理",
}
"""Where no code says it: the first whose words stand in the detail."""
declined = declining.by(BY_CODE, BY_WORDS)
