"""pain.001: the payment file."""

from collections.abc import Iterator
from typing import BinaryIO

from medfund import money
from medfund.bankfiles.iso20022 import parts
from medfund.bankfiles.iso20022.kinds import PAIN_001
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import Transfer, Transfers
from medfund.bankfiles.refusals import place


def write(message: Transfers, into: BinaryIO) -> None:
    header = node(
        "GrpHdr",
        leaf("MsgId", message.message_id),
        parts.instant("CreDtTm", message.created),
        *_totals(message),
        node("InitgPty", leaf("Nm", message.debtor.name)),
    )
    document(into, PAIN_001, [header], "PmtInf", _contents(message))


def _contents(message: Transfers) -> Iterator[str]:
    """One order for the whole file. Asked for: an entry for each payment, not one for all."""
    yield leaf("PmtInfId", message.message_id)
    yield leaf("PmtMtd", "TRF")
    yield leaf("BtchBookg", "false")
    yield from _totals(message)
    yield parts.day("ReqdExctnDt", message.execute_on)
    yield node("Dbtr", leaf("Nm", message.debtor.name))
    yield parts.number("DbtrAcct", message.debtor.number, currency=True)
    yield parts.agent("DbtrAgt", message.debtor.bank)
    yield from map(_transfer, message.transfers)


def _totals(message: Transfers) -> tuple[str, str]:
    return leaf("NbOfTxs", str(len(message.transfers))), leaf("CtrlSum", money.yuan(message.total))


def _transfer(transfer: Transfer) -> str:
    return node(
        "CdtTrfTxInf",
        node("PmtId", leaf("EndToEndId", transfer.end_to_end_id)),
        node("Amt", parts.amount("InstdAmt", transfer.amount)),
        parts.agent("CdtrAgt", transfer.creditor.bank),
        node("Cdtr", leaf("Nm", transfer.creditor.name)),
        parts.number("CdtrAcct", transfer.creditor.number),
        parts.remittance(transfer.remittance),
    )


def read(found: Document) -> Transfers:
    transfers = []
    for at, record in enumerate(found.records(), 1):
        with place(f"payment {at}"):
            transfers.append(_read_transfer(record))
    order = found.body.only("PmtInf", "payment order")
    message = Transfers(
        message_id=found.body.need("GrpHdr/MsgId", "identification"),
        created=parts.read_instant(found.body.need("GrpHdr/CreDtTm", "time")),
        debtor=parts.read_account(order, "Dbtr"),
        execute_on=parts.read_day(order, "ReqdExctnDt", "day of execution"),
        transfers=tuple(transfers),
    )
    _check_totals(found.body.need_part("GrpHdr", "group header"), message)
    _check_totals(order, message)
    return message


def _read_transfer(record: Part) -> Transfer:
    return Transfer(
        end_to_end_id=record.need("PmtId/EndToEndId", "identification"),
        amount=parts.read_amount(record, "Amt/InstdAmt", "amount"),
        creditor=parts.read_account(record, "Cdtr"),
        remittance=parts.read_remittance(record),
    )


def _check_totals(part: Part, message: Transfers) -> None:
    parts.check_count(part.text("NbOfTxs"), len(message.transfers), "payments")
    parts.check_sum(part.text("CtrlSum"), message.total, "the payments")
