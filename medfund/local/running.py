"""Starting, ending and asking about a stack from another process than its supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from medfund.local import CannotRun, state
from medfund.local.kafka import fetch
from medfund.local.prerequisites import java
from medfund.local.server import STEP, StartFailed, Tell, opened_log, rotate, silent
from medfund.local.state import Part, State

# The supervisor's own limits end it long before: only one that hangs is ended by this.
START_LIMIT_S = 7200.0
STOP_LIMIT_S = 120.0


class NotRunning(CannotRun):
    """No stack runs on this data folder."""


def running(data: Path) -> State | None:
    """The state of the stack that runs on a data folder."""
    found = state.read(data) if state.is_locked(data) else None
    return found if found is not None and found.supervisor.alive else None


def left(data: Path) -> list[Part]:
    """What still runs of a stack whose supervisor was killed."""
    last = None if running(data) else state.read(data)
    return [part for part in last.parts if part.pid] if last else []


def environment(data: Path) -> dict[str, str]:
    """What a command needs to work on the stack of a data folder. Raises `NotRunning`."""
    found = running(data)
    if found is None:
        raise NotRunning(f"no stack is running on {data}: start one with `medfund up`")
    return found.environment


def faults(found: State) -> list[str]:
    """What is wrong: parts that do not run, and what the APIs say, in their words."""
    from medfund.local import health  # loads the database's client, which most questions here do not need

    ended = [f"{part.name}_not_running" for part in found.parts if not part.pid]
    return [*([] if found.ready else ["not_ready"]), *ended, *sorted(health.faults(found))]


def fetch_broker(tell: Tell = silent) -> None:
    """What an own broker needs, and may take long the first time. Raises `MissingPrerequisite` or `FetchFailed`."""
    if not os.environ.get("KAFKA_BOOTSTRAP"):
        java()
        fetch(tell)


def start_detached(data: Path, *, workers: int, tell: Tell = silent) -> State:
    """Start a supervisor that outlives us; returns when everything is ready. What it does meanwhile is told."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = data / "stack.log"
    rotate(log)
    with opened_log(log) as output:
        told_before = output.tell()
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "medfund.local", str(data), str(workers)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline, rest = time.monotonic() + START_LIMIT_S, ""
    with log.open(encoding="utf-8", errors="replace") as said:
        said.seek(told_before)
        try:
            while time.monotonic() < deadline and supervisor.poll() is None:
                rest += _pass_on(said, tell)
                found = running(data)
                if found and found.ready and found.supervisor.pid == supervisor.pid:
                    return found
                time.sleep(0.05)
        except KeyboardInterrupt:
            supervisor.terminate()  # whoever gives up waiting leaves nothing behind
            raise
        supervisor.terminate()
        supervisor.wait(STOP_LIMIT_S)
        rest += _pass_on(said, tell)
    raise StartFailed(rest.strip() or "the stack did not start")


def _pass_on(said: IO[str], tell: Tell) -> str:
    """Tell the steps that a supervisor has written since; returns what else it said, without its log."""
    rest = ""
    for line in said.read().splitlines():
        if line.startswith(STEP):
            tell(line.removeprefix(STEP))
        elif not line.startswith("{"):
            rest += f"{line}\n"
    return rest


def stop(data: Path) -> bool:
    """End the stack and wait until it ended; False when none ran. Parts that lost their supervisor end too."""
    found = running(data)
    if found is None:
        return _stop_leftovers(data)
    found.supervisor.signal(signal.SIGTERM)
    if not found.supervisor.wait(STOP_LIMIT_S):
        raise CannotRun(f"the supervisor (pid {found.supervisor.pid}) did not end in {STOP_LIMIT_S:.0f} s")
    return True


def _stop_leftovers(data: Path) -> bool:
    last = state.read(data)
    if last is None or not left(data):
        return False
    from medfund.local import stack  # loads clients of broker and database, which are seldom needed here

    with state.locked(data):
        stack.of(last).stop()
    return True
