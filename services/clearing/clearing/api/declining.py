"""Why something is declined, for people: the rules' own words, and in Chinese what sort of thing is wrong."""

import re

from medfund.http.context import Declined

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
"""What sort of thing is wrong, in Chinese, where no code says it: the first whose words stand in the detail."""
NAMES = re.compile(r"\S*[-_/\d]\S*")


def declined(detail: str, code: str | None = None) -> Declined:
    """What exactly is wrong is in the detail, whose names say nothing of the kind."""
    said = NAMES.sub("", detail)
    kinds = (zh for words, zh in BY_WORDS.items() if re.search(words, said))
    return Declined(detail, f"{BY_CODE.get(code or '') or next(kinds, '与系统现有记录不符')}，详见 detail", code)
