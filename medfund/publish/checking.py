"""Every line of a file against the contract and who may say what, before anything of it is sent.

What stays true: memory follows the number of bad lines (eight bytes each), not the file.
"""

import bisect
import time
from array import array
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from medfund import progress
from medfund.events.codec import Accepted
from medfund.events.refusals import Problem, Reason
from medfund.publish import drafts, reading, refused, registry

REMEMBERED_MAX = 1000
LINES_PER_DRAW = 500


class Fault(NamedTuple):
    """One line that the ledger would refuse."""

    line: int
    reason: str
    detail: str


class Verdict:
    """What was found: all lines counted, the first faults in full, the numbers of all bad lines."""

    def __init__(self) -> None:
        self.lines = 0
        self.reasons: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self._numbers = array("Q")

    @property
    def bad(self) -> int:
        return len(self._numbers)

    def add(self, fault: Fault) -> None:
        self.reasons[fault.reason] += 1
        self._numbers.append(fault.line)
        if len(self.faults) < REMEMBERED_MAX:
            self.faults.append(fault)

    def is_bad(self, line: int) -> bool:
        found = bisect.bisect_left(self._numbers, line)
        return found < len(self._numbers) and self._numbers[found] == line


def check(
    stream: BinaryIO,
    *,
    after: reading.Prefix,
    speaking: registry.Speaking,
    report: Callable[[Fault], None],
    bar: progress.Bar,
) -> Verdict:
    """Test every line after a prefix; `report` hears of each fault at once."""
    verdict = Verdict()
    for piece in reading.pieces(stream, after):
        now_ms = time.time_ns() // 1_000_000
        for line in piece.lines:
            if isinstance(problem := event_of(line, now_ms, speaking), Problem):
                fault = Fault(line.number, problem.reason.value, problem.detail)
                verdict.add(fault)
                report(fault)
            verdict.lines += 1
            if verdict.lines % LINES_PER_DRAW == 0:
                bar.at(verdict.lines)
    return verdict


def event_of(line: reading.Line, now_ms: int, speaking: registry.Speaking) -> Accepted | Problem:
    """What a line says, or why the ledger would refuse it."""
    if line.text is None:
        return Problem(Reason.TOO_LARGE, f"the line has more than {reading.LINE_MAX} bytes")
    if problem := refused.read(line.text):
        return problem
    event = drafts.read(line.text, now_ms=now_ms)
    if isinstance(event, Accepted) and (why := speaking.why_not(event)):
        return Problem(Reason.NOT_YOURS_TO_SAY, why)
    return event
