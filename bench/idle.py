"""What a stack costs on which nobody does anything: processor time, memory and connections to the broker, by part.

Those of the database's sessions that began and ended meanwhile are in: their parent counts them.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from medfund.local import running
from medfund.local.state import State

SETTLE_S = 30.0
SECONDS = 40.0
ESTABLISHED = "01"


class Part(NamedTuple):
    name: str
    processor_percent: float
    """Of one core."""
    mib: float


class Idle(NamedTuple):
    parts: list[Part]
    connections: int

    @property
    def processor_percent(self) -> float:
        return sum(part.processor_percent for part in self.parts)


def measure(data: Path, *, workers: int = 1) -> Idle:
    """Of a stack of our own, on an empty folder, some time after it became ready."""
    found = running.start_detached(data, workers=workers)
    try:
        time.sleep(SETTLE_S)
        return look(found)
    finally:
        running.stop(data)


def look(found: State) -> Idle:
    pids = {"supervisor": found.supervisor.pid, **{part.name: part.pid for part in found.parts if part.pid}}
    others = frozenset(pids.values())
    before, began = {name: _ticks(pid, others) for name, pid in pids.items()}, time.monotonic()
    time.sleep(SECONDS)
    per_tick = 100 / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)
    parts = [Part(name, (_ticks(pid, others) - before[name]) * per_tick, _mib(pid)) for name, pid in pids.items()]
    return Idle(parts, sum(_connections(int(found.bootstrap.rpartition(":")[2]))))


def _ticks(pid: int, others: frozenset[int]) -> int:
    """Of a process, of its living children that are no part by themselves, and of those that ended."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return sum(_own_ticks(each) for each in [pid, *(set(map(int, children)) - others)])


def _own_ticks(pid: int) -> int:
    try:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:15]))
    except (FileNotFoundError, ProcessLookupError):
        return 0  # its parent counts it


def _mib(pid: int) -> float:
    """What is this process's alone: shared memory is counted with nobody."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


def _connections(port: int) -> Iterator[int]:
    for table in ("tcp", "tcp6"):
        for row in Path("/proc/net", table).read_text(encoding="utf-8").splitlines()[1:]:
            _, local, _, state, *_ = row.split()
            yield local.endswith(f":{port:04X}") and state == ESTABLISHED
