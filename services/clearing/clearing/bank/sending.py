"""What a run sends, as the bank's file, handed over once.

What stays true: the file follows from what the lanes decided and from the register; its name and the ids in it follow
from the run. It goes out when every lane has decided the run, and never twice, whatever is killed when.
"""

import hashlib
import shutil
from datetime import datetime, time, timedelta, timezone
from functools import partial
from typing import BinaryIO

import asyncpg
import msgspec
import structlog

from clearing.bank.files import AT_ONCE, SQL, Desk
from clearing.bank.register import Register
from medfund.bankfiles import iso20022
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.messages import Order, Transfer
from medfund.bankfiles.refusals import BadFile, Code
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
    with folders.draft() as draft:
        order = await written(desk, register, run, draft)
        if order is None:
            await _keep(desk, run, sha256="", entries=0, fen=0, outcome="EMPTY")
            return
        iso20022.validate(draft, iso20022.PAIN_001)
        draft.seek(0)
        now = folders.hand_over(name_of(run.run_ref), partial(shutil.copyfileobj, draft))
        draft.seek(0)
        digest = hashlib.file_digest(draft, "sha256").hexdigest()  # type: ignore[arg-type]  # a file that can be read
    await _keep(desk, run, sha256=digest, entries=order.payments, fen=order.total, outcome="HANDED_OVER")
    log.info("payment file handed over", run=run.run_ref, payments=order.payments, now=now)


async def written(desk: Desk, register: Register, run: PaymentRunOpened, into: BinaryIO) -> Order | None:
    """The run's file, a part of its payments after the other. None where everything was withheld.

    Raises `UnknownAccount`, `BadFile`.
    """
    async with desk.reading() as connection:
        [sent] = await connection.fetch(SQL.total_of_run, run.run_ref)
        if not sent["payments"]:
            return None
        if sent["names"] < sent["payments"]:
            raise BadFile(Code.REPEATED, f"two payments of {run.run_ref} have one identification")
        order = _order(run, register, payments=sent["payments"], fen=sent["fen"])
        writer = iso20022.writer(order, into)
        cursor = await connection.cursor(SQL.of_run, run.run_ref)
        while rows := await cursor.fetch(AT_ONCE):
            writer.add([_transfer(row, register) for row in rows])
        writer.end()
    return order


def _order(run: PaymentRunOpened, register: Register, *, payments: int, fen: int) -> Order:
    return Order(
        message_id=run.run_ref,
        created=datetime.combine(run.execute_on, time(), SHANGHAI),
        debtor=register.of(run.area, run.fund, run.bank_account).account,
        execute_on=run.execute_on,
        payments=payments,
        total=fen,
    )


def _transfer(row: asyncpg.Record, register: Register) -> Transfer:
    return Transfer(row["end_to_end_id"], row["fen"], register.payee(row["account"]), row["payable_ref"])


async def _keep(desk: Desk, run: PaymentRunOpened, *, sha256: str, entries: int, fen: int, outcome: str) -> None:
    async with desk.changing() as connection:
        await connection.execute(
            SQL.keep_file, name_of(run.run_ref), sha256, "OUT", "pain.001", run.run_ref, run.area, entries, fen,
            datetime.now(SHANGHAI), outcome, "",
        )  # fmt: skip
