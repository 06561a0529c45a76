"""A program of the local stack: started, watched and stopped here, and found again by its pid file.

A pid alone may belong to another program by now. The pid file also keeps the time at which the process started, so
nothing that is not ours is ever signalled, whoever died in between and however.
"""

import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

from medfund.local import CannotRun
from medfund.local.unprivileged import RunAs

POLL_S = 0.05
# How often a program that works is given more time to start, each time twice as much.
TRIES = 4
MORE = "`--patience` gives more"
LOG_BYTES_MAX = 10 << 20
TAIL_LINES = 15
# Below the range that the system takes for outgoing connections: a client that retries the address of a stopped
# server from a port of that range can otherwise connect to itself, and the server never gets its port back.
PORTS = range(20000, 32768)


class StartFailed(CannotRun):
    """A program ended, or did not become ready in time; the message ends with the tail of its log."""


Tell = Callable[[str], None]
"""Says to whoever waits what is being done, a line at a time."""
STEP = "-> "
"""Begins such a line in the log of a detached supervisor."""


def silent(line: str) -> None:
    """Nobody waits."""


class Process(NamedTuple):
    """A process for good: the pid and the time (in clock ticks since boot) at which it started."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """The living process that has this pid now."""
        try:
            state, threads, started = _stat(pid)
        except (FileNotFoundError, ProcessLookupError):
            return None
        # Dead, but not yet collected by its parent; its other threads may take a moment longer to die.
        dead = state in "ZX" and threads <= 1
        return None if dead else cls(pid, started)

    @classmethod
    def kept_in(cls, pid_file: Path) -> "Process | None":
        """The living process that a pid file names."""
        try:
            process = cls(*json.loads(pid_file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return process if process.alive else None

    @classmethod
    def own(cls) -> "Process":
        return cls(os.getpid(), _stat(os.getpid())[2])

    @property
    def alive(self) -> bool:
        return Process.of(self.pid) == self

    def signal(self, number: int) -> None:
        if self.alive:
            os.kill(self.pid, number)

    def wait(self, limit_s: float) -> bool:
        """Whether it ended within the limit."""
        return eventually(lambda: not self.alive, limit_s)


def _stat(pid: int) -> tuple[str, int, int]:
    """State, number of threads and start time of a process."""
    # The program's name comes first, in parentheses, and may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return fields[0], int(fields[17]), int(fields[19])


def _processor_s(pid: int) -> int:
    """Whole seconds of processor time: a program that does nothing hardly gets there between two looks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")


def run(command: Sequence[str], *, what: str, limit_s: float, **options: Any) -> "subprocess.CompletedProcess[str]":
    """A tool of ours to its end, with what it says. Raises `StartFailed` where that takes too long."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s, **options)
    except subprocess.TimeoutExpired as error:
        raise StartFailed(f"{what} took more than {limit_s:.0f} s; {MORE}") from error


def eventually(check: Callable[[], bool], limit_s: float) -> bool:
    """Poll until the check holds; False when it did not in time."""
    deadline = time.monotonic() + limit_s
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


class Server(ABC):
    """One program with a folder of its own, which holds its log, its pid file and its data."""

    stop_signal = signal.SIGTERM
    stop_limit_s = 10.0
    start_limit_s = 60.0
    patience = 1.0
    """How many times as long as on an ordinary machine everything may take."""
    tell: Tell = staticmethod(silent)

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder.absolute()
        self.log = self.folder / f"{name}.log"
        self._pid_file = self.folder / f"{name}.pid"
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> None:
        """Start and return when ready. What an earlier start left running is stopped first. Raises `StartFailed`."""

    @property
    def port(self) -> int:
        return remembered_port(self.folder / f"{self.name}.port")

    @property
    def address(self) -> str:
        """Where it answers; kept over restarts."""
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> Process | None:
        """The running process, whoever started it."""
        if self._child is not None and self._child.poll() is None:
            return Process.of(self._child.pid)
        return Process.kept_in(self._pid_file)

    @property
    def pid(self) -> int | None:
        process = self.process
        return process.pid if process else None

    @property
    def running(self) -> bool:
        child = self._child  # asked many times a second: our own child is cheap to ask
        return (child is not None and child.poll() is None) or self.process is not None

    def stop(self) -> None:
        """Ask it to end, and end it when it does not within its limit."""
        process = self.process
        if process is not None:
            process.signal(self.stop_signal)
            if not process.wait(self.stop_limit_s):
                self.kill()
        self._forget()

    def kill(self) -> None:
        """End it at once, as a power cut would (kill -9)."""
        process = self.process
        if process is not None:
            process.signal(signal.SIGKILL)
            process.wait(self.stop_limit_s)
        self._forget()

    def _forget(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        if self._child is not None:
            self._child.wait(self.stop_limit_s)

    def _spawn(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        run_as: RunAs | None = None,
        folder: Path | None = None,
    ) -> None:
        rotate(self.log)
        with opened_log(self.log) as log:
            self._child = subprocess.Popen(
                command,
                cwd=folder or self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops the parts in their order
                **(run_as or {}),
            )
        process = Process.of(self._child.pid)
        # None: it ended already, and `_wait_until` says so with its log.
        write_file(self._pid_file, json.dumps(process))

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        """While it lives and works it is waited for: slow is not broken, and what is ended half-way begins anew."""
        began, limit_s = time.monotonic(), self.start_limit_s * self.patience
        self.tell(f"{self.name} is starting; its log: {self.log}")
        for left in reversed(range(TRIES)):
            before = self._work_done()
            if eventually(lambda: not self.running or ready(), limit_s):
                break
            if not left or self._work_done() == before:
                self._give_up(time.monotonic() - began, limit_s)
            limit_s *= 2
            waited_s = time.monotonic() - began
            self.tell(f"{self.name} works and is not ready after {waited_s:.0f} s; it is given {limit_s:.0f} s more")
        if not self.running:
            raise StartFailed(f"{self.name} ended while starting ({self._outcome()}){self._end_of_log()}")
        self.tell(f"{self.name} is ready after {time.monotonic() - began:.1f} s")

    def _give_up(self, waited_s: float, limit_s: float) -> NoReturn:
        self.kill()
        limits = f"the last limit was {limit_s:.0f} s; {MORE}"
        raise StartFailed(f"{self.name} was not ready after {waited_s:.0f} s ({limits}){self._end_of_log()}")

    def _end_of_log(self) -> str:
        return f"; its log: {self.log}\n{self.log_tail()}"

    def _work_done(self) -> tuple[int, int]:
        """What changes while it makes progress: the length of its log, and the processor time that it took."""
        process = self.process
        return self.log.stat().st_size, 0 if process is None else _processor_s(process.pid)

    def _outcome(self) -> str:
        code = None if self._child is None else self._child.poll()
        return f"exit code {code}" if code is None or code >= 0 else f"killed by {signal.Signals(-code).name}"

    def log_tail(self) -> str:
        return tail(self.log)


def tail(log: Path) -> str:
    """The last lines of a log."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:])


def opened_log(log: Path) -> IO[bytes]:
    """To append to; readable by nobody else."""
    file = log.open("ab")
    os.fchmod(file.fileno(), 0o600)
    return file


def rotate(log: Path) -> None:
    """Keep one earlier log when this one has grown large."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))


def write_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Whole or not at all, and readable by nobody else from the first moment."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def remembered_port(path: Path) -> int:
    """The loopback port kept in a file; a free one is chosen once, so that a restart keeps the address."""
    if path.exists():
        return int(path.read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with _choosing:
        # What a server of the same stack was given, and has not begun to listen on, is free only to look at.
        given = {other.read_text(encoding="utf-8") for other in path.parent.parent.glob("*/*port")}
        free = (port for port in random.sample(PORTS, len(PORTS)) if str(port) not in given and is_free(port))
        port = next(free)
        write_file(path, str(port))
    return port


_choosing = threading.Lock()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that connections of an earlier server that still fade away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
