"""What a run sends, as the bank's file, handed over once.

What stays true: the file follows from what the lanes decided and from the register; its name and the ids in it follow
from the run. It goes out when every lane has decided the run, and never twice, whatever is killed when.
"""

import hashlib
from datetime import datetime, time, timedelta, timezone
from typing import BinaryIO

import msgspec
import structlog

from clearing.bank.files import SQL, Desk
from clearing.bank.register import Register
from medfund.bankfiles import iso20022
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.messages import Transfer, Transfers
from medfund.events.treasury import PaymentRunOpened

log = structlog.get_logger(__name__)

SHANGHAI = timezone(timedelta(hours=8))
_run = msgspec.json.Decoder(PaymentRunOpened).decode


def name_of(run_ref: str) -> str:
    return f"{run_ref}.pain.001.xml"


async def send(desk: Desk, folders: Folders, register: Register) -> int:
    """Hand over the files of all runs that are decided; how many. Raises `UnknownAccount`, `BadFile`, `OSError`."""
    async with desk.reading() as connection:
        rows = await connection.fetch(SQL.runs_to_send, desk.lanes)
    for row in rows:
        await _send(desk, folders, register, _run(row["body"]))
    return len(rows)


async def _send(desk: Desk, folders: Folders, register: Register, run: PaymentRunOpened) -> None:
    message = await file_of(desk, register, run)
    if message is None:
        await _keep(desk, run, sha256="", entries=0, fen=0, outcome="EMPTY")
        return
    content = iso20022.encoded(message)
    iso20022.validate(content, iso20022.PAIN_001)

    def write(into: BinaryIO) -> None:
        into.write(content)

    now = folders.hand_over(name_of(run.run_ref), write)
    digest = hashlib.sha256(content).hexdigest()
    await _keep(desk, run, sha256=digest, entries=len(message.transfers), fen=message.total, outcome="HANDED_OVER")
    log.info("payment file handed over", run=run.run_ref, payments=len(message.transfers), now=now)


async def file_of(desk: Desk, register: Register, run: PaymentRunOpened) -> Transfers | None:
    """None where everything was withheld. Raises `UnknownAccount`."""
    async with desk.reading() as connection:
        rows = await connection.fetch(SQL.of_run, run.run_ref)
    if not rows:
        return None
    return Transfers(
        message_id=run.run_ref,
        created=datetime.combine(run.execute_on, time(), SHANGHAI),
        debtor=register.of(run.area, run.fund, run.bank_account).account,
        execute_on=run.execute_on,
        transfers=tuple(
            Transfer(row["end_to_end_id"], row["fen"], register.payee(row["account"]), row["payable_ref"])
            for row in rows
        ),
    )


async def _keep(desk: Desk, run: PaymentRunOpened, *, sha256: str, entries: int, fen: int, outcome: str) -> None:
    async with desk.changing() as connection:
        await connection.execute(
            SQL.keep_file, name_of(run.run_ref), sha256, "OUT", "pain.001", run.run_ref, run.area, entries, fen,
            datetime.now(SHANGHAI), outcome, "",
        )  # fmt: skip
