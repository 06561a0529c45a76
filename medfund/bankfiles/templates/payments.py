"""The payment file in a bank's own form."""

from typing import BinaryIO

from medfund import money
from medfund.bankfiles.messages import Account, Transfer, Transfers
from medfund.bankfiles.refusals import place
from medfund.bankfiles.templates import cells, sheets
from medfund.bankfiles.templates.sheets import Row, Table
from medfund.bankfiles.templates.template import Template


def write(template: Template, message: Transfers, into: BinaryIO) -> None:
    summary = {
        "message_id": message.message_id,
        "created": cells.moment(template, message.created),
        "debtor_number": message.debtor.number,
        "debtor_name": message.debtor.name,
        "debtor_bank": message.debtor.bank,
        "execute_on": cells.day(template, message.execute_on),
        "count": str(len(message.transfers)),
        "total": money.yuan(message.total),
    }
    sheets.write(template, template.payments, summary, map(_line, message.transfers), into)


def _line(transfer: Transfer) -> Row:
    return {
        "end_to_end_id": transfer.end_to_end_id,
        "amount": money.yuan(transfer.amount),
        "creditor_number": transfer.creditor.number,
        "creditor_name": transfer.creditor.name,
        "creditor_bank": transfer.creditor.bank,
        "remittance": transfer.remittance,
    }


def read(template: Template, stream: BinaryIO) -> Transfers:
    table = Table(template, template.payments, stream)
    transfers = []
    for number, row in enumerate(table.lines(), 1):
        with place(f"payment {number}"):
            transfers.append(_read_line(row))
    summary = table.summary
    cells.check_count(summary, len(transfers))
    cells.check_total(summary, sum(transfer.amount for transfer in transfers))
    return Transfers(
        message_id=summary["message_id"],
        created=cells.read_moment(template, summary, "created"),
        debtor=Account(summary["debtor_number"], summary["debtor_name"], summary["debtor_bank"]),
        execute_on=cells.read_day(template, summary, "execute_on"),
        transfers=tuple(transfers),
    )


def _read_line(row: Row) -> Transfer:
    return Transfer(
        end_to_end_id=row["end_to_end_id"],
        amount=cells.fen(row, "amount"),
        creditor=Account(row["creditor_number"], row["creditor_name"], row["creditor_bank"]),
        remittance=row.get("remittance", ""),
    )
