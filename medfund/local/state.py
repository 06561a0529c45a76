"""What is known of a running stack, in its data folder: a lock that its supervisor holds, and `stack.json`.

The lock is the truth about whether a stack runs: the system releases it however the supervisor ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from medfund.local import CannotRun
from medfund.local.server import Process, eventually, write_file

ASKING_S = 0.5


class AlreadyRunning(CannotRun):
    """Another supervisor works on this data folder."""


class Part(msgspec.Struct, frozen=True):
    """A part of a stack: where it answers, and where its log and its pid file are."""

    name: str
    address: str
    folder: str

    @property
    def log(self) -> str:
        return f"{self.folder}/{self.name}.log"

    @property
    def pid(self) -> int | None:
        process = Process.kept_in(Path(self.folder, f"{self.name}.pid"))
        return process.pid if process else None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What `up` made. Holds secrets; the file is its owner's alone."""

    supervisor: Process
    ready: bool
    data: str
    api: str
    bootstrap: str
    parts: list[Part]
    workers: int
    external_broker: bool
    external_database: bool
    administrator: str
    """DSN of the database's administrator. No service is told it."""
    environment: dict[str, str]
    """What commands need to work on this stack: addresses, and a DSN for each role."""

    @property
    def api_port(self) -> int:
        return int(self.api.rpartition(":")[2])


def read(data: Path) -> State | None:
    """The last known state; who wrote it may be gone."""
    try:
        return msgspec.json.decode((data / "stack.json").read_bytes(), type=State)
    except FileNotFoundError:
        return None


def write(state: State) -> None:
    write_file(Path(state.data) / "stack.json", msgspec.json.format(msgspec.json.encode(state)).decode())


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data folder. Raises `AlreadyRunning`."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / "stack.lock").open("a") as lock:
        # Somebody who only asks whether a stack runs holds it for a moment.
        if not eventually(lambda: _take(lock), ASKING_S):
            raise AlreadyRunning(f"a stack is running on {data}")
        yield


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(data: Path) -> bool:
    """Whether a supervisor holds the data folder."""
    if not (data / "stack.lock").exists():
        return False
    with (data / "stack.lock").open("a") as lock:
        return not _take(lock)
