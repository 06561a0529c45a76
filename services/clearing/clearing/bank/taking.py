"""Files from the bank: read whole or refused, told to the log, and put away.

What stays true: a file is taken in once, and may be taken again at any point without harm; a file that is refused says
why beside it, and nothing of it was used; what the bank told is on the log before its file is put away.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec
import structlog

from clearing.bank import forms, matching, reconciling
from clearing.bank.files import SQL, Desk, NotAccepted, Told, parts
from clearing.bank.matching import Fact, Known, Sent
from clearing.bank.register import Own, Register, UnknownAccount
from clearing.bank.sending import SHANGHAI
from clearing.dimensions import Dimensions
from medfund import faults
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.folders import digest as digest_of
from medfund.bankfiles.messages import Direction, Entries, Entry, Message, Notification, Report, Statement, Transfers
from medfund.bankfiles.refusals import BadFile
from medfund.events.bank import BankPaymentRejected

log = structlog.get_logger(__name__)

DUPLICATE = "DUPL"
"""The bank has the file, or the payment, already: that it refuses it again says nothing of the first."""
WRONG_ACCOUNT = "WRONG_ACCOUNT"
AGAIN_S = 60.0
"""After which a file of which something was refused is taken again."""
_dimensions = msgspec.json.Decoder(Dimensions).decode


async def take(desk: Desk, folders: Folders, register: Register) -> int:
    """Take in every file that lies there; how many."""
    taken = 0
    for file in folders.incoming():
        again, why = desk.later.get(file.name, (0.0, ""))
        if time.monotonic() < again:
            raise NotAccepted(why)
        try:
            await _take(desk, folders, register, file)
        except NotAccepted as refused:
            desk.later[file.name] = time.monotonic() + AGAIN_S, f"{file.name}: {refused}"
            raise
        taken += 1
    return taken


async def _take(desk: Desk, folders: Folders, register: Register, file: Path) -> None:
    faults.point("taking")
    try:
        said = [(message, _account_of(message, register)) for message in forms.read(file, register)]
    except BadFile as refused:
        return _refuse(folders, file, refused.code.value, refused.detail)
    except UnknownAccount as refused:
        return _refuse(folders, file, WRONG_ACCOUNT, str(refused))
    digest = digest_of(file)
    async with desk.reading() as connection:
        known = await connection.fetchval(SQL.file, file.name, digest, "IN")
    if known is None:
        areas = [await _told(desk, message, own, digest) for message, own in said]
        await _keep(desk, file, digest, [message for message, _ in said], next(filter(None, areas), ""))
    faults.point("taken")
    folders.done(file)
    kinds = " ".join(type(message).__name__ for message, _ in said)
    log.info("bank file taken in", file=file.name, kind=kinds, again=known is not None)


def _refuse(folders: Folders, file: Path, code: str, detail: str) -> None:
    log.error("bank file refused", file=file.name, code=code, detail=detail)
    folders.refuse(file, code=code, detail=detail)


def _account_of(message: Message, register: Register) -> Own | None:
    """Whose account it is. Raises `UnknownAccount`, `BadFile`."""
    match message:
        case Notification() | Statement():
            return register.own(message.account)
        case Transfers():
            raise UnknownAccount("a payment file lies where the bank's answers should")
    return None


async def _told(desk: Desk, message: Message, own: Own | None, digest: str) -> str:
    """Everything that a message says, on the log and decided; the area that it is of."""
    if isinstance(message, Report):
        return await _report(desk, message)
    if isinstance(message, Transfers) or own is None:
        raise AssertionError(f"{message.message_id} is of no account")
    await _entries(desk, own, message.entries)
    if isinstance(message, Statement):
        await reconciling.imported(desk, own, message, digest)
    return own.area


async def _keep(desk: Desk, file: Path, digest: str, said: Sequence[Message], area: str) -> None:
    """The file is dealt with: what is in it is not told again."""
    told = [
        message.statuses if isinstance(message, Report) else message.entries
        for message in said
        if not isinstance(message, Transfers)
    ]
    fen = sum(entries.signed for entries in told if isinstance(entries, Entries))
    async with desk.changing() as connection:
        await connection.execute(
            SQL.keep_file, file.name, digest, "IN", type(said[-1]).__name__, said[-1].message_id, area,
            sum(map(len, told)), fen, datetime.now(SHANGHAI), "TAKEN", "",
        )  # fmt: skip


# -- what the bank says of payments


async def _report(desk: Desk, report: Report) -> str:
    """Rejected payments of a run; the area of the run. What the bank accepts it still has to pay."""
    async with desk.reading() as connection:
        rows = await connection.fetch(SQL.sent_by_runs, [report.original_message_id])
    sent = {row["end_to_end_id"]: row for row in rows}
    if report.code == DUPLICATE:
        log.error("the bank has this payment file already", run=report.original_message_id)
        return rows[0]["area"] if rows else ""
    on = report.created.astimezone(SHANGHAI).date()
    rejected = {one.end_to_end_id: (one.code, one.text) for one in report.statuses if not one.accepted}
    if report.status == "RJCT":
        rejected = {name: rejected.get(name, (report.code, report.text)) for name in sent}
    facts = [
        Fact(
            BankPaymentRejected(
                area=row["area"], provider=row["provider"], payment_ref=row["payment_ref"], code=code or "NARR",
                reason=text or code or "银行未说明原因", rejected_on=on,
            ),
            f"rejected/{name}",
        )
        for name, (code, text) in rejected.items()
        if code != DUPLICATE and (row := sent.get(name)) is not None
    ]  # fmt: skip
    await desk.tell(facts, on)
    return rows[0]["area"] if rows else ""


async def _entries(desk: Desk, own: Own, entries: Entries) -> None:
    """What was paid before what came back: a return is of a payment that is settled."""
    ways: tuple[Direction, ...] = ("OUT", "IN")
    for direction in ways:
        for day in entries.days(direction):
            await _lines(desk, own, entries.of(direction, day), day)


async def _lines(desk: Desk, own: Own, entries: Iterable[Entry], day: date) -> None:
    """Lines of which none is about what another one changes: a part of them at a time, so that memory does not follow
    their number, and the lanes decide the first while the next are looked up."""
    told = Told()
    for some in parts(entries):
        known = await _known(desk, own, some)
        facts = [fact for entry in some for fact in matching.facts(own, entry, known)]
        await desk.append(facts, day, told)
    await desk.decided(told)


async def _known(desk: Desk, own: Own, entries: Sequence[Entry]) -> Known:
    names = sorted({detail.end_to_end_id for entry in entries for detail in entry.details if detail.end_to_end_id})
    files = sorted({entry.message_id for entry in entries if entry.message_id and not entry.details})
    async with desk.reading() as connection:
        of_runs = await connection.fetch(SQL.sent_by_runs, files)
        sent = [*await connection.fetch(SQL.sent, names), *of_runs]
        requests = await connection.fetch(SQL.requests, names)
        recoveries = await connection.fetch(SQL.recoveries, names)
        prepayments = await connection.fetch(SQL.prepayments, own.area, own.fund, names)
        which = own.area, own.fund, own.bank_account
        booked = await connection.fetch(SQL.booked, *which, [entry.bank_txn for entry in entries])
    runs: dict[str, list[Sent]] = {}
    for row in of_runs:
        runs.setdefault(row["run_ref"], []).append(_sent(row))
    return Known(
        sent={row["end_to_end_id"]: _sent(row) for row in sent},
        runs=runs,
        requests=dict(map(tuple, requests)),
        recoveries={row["ref"]: _dimensions(row["dimensions"]) for row in recoveries},
        prepayments=dict(map(tuple, prepayments)),
        booked=dict(map(tuple, booked)),
    )


def _sent(row: object) -> Sent:
    found: dict[str, object] = dict(row)  # type: ignore[call-overload]
    return Sent(**{name: found[name] for name in Sent._fields})  # type: ignore[arg-type]
