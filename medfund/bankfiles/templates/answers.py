"""The bank's answer in its own form: one line for each payment, that it was accepted, rejected, settled or returned.

In ISO 20022 these are two messages. Accepted and rejected lines are a report on the payment file, settled and returned
lines a notification of entries; an answer has one of them, or both.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from msgspec import Struct

from medfund import money
from medfund.bankfiles.messages import Detail, Entries, Entry, GroupStatus, Notification, Report, Status
from medfund.bankfiles.refusals import BadFile, Code, place
from medfund.bankfiles.templates import cells, sheets
from medfund.bankfiles.templates.sheets import Row, Table
from medfund.bankfiles.templates.template import Template


class Answer(Struct, frozen=True):
    """What the bank says of a payment file, as the messages that the standard has for it."""

    report: Report | None
    notification: Notification | None


def write(template: Template, answer: Answer, account: str, into: BinaryIO) -> None:
    report, told = answer.report, answer.notification
    statuses, entries = report.statuses if report else (), told.entries if told else Entries()
    known = report or told
    if known is None or not (statuses or entries):
        raise BadFile(Code.INCOMPLETE, "an answer without a line")
    named = {entry.file for entry in entries} | ({report.original_message_id} if report else set())
    if len(named) != 1:
        raise BadFile(Code.UNSUPPORTED, f"an answer to {len(named)} payment files")
    summary = {
        "message_id": known.message_id,
        "created": cells.moment(template, known.created),
        "account": account,
        "original_message_id": named.pop() or "",
        "count": str(len(statuses) + len(entries)),
    }
    sheets.write(template, template.answers, summary, _lines(template, statuses, entries), into)


def _lines(template: Template, statuses: Sequence[Status], entries: Entries) -> Iterator[Row]:
    for status in statuses:
        if status.accepted is None:
            raise BadFile(Code.UNSUPPORTED, f"payment {status.end_to_end_id} is neither accepted nor rejected")
        outcome = cells.word(template.outcomes, "accepted" if status.accepted else "rejected")
        yield {
            "end_to_end_id": status.end_to_end_id,
            "outcome": outcome,
            "code": status.code,
            "text": status.text,
        }
    for entry in entries:
        yield _line(template, entry)


def _line(template: Template, entry: Entry) -> Row:
    detail = only_detail(entry)
    settled = entry.direction == "OUT" and detail.return_code is None
    if not settled and (entry.direction == "OUT" or detail.return_code is None):
        raise BadFile(Code.UNSUPPORTED, f"entry {entry.bank_txn} is neither a payment nor one that came back")
    return {
        "end_to_end_id": detail.end_to_end_id or "",
        "outcome": cells.word(template.outcomes, "settled" if settled else "returned"),
        "amount": money.yuan(entry.amount),
        "bank_txn": entry.bank_txn,
        "booked_on": cells.day(template, entry.booked_on),
        "value_date": cells.day(template, entry.value_date),
        "code": detail.return_code or "",
        "text": detail.return_text or "",
    }


def only_detail(entry: Entry) -> Detail:
    """A line has room for one payment."""
    if len(entry.details) != 1:
        raise BadFile(Code.UNSUPPORTED, f"entry {entry.bank_txn} has {len(entry.details)} payments, and a line has one")
    return entry.details[0]


def read(template: Template, stream: BinaryIO) -> Answer:
    table = Table(template, template.answers, stream)
    statuses: list[Status] = []
    entries: list[Entry] = []
    for number, row in enumerate(table.lines(), 1):
        with place(f"line {number}"):
            found = _read_line(template, row, table.summary["original_message_id"])
        if isinstance(found, Status):
            statuses.append(found)
        else:
            entries.append(found)
    cells.check_count(table.summary, len(statuses) + len(entries))
    return Answer(_report(template, table.summary, statuses), _notification(template, table.summary, entries))


def _read_line(template: Template, row: Row, message_id: str) -> Status | Entry:
    outcome = cells.read_word(template.outcomes, row, "outcome")
    code, text = row["code"], row.get("text", "")
    if outcome in ("accepted", "rejected"):
        return Status(row["end_to_end_id"], outcome == "accepted", code, text)
    if (outcome == "returned") != bool(code):
        raise BadFile(Code.CONTRADICTION, f"{row['outcome']} with the code {code[:40]!r}")
    amount = cells.fen(row, "amount")
    return Entry(
        bank_txn=row["bank_txn"],
        direction="IN" if outcome == "returned" else "OUT",
        amount=amount,
        booked_on=cells.read_day(template, row, "booked_on"),
        value_date=cells.read_day(template, row, "value_date"),
        details=(Detail(amount, row["end_to_end_id"], code or None, text or None, files=(message_id,)),),
    )


def _report(template: Template, summary: Row, statuses: Sequence[Status]) -> Report | None:
    if not statuses:
        return None
    # Of a payment that has no line nothing is said, also where all that have one were rejected.
    group: GroupStatus = "ACCP" if all(status.accepted for status in statuses) else "PART"
    return Report(
        message_id=summary["message_id"],
        created=cells.read_moment(template, summary, "created"),
        original_message_id=summary["original_message_id"],
        status=group,
        statuses=tuple(statuses),
    )


def _notification(template: Template, summary: Row, entries: Sequence[Entry]) -> Notification | None:
    if not entries:
        return None
    created = cells.read_moment(template, summary, "created")
    return Notification(summary["message_id"], created, summary["account"], Entries(entries))
