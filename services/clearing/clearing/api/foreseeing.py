"""What the rules would answer to a command now, so that what is certain to be declined is not asked for at all.

The lane's own rules judge, on what the database knows in one snapshot. They may judge otherwise when the command comes
to its lane: that is told there. What is refused here is not kept, and its number stays free.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from clearing import capabilities, store
from clearing.service import Clearing
from medfund.events.codec import Accepted
from medfund.events.disputes import FactDisputed
from medfund.events.envelope import Outgoing
from medfund.events.kinds import Event
from medfund.events.payments import PaymentApprovalRefused, SuspensePlacingRefused
from medfund.http.context import Context
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes.sources import Sources

DECLINED = (FactDisputed, PaymentApprovalRefused, SuspensePlacingRefused)
EVERYBODY = Principal(subject="rules", role=Role.auditor, areas=(EVERYTHING,), organisations=(EVERYTHING,))
"""The rules look at more than whoever asks may see; only what is wrong with the command is told."""
NEWEST = 10**15
"""The offset of what is not on the log yet."""


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


class Declined(NamedTuple):
    detail: str
    reason: str | None = None

    @property
    def detail_zh(self) -> str:
        """The kind of reason; what exactly is wrong is in the detail, whose names say nothing of the kind."""
        said = NAMES.sub("", self.detail)
        kinds = (zh for words, zh in BY_WORDS.items() if re.search(words, said))
        return f"{BY_CODE.get(self.reason or '') or next(kinds, '与系统现有记录不符')}，详见 detail"


async def declined(here: Context, fact: Accepted) -> Declined | None:
    """Why nothing of it would count. Raises `Problem`."""
    answers = await _answers(here, fact)
    if isinstance(answers, Declined):
        return answers
    if answers and all(isinstance(one, DECLINED) for one in answers):
        refused: Any = answers[0]
        return Declined(refused.detail, getattr(refused, "code", None))
    return None


async def _answers(here: Context, fact: Accepted) -> Sequence[Event] | Declined:
    rules, lane = Clearing(prefix=here.prefix), fact.record.partition
    async with here.database.snapshot(EVERYBODY) as connection:
        draft = capabilities.begin(await store.load(connection, lane))  # type: ignore[arg-type]
        if rules.admit(draft, fact, sources=Sources()):
            # Where else it is registered is not for everybody to know.
            about: Any = fact.event
            return Declined(f"provider {about.provider} is not registered in area {about.area}")
        await store.foresee(connection, lane, draft, fact)  # type: ignore[arg-type]
    rules.learn(draft, fact)
    answers = []
    for answer in rules.decide(draft, fact):
        answers.append(answer)
        rules.evolve(draft, answer)
    return answers


def record(
    *, topic: str, lane: int, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]], at_ms: int
) -> Outgoing:
    """As it would stand on the log."""
    return Outgoing(topic=topic, partition=lane, offset=NEWEST, timestamp=at_ms, key=key, value=value, headers=headers)
