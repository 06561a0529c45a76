"""`python -m bench.bankside STEP ...`: one step of the bank process in a process of its own, as a line of JSON.

A process of its own, because only so its peak of memory is that of the step. What starting costs is not measured.
"""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import uvloop

from clearing.bank import register, sending, taking
from clearing.bank.files import Desk, Told
from clearing.payments import planning
from clearing.settings import BankSettings
from medfund import garbage, logs
from medfund.bankfiles import folders, iso20022
from medfund.lanes.kafka import KafkaLog
from medfund.postgres import connect


@dataclass
class Took:
    """What a step took, and what it found."""

    seconds: float
    processor_s: float
    peak_mib: float
    waited_s: float
    """Of the seconds: for the lanes, after all was said to them."""
    found: Any


class WatchedDesk(Desk):
    waited_s = 0.0

    async def decided(self, told: Told) -> None:
        began = time.monotonic()
        await super().decided(told)
        self.waited_s += time.monotonic() - began


@asynccontextmanager
async def desk() -> AsyncIterator[WatchedDesk]:
    settings = BankSettings()  # type: ignore[call-arg]  # from the environment
    kafka = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    try:
        async with connect.connection(settings.database_url, name="bench") as connection:
            yield WatchedDesk(connection, kafka, settings.lanes)
    finally:
        await kafka.close()


async def plan(area: str, fund: str, on: str) -> tuple[Took, Any]:
    """The plan of a run of all that is approved; the run as it is told."""
    day = date.fromisoformat(on)
    wanted = planning.Wanted(area, fund, "1002", day, day)
    async with desk() as at:

        async def work() -> planning.Plan:
            async with at.reading() as connection:
                return await planning.plan(connection, wanted._replace(due_until=date(2099, 12, 31)))

        took, planned = await measured(work)
    return took, planning.run(planned, run_ref=planning.run_ref(wanted, 1), staff_ref="anna")


async def send() -> tuple[Took, int]:
    return await _door(sending.send)


async def take() -> tuple[Took, int]:
    return await _door(taking.take)


async def _door(step: Callable[..., Awaitable[int]]) -> tuple[Took, int]:
    settings = BankSettings()  # type: ignore[call-arg]  # from the environment
    with folders.held(settings.folder) as held:
        async with desk() as at:
            took, count = await measured(lambda: step(at, held, register.read(settings.accounts)))
            took.waited_s = at.waited_s
            return took, count


async def read(file: str) -> tuple[Took, int]:
    """A file read and validated, and nothing else."""

    async def work() -> int:
        return len(iso20022.read_statement(Path(file)).entries)

    return await measured(work)


async def measured(work: Callable[[], Awaitable[Any]]) -> tuple[Took, Any]:
    garbage.collect_seldom()
    began, used = time.monotonic(), time.process_time()
    found = await work()
    return Took(time.monotonic() - began, time.process_time() - used, peak_mib(), 0.0, None), found


def peak_mib() -> float:
    """Of this program: what the kernel counts for its parent's sake is not in it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


Step: TypeAlias = Callable[..., Coroutine[Any, Any, tuple[Took, Any]]]
STEPS: dict[str, Step] = {"plan": plan, "send": send, "read": read, "take": take}


def main() -> int:
    logs.configure()
    took, found = uvloop.run(STEPS[sys.argv[1]](*sys.argv[2:]))
    took.found = msgspec.to_builtins(found)
    sys.stdout.write(msgspec.json.encode(asdict(took)).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
