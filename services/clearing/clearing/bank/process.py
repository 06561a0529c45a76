"""`python -m clearing bank`: hand over what runs have sent, take in what the bank says, until a signal ends it.

What stays true: one process works on the bank's folder; whatever stands in its way (a full disk, a broker that is away,
an account that the register lacks) is said, and tried again, and nothing is skipped meanwhile.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge

from clearing.bank import forwarding, register, sending, taking
from clearing.bank.files import Desk, NotAccepted, NotDecided
from clearing.bank.register import BadRegister, Register, UnknownAccount
from medfund import closed
from medfund.bankfiles import folders
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.handing import NoSpace, Tampered
from medfund.bankfiles.refusals import BadFile
from medfund.lanes.log import Log
from medfund.postgres import connect

log = structlog.get_logger(__name__)

WAITING = Gauge("medfund_bank_waiting", "Troubles that bank files wait for, as of the last round")
EARLY = Gauge("medfund_bank_early", "Files of a day that has not come, as of the last round")
DONE = Counter("medfund_bank_files_total", "Files handed over or taken in, and suspense items told of")
LOOK_S = 1.0
SAID_S = 60.0
"""How often the same trouble is said again."""
AWAY = (*connect.UNAVAILABLE, KafkaError, TimeoutError)
TROUBLES = (
    UnknownAccount,
    BadFile,
    BadRegister,
    NotDecided,
    NotAccepted,
    NoSpace,
    Tampered,
    FileNotFoundError,
    PermissionError,
)
Step = Callable[[Desk, Folders, Register], Awaitable[int]]


async def forward(desk: Desk, folders: Folders, register: Register) -> int:
    return await forwarding.forward(desk)


STEPS: tuple[Step, ...] = (sending.know, sending.send, taking.take, forward)
"""In this order: what the bank says of a file comes after the file."""


async def round(desk: Desk, folders: Folders, register: Register) -> tuple[int, list[str]]:
    """Each step once: how much was done, and what stood in the way. Raises what means that log or database are away."""
    done, troubles = 0, []
    for step in STEPS:
        try:
            done += await step(desk, folders, register)
        except TROUBLES as trouble:
            troubles.append(f"{step.__name__}: {trouble}")
    return done, [*troubles, *(f"take: {waiting.why}" for waiting in desk.later.values())]


async def run(
    dsn: str, log_: Log, *, lanes: int, root: Path, shared: bool, accounts: Path, stop: asyncio.Event
) -> None:
    """Raises `folders.Held` where another process works on the folder, `closed.Open` where others can enter it."""
    said: dict[str, float] = {}
    with folders.held(root, shared=shared) as held:
        while not stop.is_set():
            try:
                async with connect.connection(dsn, name="clearing bank") as connection:
                    await _work(Desk(connection, log_, lanes), held, accounts, stop, said)
            except (*AWAY, asyncpg.PostgresError) as error:
                _say(said, [f"log or database are away: {type(error).__name__}: {error}"])
                await _pause(stop)


async def _work(desk: Desk, held: Folders, accounts: Path, stop: asyncio.Event, said: dict[str, float]) -> None:
    while not stop.is_set():
        try:
            done, troubles = await round(desk, held, register.read(accounts))
        except BadRegister as trouble:
            done, troubles = 0, [str(trouble)]
        DONE.inc(done)
        early = {f"take: {waiting.why}" for waiting in desk.later.values() if waiting.early}
        _say(said, troubles, early & set(troubles))
        if not done or troubles:
            await _pause(stop)


def _say(said: dict[str, float], troubles: list[str], early: Collection[str] = ()) -> None:
    """`early`: those that nobody has to do anything about."""
    WAITING.set(len(troubles) - len(early))
    EARLY.set(len(early))
    now = asyncio.get_running_loop().time()
    for trouble in troubles:
        if now - said.get(trouble, -SAID_S) >= SAID_S:
            (log.info if trouble in early else log.error)("bank files wait", reason=trouble)
            said[trouble] = now
    for old in said.keys() - set(troubles):
        del said[old]


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_S):
            await stop.wait()
    except TimeoutError:
        return


async def work(dsn: str, log_: Log, *, lanes: int, root: Path, shared: bool, accounts: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await run(dsn, log_, lanes=lanes, root=root, shared=shared, accounts=accounts, stop=stop)
    except (folders.Held, folders.SeveralFileSystems, closed.Open) as trouble:
        log.error("bank folder cannot be worked on", reason=str(trouble))
        return 1
    return 0
