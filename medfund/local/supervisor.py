"""Keeps a stack running: whatever part dies is started again, with growing pauses where it keeps dying.

SIGTERM, SIGINT or the end of its terminal ends it: nothing is restarted any more, the services drain, then the broker
and the database stop.
"""

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

from medfund.local import CannotRun, state
from medfund.local.server import Server
from medfund.local.stack import Stack
from medfund.local.state import State

log = structlog.get_logger(__name__)

LOOK_S = 0.2
PAUSE_MAX_S = 10.0
# What did not start in time is given more of it the next time, up to so many times as much.
PATIENCE_GROWS_MAX = 8
STEADY_S = 5.0
"""A part that lived this long died of something new: it is started again at once."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Keeper(threading.Thread):
    """Watches one part in a thread of its own, so that a slow start of one does not leave another dead."""

    def __init__(self, part: Server) -> None:
        super().__init__(name=part.name)
        self._part = part
        self._ending = threading.Event()
        self._pause_s = 0.0
        self._patience = part.patience

    def run(self) -> None:
        started = time.monotonic()
        while not self._ending.wait(LOOK_S):
            if not self._part.running:
                self._restart(lived_s=time.monotonic() - started)
                started = time.monotonic()

    def _restart(self, *, lived_s: float) -> None:
        self._pause_s = 0.0 if lived_s >= STEADY_S else min(PAUSE_MAX_S, self._pause_s * 2 or 0.5)
        log.warning("part ended", part=self._part.name, lived_s=round(lived_s, 1), restart_in_s=self._pause_s)
        if self._ending.wait(self._pause_s):
            return
        try:
            self._part.start()
            log.info("part started again", part=self._part.name, pid=self._part.pid)
            self._part.patience = self._patience
        except (CannotRun, OSError) as error:
            self._part.patience = min(self._part.patience * 2, self._patience * PATIENCE_GROWS_MAX)
            log.error("part does not start", part=self._part.name, reason=str(error))

    def end(self) -> None:
        self._ending.set()


class EndedEarly(CannotRun):
    """A signal came before the stack was ready."""


class _Ended(BaseException):
    """A signal asked us to end, wherever we were."""


def _end(number: int, frame: FrameType | None) -> None:
    # Once: what follows is bounded and must not be broken off half-way.
    for name in SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    raise _Ended


def supervise(stack: Stack, *, on_ready: Callable[[State], None] = lambda _: None) -> None:
    """Run a stack until a signal ends it. Raises `AlreadyRunning`, or why it could not start."""
    with state.locked(stack.data):
        for name in SIGNALS:
            signal.signal(name, _end)
        stack.instruct()
        keepers = [Keeper(part) for part in stack.parts]
        try:
            _run(stack, keepers, on_ready)
        except _Ended:
            log.info("ending")
            if not any(keeper.is_alive() for keeper in keepers):
                raise EndedEarly("told to end before everything was ready") from None
        finally:
            _stop(stack, keepers)


def _run(stack: Stack, keepers: list[Keeper], on_ready: Callable[[State], None]) -> None:
    state.write(stack.state(ready=False))
    stack.start()
    for keeper in keepers:
        keeper.start()
    running = stack.state(ready=True)
    state.write(running)
    log.info("ready", api=running.api, bootstrap=running.bootstrap)
    on_ready(running)
    while True:
        time.sleep(LOOK_S)  # not `pause`: a signal that another thread receives would not end it


def _stop(stack: Stack, keepers: list[Keeper]) -> None:
    for keeper in keepers:
        keeper.end()
    for keeper in keepers:
        if keeper.is_alive():
            keeper.join()
    stack.stop()
    state.write(stack.state(ready=False))
    log.info("ended")
