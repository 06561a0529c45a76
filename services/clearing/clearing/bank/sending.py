"""What a run sends, as the bank's file, handed over once.

What stays true: the file follows from what the lanes decided and from the register; its name and the ids in it follow
from the run. It goes out when every lane has decided the run, and never twice, whatever is killed when.
"""

import hashlib
import shutil
from datetime import datetime, time, timedelta, timezone
from functools import partial

import asyncpg
import msgspec
import structlog

from clearing.bank import forms
from clearing.bank.files import AT_ONCE, SQL, Desk
from clearing.bank.forms import Writer, name_of, names
from clearing.bank.register import Own, Register, UnknownAccount
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.folders import digest as digest_of
from medfund.bankfiles.messages import Order, Transfer
from medfund.bankfiles.refusals import BadFile
from medfund.events.treasury import PaymentRunOpened

log = structlog.get_logger(__name__)

SHANGHAI = timezone(timedelta(hours=8))
_run = msgspec.json.Decoder(PaymentRunOpened).decode


async def know(desk: Desk, folders: Folders, register: Register) -> int:
    """Say which accounts the register has: the API makes no run of another one."""
    own = sorted([one.area, one.fund, one.bank_account] for one in register.by_number.values())
    async with desk.changing() as connection:
        await connection.execute(SQL.know, msgspec.json.encode(own).decode())
    return 0


async def send(desk: Desk, folders: Folders, register: Register) -> int:
    """Hand over the files of all runs that are decided; how many. One that cannot be made holds up no other, and is
    kept with the reason. Raises `UnknownAccount`, `BadFile`, `OSError`."""
    async with desk.changing() as connection:
        await connection.execute(SQL.forget_runs)
        rows = await connection.fetch(SQL.runs_to_send, desk.lanes)
    held_up: list[UnknownAccount | BadFile] = []
    for run in (_run(row["body"]) for row in rows):
        try:
            await _send(desk, folders, register, run)
        except (UnknownAccount, BadFile) as why:
            await _held_up(desk, run, str(why))
            held_up.append(why)
    if held_up:
        raise held_up[0]
    return len(rows)


async def _held_up(desk: Desk, run: PaymentRunOpened, why: str) -> None:
    """Once for each reason, for whoever asks after the run."""
    name, about = names(run.run_ref)[0], hashlib.sha256(why.encode()).hexdigest()
    await _keep(desk, run, name, sha256=about, entries=0, fen=0, outcome="HELD_UP", detail=why)


async def _send(desk: Desk, folders: Folders, register: Register, run: PaymentRunOpened) -> None:
    async with desk.reading() as connection:
        [sent] = await connection.fetch(SQL.total_of_run, run.run_ref)
    if not sent["payments"]:
        await _keep(desk, run, names(run.run_ref)[0], sha256="", entries=0, fen=0, outcome="EMPTY")
        return
    own = register.of(run.area, run.fund, run.bank_account)
    # What went out went out in its form, whatever the register says now.
    name = next(filter(folders.handed_over, names(run.run_ref)), name_of(run.run_ref, register.form(own)))
    with folders.draft() as draft:
        if folders.handed_over(name) is None:
            order = _order(run, own, payments=sent["payments"], fen=sent["fen"])
            writer = forms.writer(register.form(own), order, draft, pain_001=own.pain_001)
            await _write(desk, register, run, writer)
            draft.seek(0)
        now = folders.hand_over(name, partial(shutil.copyfileobj, draft))
    digest = digest_of(folders.kept(name))
    await _keep(desk, run, name, sha256=digest, entries=sent["payments"], fen=sent["fen"], outcome="HANDED_OVER")
    log.info("payment file handed over", run=run.run_ref, payments=sent["payments"], now=now)


async def _write(desk: Desk, register: Register, run: PaymentRunOpened, writer: Writer) -> None:
    """A part of the run's payments after the other. Raises `UnknownAccount`, `BadFile`."""
    async with desk.reading() as connection:
        cursor = await connection.cursor(SQL.of_run, run.run_ref)
        while rows := await cursor.fetch(AT_ONCE):
            writer.add([_transfer(row, register) for row in rows])
    writer.end()


def _order(run: PaymentRunOpened, own: Own, *, payments: int, fen: int) -> Order:
    return Order(
        message_id=run.run_ref,
        created=datetime.combine(run.execute_on, time(), SHANGHAI),
        debtor=own.account,
        execute_on=run.execute_on,
        payments=payments,
        total=fen,
    )


def _transfer(row: asyncpg.Record, register: Register) -> Transfer:
    return Transfer(row["end_to_end_id"], row["fen"], register.payee(row["account"]), row["payable_ref"])


async def _keep(
    desk: Desk, run: PaymentRunOpened, name: str, *, sha256: str, entries: int, fen: int, outcome: str, detail: str = ""
) -> None:
    async with desk.changing() as connection:
        await connection.execute(
            SQL.keep_file, name, sha256, "OUT", "pain.001", run.run_ref, run.area, entries, fen,
            datetime.now(SHANGHAI), outcome, detail,
        )  # fmt: skip
