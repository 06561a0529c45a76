"""Files from the bank: read whole or refused, told to the log, and put away.

What stays true: a file is taken in once, and may be taken again at any point without harm; a file that is refused says
why beside it; what the bank told is on the log, and was accepted as it was told, before its file is put away; a file
that waits, or that can never be accepted, holds up no other. Nothing is told of a day before it has come.
"""

import hashlib
import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from prometheus_client import Counter

from clearing.bank import lines, matching, reconciling
from clearing.bank.files import SQL, Desk, NotAccepted, NotYet, Waiting
from clearing.bank.matching import Fact
from clearing.bank.register import Own, Register, UnknownAccount
from clearing.bank.sending import SHANGHAI
from medfund import codes, faults
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.folders import digest as digest_of
from medfund.bankfiles.messages import Beside, Entries, GroupStatus, Message, Notification, Report, Statement, Transfers
from medfund.bankfiles.refusals import BadFile, Code
from medfund.events.bank import BankPaymentRejected
from medfund.events.fields import TEXT_MAX, WORDS_MAX

log = structlog.get_logger(__name__)

ACCEPTED_BEFORE = "银行曾受理该文件 (the bank accepted this file before), "
AGAIN_S = 60.0
"""After which a file that waits is taken again."""
LYING_S = 600.0
"""After which a file whose name is none of a bank file's is no longer thought to be on its way."""
AHEAD_MAX = timedelta(days=7)
"""Up to when a day that has not come is waited for: banks book on Friday for Monday, and clocks are wrong."""
UNCLEAR = Counter("medfund_bank_unclear_total", "Answers of the bank that somebody has to look at", ["kind"])
for _kind in ("repeated", "nothing_known", "contradicted", "unknown_status", "refused"):
    UNCLEAR.labels(_kind)  # begins at 0: of a series that is born at 1 no alarm sees the increase


async def take(desk: Desk, folders: Folders, register: Register) -> int:
    """Take in every file that lies there; how many. One that waits holds up no other."""
    taken, files = 0, folders.incoming()
    for gone in desk.later.keys() - {file.name for file in files}:
        del desk.later[gone]
    for other in folders.left_lying(before=time.time() - LYING_S):
        why = f"{other.name}: a name that ends neither in .xml nor in .csv, never looked at"
        desk.later[other.name] = Waiting(math.inf, why)
    for file in files:
        before = desk.later.get(file.name, Waiting(0.0, ""))
        if time.monotonic() < before.again:
            continue
        desk.later.pop(file.name, None)
        try:
            await _take(desk, folders, register, file, refused=before.refused)
            taken += 1
        except NotAccepted as refused:
            if not refused.waits:
                _refuse(folders, file, Code.NOT_ACCEPTED, str(refused))
                continue
            desk.later[file.name] = _waiting(file, refused, refused=True)
        except (NotYet, PermissionError, FileNotFoundError) as trouble:
            desk.later[file.name] = _waiting(file, trouble, refused=before.refused)
    return taken


def _waiting(file: Path, trouble: Exception, *, refused: bool) -> Waiting:
    early = isinstance(trouble, NotYet) and not refused
    return Waiting(time.monotonic() + AGAIN_S, f"{file.name}: {trouble}", refused, early)


async def _take(desk: Desk, folders: Folders, register: Register, file: Path, *, refused: bool) -> None:
    """`refused`: the log did not take its day before."""
    faults.point("taking")
    try:
        messages = await desk.reader.read(file, register.forms)
        said = for_us(messages, register)
    except BadFile as bad:
        return _refuse(folders, file, bad.code.value, bad.detail)
    except UnknownAccount as unknown:
        return _refuse(folders, file, Code.WRONG_ACCOUNT, str(unknown))
    digest = digest_of(file)
    async with desk.reading() as connection:
        known = await connection.fetchval(SQL.file, file.name, digest, "IN")
        opened = await connection.fetchval(SQL.opened)
    if known is None:
        come(messages, opened=opened, ours=not refused)
        area = await _told(desk, said, digest)
        await _keep(desk, file, digest, messages, area)
    faults.point("taken")
    folders.done(file)
    kinds = " ".join(type(message).__name__ for message in messages)
    left_out = _left_out(
        message.entries.beside for message in messages if isinstance(message, Notification | Statement)
    )
    log.info("bank file taken in", file=file.name, kind=kinds, again=known is not None, **left_out)


def _left_out(told: Iterable[Beside]) -> dict[str, int]:
    """What moves no money, where there is any of it."""
    beside = Beside.together(told)
    counted = {"only_announced": beside.announced, "of_nothing": beside.nothing}
    return {what: number for what, number in counted.items() if number}


def for_us(messages: Sequence[Message], register: Register) -> list[tuple[Message, Own | None]]:
    """What a file says, each of which account of ours, if of one. All or none. Raises `UnknownAccount`, `BadFile`."""
    said = [(message, _account_of(message, register)) for message in messages]
    if (day := _day_to_come(messages)) is not None:
        raise BadFile(Code.BAD_DATE, f"it is of {day}, which is more than {AHEAD_MAX.days} days ahead")
    return said


def _day_to_come(messages: Sequence[Message]) -> date | None:
    """A booking day, or a file's own, that no waiting brings soon: a mistake of the bank's."""
    latest = datetime.now(SHANGHAI).date() + AHEAD_MAX
    return next((day for message in messages for day in _days(message) if day > latest), None)


def come(messages: Sequence[Message], *, opened: date | None, ours: bool = True) -> None:
    """The days of what is told have come: every lane has opened them, or they have begun by our clock, where it counts
    (`ours`). Raises `NotYet`."""
    today = datetime.now(SHANGHAI).date() if ours else date.min
    days = (day for message in messages for day in _days_told(message))
    if (ahead := max(days, default=date.min)) > max(today, opened or date.min):
        until = f"今日为 the log's day is {opened}" if opened else "the log has opened no day"
        raise NotYet(f"记账日未到，到期接收 it is of {ahead}, and waits until that day has come; {until}")


def _days_told(message: Message) -> Iterator[date]:
    """Of which days the events are that tell of it."""
    if isinstance(message, Report):
        yield message.created.astimezone(SHANGHAI).date()
    if isinstance(message, Statement):
        yield message.day
    if isinstance(message, Notification | Statement):
        yield from (*message.entries.days("OUT"), *message.entries.days("IN"))


def _days(message: Message) -> Iterator[date]:
    yield message.created.astimezone(SHANGHAI).date()
    yield from _days_told(message)


def _refuse(folders: Folders, file: Path, code: str, detail: str) -> None:
    UNCLEAR.labels("refused").inc()
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


async def _told(desk: Desk, said: Sequence[tuple[Message, Own | None]], digest: str) -> str:
    """Everything that a file says, on the log and decided; the first area that it is of. All lines come before any
    statement, for a statement is compared with what the books have of its day."""
    areas = [await _report(desk, message) for message, _ in said if isinstance(message, Report)]
    accounts: dict[Own, list[Entries]] = {}
    for message, own in said:
        if isinstance(message, Notification | Statement) and own is not None:
            accounts.setdefault(own, []).append(message.entries)
    async with desk.reading() as connection:
        for own, entries in accounts.items():
            await lines.not_told_otherwise(connection, own, entries)
    for own, entries in accounts.items():
        await lines.tell(desk, own, entries)
    days = [(message, own) for message, own in said if isinstance(message, Statement) and own is not None]
    for statement, own in sorted(days, key=lambda one: one[0].day):
        await reconciling.imported(desk, own, statement, digest)
    return next(filter(None, (*areas, *(own.area for own in accounts))), "")


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
            sum(map(len, told)), fen, datetime.now(SHANGHAI), "TAKEN", _answer(said[0]),
        )  # fmt: skip


def _answer(message: Message) -> str:
    """What a report says of which payment file."""
    return answer_to(message.original_message_id, message.status) if isinstance(message, Report) else ""


def answer_to(run_ref: str, status: GroupStatus) -> str:
    return f"{status} {run_ref}"


# -- what the bank says of payments


async def _report(desk: Desk, report: Report) -> str:
    """Rejected payments of a run; the area of the run. What the bank accepts it still has to pay."""
    run_ref = report.original_message_id
    async with desk.reading() as connection:
        rows = await connection.fetch(SQL.answered, run_ref, [one.end_to_end_id for one in report.statuses])
        accepted = await connection.fetchval(SQL.accepted_before, answer_to(run_ref, "ACCP"))
    sent = {row["end_to_end_id"]: row for row in rows}
    rejected = _rejected(report, sent.keys())
    _unclear(report, rejected, sent)
    on = report.created.astimezone(SHANGHAI).date()
    doubt = f"{run_ref}: {ACCEPTED_BEFORE} {accepted.astimezone(SHANGHAI).date()}" if accepted else None
    told = [
        _rejection(sent[name], reason, on, doubt if name in _of_whole(report, rejected) else None)
        for name, reason in rejected.items()
        if name in sent and _says_something(sent[name]["status"], reason)
    ]
    await desk.tell(told, on)
    return rows[0]["area"] if rows else ""


def _rejected(report: Report, names: Collection[str]) -> dict[str, tuple[str, str]]:
    """Code and words of each payment that is rejected: of those that are named, and of all where the whole file is."""
    found = {one.end_to_end_id: (one.code, one.text) for one in report.statuses if one.accepted is False}
    if report.status != "RJCT":
        return found
    if codes.says_repeated(report.code, report.text):
        return dict.fromkeys(names, (report.code, report.text))
    waiting = {one.end_to_end_id for one in report.statuses if one.accepted is None}
    return {name: found.get(name, (report.code, report.text)) for name in {*names, *found} - waiting}


def _of_whole(report: Report, rejected: Collection[str]) -> Collection[str]:
    """Those that were rejected with their whole file."""
    return rejected if report.status == "RJCT" else ()


def _says_something(status: str, reason: tuple[str, str]) -> bool:
    """A rejection is of what is on its way; that the bank had a payment before is so also of one that failed."""
    return status == "SENT" or (status == "FAILED" and codes.says_repeated(*reason))


def _unclear(report: Report, rejected: Mapping[str, tuple[str, str]], sent: Mapping[str, asyncpg.Record]) -> None:
    """What somebody has to look at, because no payment changes by it."""
    about = {"run": report.original_message_id, "message": report.message_id}
    if any(codes.says_repeated(*reason) for reason in (*rejected.values(), (report.code, report.text))):
        UNCLEAR.labels("repeated").inc()
        log.error("the bank refuses what it has already: nothing is known of the first delivery", **about)
    settled = {name for name, row in sent.items() if row["status"] == "SETTLED"}
    if paid := sorted(name for name in settled & rejected.keys() if not codes.says_repeated(*rejected[name])):
        UNCLEAR.labels("contradicted").inc()
        log.error("the bank rejects what it has paid", payments=paid[:10], code=report.code, **about)
    unknown = sorted(rejected.keys() - sent.keys())
    if unknown or (report.status == "RJCT" and not sent):
        UNCLEAR.labels("nothing_known").inc()
        log.error("the bank rejects what nobody has sent", payments=unknown[:10], code=report.code, **about)
    words = {report.unknown, *(one.unknown for one in report.statuses)} - {""}
    if words:
        UNCLEAR.labels("unknown_status").inc()
        log.error("the bank says what the standard does not know", status=sorted(words), **about)


def _rejection(row: asyncpg.Record, reason: tuple[str, str], on: date, doubt: str | None) -> Fact:
    code, text = (matching.words(said, TEXT_MAX).strip() for said in reason)
    event = BankPaymentRejected(
        area=row["area"],
        provider=row["provider"],
        payment_ref=row["payment_ref"],
        code=code[:WORDS_MAX] or "NARR",
        reason=text or code or "银行未说明原因",
        rejected_on=on,
        doubt=doubt,
    )
    about = hashlib.sha256(f"{code} {text} {on}".encode()).hexdigest()[:16]
    return Fact(event, f"rejected/{row['end_to_end_id']}/{about}")
