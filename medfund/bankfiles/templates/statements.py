"""The statement of an account in a bank's own form: its two balances, and a line for each entry."""

from collections.abc import Iterator
from typing import BinaryIO

from medfund import money
from medfund.bankfiles.messages import Counterparty, Detail, Entries, Entry, Statement
from medfund.bankfiles.refusals import place
from medfund.bankfiles.templates import cells, sheets
from medfund.bankfiles.templates.answers import only_detail
from medfund.bankfiles.templates.sheets import Row, Table
from medfund.bankfiles.templates.template import Template


def write(template: Template, message: Statement, into: BinaryIO) -> None:
    summary = {
        "message_id": message.message_id,
        "created": cells.moment(template, message.created),
        "account": message.account,
        "day": cells.day(template, message.day),
        "opening": money.yuan(message.opening),
        "closing": money.yuan(message.closing),
        "count": str(len(message.entries)),
    }
    lines = (_line(template, entry) for entry in message.entries)
    sheets.write(template, template.statements, summary, lines, into)


def _line(template: Template, entry: Entry) -> Row:
    detail = only_detail(entry)
    other = detail.counterparty
    return {
        "bank_txn": entry.bank_txn,
        "direction": cells.word(template.directions, entry.direction),
        "amount": money.yuan(entry.amount),
        "booked_on": cells.day(template, entry.booked_on),
        "value_date": cells.day(template, entry.value_date),
        "end_to_end_id": detail.end_to_end_id or "",
        "original_message_id": entry.file or "",
        "other_number": other.number if other else "",
        "other_name": other.name if other else "",
        "other_bank": other.bank if other else "",
        "remittance": detail.remittance,
        "text": entry.text,
        "code": detail.return_code or "",
        "reason": detail.return_text or "",
    }


def read(template: Template, stream: BinaryIO) -> Statement:
    table = Table(template, template.statements, stream)
    entries = Entries(_read_lines(template, table))
    summary = table.summary
    cells.check_count(summary, len(entries))
    return Statement(
        message_id=summary["message_id"],
        created=cells.read_moment(template, summary, "created"),
        account=summary["account"],
        day=cells.read_day(template, summary, "day"),
        opening=cells.fen(summary, "opening"),
        closing=cells.fen(summary, "closing"),
        entries=entries,
    )


def _read_lines(template: Template, table: Table) -> Iterator[Entry]:
    for number, row in enumerate(table.lines(), 1):
        with place(f"line {number}"):
            entry = _read_line(template, row)
        yield entry


def _read_line(template: Template, row: Row) -> Entry:
    amount = cells.fen(row, "amount")
    known = {name: row.get(f"other_{name}", "") for name in ("number", "name", "bank")}
    detail = Detail(
        amount=amount,
        end_to_end_id=row["end_to_end_id"] or None,
        return_code=row["code"] or None,
        return_text=row.get("reason") or None,
        counterparty=Counterparty(**known) if any(known.values()) else None,
        remittance=row.get("remittance", ""),
        files=(file,) if (file := row.get("original_message_id")) else (),
    )
    return Entry(
        bank_txn=row["bank_txn"],
        direction=cells.read_word(template.directions, row, "direction"),
        amount=amount,
        booked_on=cells.read_day(template, row, "booked_on"),
        value_date=cells.read_day(template, row, "value_date"),
        text=row.get("text", ""),
        details=(detail,),
    )
