"""Why money is in suspense: what decisions say in English, and the same in Chinese. Pure.

What stays true: a reason on the log is read as it was written; what none of these sentences is stands for itself.
"""

import re
from collections.abc import Mapping

UNPLACED = "没有可对应的付款或收款"
NOT_ORDERED = "no payment {} was ordered"
FAILED = "payment {} is FAILED: the bank paid it all the same"
CANCELLED = "payment {} is CANCELLED: the bank paid it all the same"
MORE_THAN_PAYMENT = "more than payment {}: it was paid before, or is less"
MORE_COMES_BACK = "more than was paid of {} comes back"
NOTHING_CAME_BACK = "nothing of {} came back that could be taken back"
MORE_THAN_OWED = "more came in than is owed of case {}"
NO_RECOVERY = "there is no recovery of case {}"
MORE_THAN_OUTSTANDING = "more than is outstanding of prepayment {}"
MORE_THAN_DUE = "more than is owed in cash of {}"
NOT_TAKEN_BACK = "{} is no open item that takes it back"

CHINESE: Mapping[str, str] = {
    NOT_ORDERED: "没有付款单 {}",
    FAILED: "付款单 {} 已支付失败，银行仍予支付",
    CANCELLED: "付款单 {} 已取消，银行仍予支付",
    MORE_THAN_PAYMENT: "超过付款单 {} 的应付金额，或该单此前已支付",
    MORE_COMES_BACK: "退回金额超过付款单 {} 的已付金额",
    NOTHING_CAME_BACK: "付款单 {} 没有可撤销的退款",
    MORE_THAN_OWED: "到账金额超过追回案件 {} 的应追回金额",
    NO_RECOVERY: "没有追回案件 {}",
    MORE_THAN_OUTSTANDING: "超过预付金 {} 的未收回金额",
    MORE_THAN_DUE: "超过 {} 的应收金额",
    NOT_TAKEN_BACK: "款项 {} 已认定或金额不同，不能与之对冲",
}
_SENTENCES = {re.compile(re.escape(english).replace(r"\{\}", "(.+)")): zh for english, zh in CHINESE.items()}


def both(reason: str) -> tuple[str, str]:
    """In Chinese and in English."""
    if reason == UNPLACED:
        return UNPLACED, "there is no payment or receipt that it could be"
    found = ((sentence.fullmatch(reason), zh) for sentence, zh in _SENTENCES.items())
    return next((zh.format(match[1]) for match, zh in found if match), reason), reason
