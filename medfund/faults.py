"""Named points at which a test ends or stops the process, by the environment, at the n-th passage.

`CRASH_AT=point[:n]` kills it with -9, `STOP_AT=point[:n]` stops it until somebody sends SIGCONT. Without these a point
is an empty function: nothing is read, counted or compared in production.
"""

import os
import signal
from collections.abc import Callable

SIGNALS = {"CRASH_AT": signal.SIGKILL, "STOP_AT": signal.SIGSTOP}


def _armed(target: str, sent: signal.Signals) -> Callable[[str], None]:
    name, _, count = target.partition(":")
    left = int(count or "1")

    def passed(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), sent)

    return passed


def _nothing(point: str) -> None:
    pass


point: Callable[[str], None] = next(
    (_armed(os.environ[name], sent) for name, sent in SIGNALS.items() if name in os.environ), _nothing
)
