"""camt.054: entries of one account, told as they happen."""

from collections.abc import Iterator
from typing import BinaryIO

from medfund.bankfiles.iso20022 import entries, parts
from medfund.bankfiles.iso20022.kinds import CAMT_054
from medfund.bankfiles.iso20022.parsing import Document
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import Notification


def write(message: Notification, into: BinaryIO) -> None:
    header = node("GrpHdr", leaf("MsgId", message.message_id), parts.instant("CreDtTm", message.created))
    document(into, CAMT_054, [header], "Ntfctn", _contents(message))


def _contents(message: Notification) -> Iterator[str]:
    yield leaf("Id", message.message_id)
    yield parts.instant("CreDtTm", message.created)
    yield entries.account(message.account)
    yield entries.summary(message.entries)
    yield from map(entries.entry, message.entries)


def read(found: Document) -> Notification:
    booked = entries.read(found)
    told = found.body.only("Ntfctn", "notification")
    parts.one_page(found.body.part("GrpHdr/MsgPgntn"), told.part("NtfctnPgntn"))
    message = Notification(
        message_id=found.body.need("GrpHdr/MsgId", "identification"),
        created=parts.read_instant(found.body.need("GrpHdr/CreDtTm", "time")),
        account=entries.read_account(told),
        entries=booked,
    )
    entries.check_summary(told, booked)
    return message
