"""Why something is declined, in Chinese: what sort of thing is wrong."""

from medfund.http import declining

BY_CODE = {
    "NOT_WAITING": "该付款单不在待审批状态",
    "REQUESTER": "申请人不得审批本人申请的付款",
    "TWICE": "该审批人已审批过，须由另一人审批",
    "MANDATE": "经办人在该统筹区当日没有有效授权",
    "LIMIT": "超出审批人的授权限额",
    "ROLE": "审批人中须有一名审批岗人员",
}
BY_WORDS = {
    r"mandate|no day has been opened": BY_CODE["MANDATE"],
    "another one confirms|one approver": "须由另一人办理",
    "already|before|named twice": "该事项已办理，不能重复办理",
    "more than|less than|is upheld of|the payments make": "金额与可办理的金额不符",
    "there is no |has no |is no |^no |^nothing |not registered": "所指的事项不存在或已办结",
    "being paid|was paid|not sent|came back|undone in|cannot be|is over|is approved": "所处环节不允许办理",
}
"""Where no code says it: the first whose words stand in the detail."""
declined = declining.by(BY_CODE, BY_WORDS)
