"""camt.054: entries of one account, told as they happen."""

from collections.abc import Iterator
from typing import BinaryIO

from medfund.bankfiles.iso20022 import entries, parts
from medfund.bankfiles.iso20022.kinds import CAMT_054
from medfund.bankfiles.iso20022.parsing import Document
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import Entries, Notification


def write(message: Notification, into: BinaryIO) -> None:
    header = node("GrpHdr", leaf("MsgId", message.message_id), parts.instant("CreDtTm", message.created))
    document(into, CAMT_054, [header], "Ntfctn", _contents(message))


def _contents(message: Notification) -> Iterator[str]:
    yield leaf("Id", message.message_id)
    yield parts.instant("CreDtTm", message.created)
    yield entries.account(message.account)
    yield entries.summary(message.entries)
    yield from map(entries.entry, message.entries)


def read(found: Document) -> list[Notification]:
    """One for each account: what is told of it in one file is told together."""
    booked = entries.read(found)
    parts.only_page(found.body.part("GrpHdr/MsgPgntn"))
    accounts: dict[str, list[Entries]] = {}
    for pages in parts.whole(found.body.parts("Ntfctn"), "NtfctnPgntn"):
        accounts.setdefault(entries.read_account(pages), []).append(entries.of_pages(pages, booked))
    message_id = found.body.need("GrpHdr/MsgId", "identification")
    created = parts.read_instant(found.body.need("GrpHdr/CreDtTm", "time"))
    return [Notification(message_id, created, number, entries.together(told)) for number, told in accounts.items()]
