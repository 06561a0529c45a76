"""pain.001: the payment file."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from medfund import money
from medfund.bankfiles.iso20022 import parsing, parts
from medfund.bankfiles.iso20022.kinds import PAIN_001, PAIN_001_03, Kind
from medfund.bankfiles.iso20022.parsing import Part
from medfund.bankfiles.iso20022.writing import Document, leaf, node
from medfund.bankfiles.messages import Order, Transfer, Transfers
from medfund.bankfiles.refusals import place


class Writer:
    """A payment file whose payments come in parts."""

    def __init__(self, order: Order, into: BinaryIO, kind: Kind = PAIN_001) -> None:
        header = node(
            "GrpHdr",
            leaf("MsgId", order.message_id),
            parts.instant("CreDtTm", order.created),
            *_totals(order),
            node("InitgPty", leaf("Nm", order.debtor.name)),
        )
        self._order = order
        self._document = Document(into, kind, [header], "PmtInf")
        self._document.add(_order(order, kind))
        self._left, self._left_fen = order.payments, order.total

    def add(self, transfers: Sequence[Transfer]) -> None:
        self._document.add(map(_transfer, transfers))
        self._left -= len(transfers)
        self._left_fen -= sum(transfer.amount for transfer in transfers)

    def end(self) -> None:
        """Raises `BadFile` where the payments are not those that the order promised."""
        parts.check_count(str(self._order.payments), self._order.payments - self._left, what="payments")
        parts.check_sum(money.yuan(self._order.total), self._order.total - self._left_fen, what="the payments")
        self._document.end()


def write(message: Transfers, into: BinaryIO) -> None:
    writer = Writer(message.order, into)
    writer.add(message.transfers)
    writer.end()


def _order(order: Order, kind: Kind) -> Iterator[str]:
    """One order for the whole file. Asked for: an entry for each payment, not one for all."""
    yield leaf("PmtInfId", order.message_id)
    yield leaf("PmtMtd", "TRF")
    yield leaf("BtchBookg", "false")
    yield from _totals(order)
    yield _execution(order, kind)
    yield node("Dbtr", leaf("Nm", order.debtor.name))
    yield parts.number("DbtrAcct", order.debtor.number, currency=True)
    yield parts.agent("DbtrAgt", order.debtor.bank)


def _execution(order: Order, kind: Kind) -> str:
    """A day alone, before it could be a time too."""
    tag = "ReqdExctnDt"
    return leaf(tag, order.execute_on.isoformat()) if kind == PAIN_001_03 else parts.day(tag, order.execute_on)


def _totals(order: Order) -> tuple[str, str]:
    return leaf("NbOfTxs", str(order.payments)), leaf("CtrlSum", money.yuan(order.total))


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


def read(found: parsing.Document) -> Transfers:
    transfers = []
    for at, (_, record) in enumerate(found.records(), 1):
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
    parts.check_count(part.text("NbOfTxs"), len(message.transfers), what="payments")
    parts.check_sum(part.text("CtrlSum"), message.total, what="the payments")
