"""ISO 20022 bank files: pain.001, pain.002, camt.053 and camt.054, written and read against the official schemas.

What stays true: the same message gives the same bytes; what is written validates; reading what was written gives the
same message; a file is used as a whole or not at all.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, TypeVar

from medfund.bankfiles.iso20022 import camt053, camt054, pain001, pain002, parsing
from medfund.bankfiles.iso20022.kinds import CAMT_053, CAMT_054, PAIN_001, PAIN_002, VERSIONS, Kind
from medfund.bankfiles.messages import Message, Notification, Order, Report, Statement, Transfers
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.sources import LIMIT_BYTES, Source

__all__ = ["CAMT_053", "CAMT_054", "PAIN_001", "PAIN_002", "PAYMENT_FILES", "Kind", "encoded", "read", "read_all"]
__all__ += ["read_notification", "read_report", "read_statement", "read_transfers", "validate", "write", "writer"]

_Wanted = TypeVar("_Wanted", Transfers, Report, Notification, Statement)


PAYMENT_FILES: Mapping[str, Kind] = {kind.name[-2:]: kind for kind in VERSIONS[PAIN_001]}
"""By their versions."""


def write(message: Message, into: BinaryIO) -> None:
    """Write the message, record by record."""
    match message:
        case Transfers():
            pain001.write(message, into)
        case Report():
            pain002.write(message, into)
        case Notification():
            camt054.write(message, into)
        case Statement():
            camt053.write(message, into)


def writer(order: Order, into: BinaryIO, kind: Kind = PAIN_001) -> pain001.Writer:
    """For a payment file whose payments come in parts: the bytes that `write` writes of them together."""
    return pain001.Writer(order, into, kind)


def encoded(message: Message) -> bytes:
    """The bytes that `write` writes."""
    into = io.BytesIO()
    write(message, into)
    return into.getvalue()


def read_all(source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Sequence[Message]:
    """The messages of a file: one of each account that it tells of. Raises `BadFile`."""
    return parsing.again(source, limit_bytes, lambda found: _READERS[found.kind.body](found))


def read(source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Message:
    """The only message of a file, whichever it is. Raises `BadFile`."""
    messages = read_all(source, limit_bytes=limit_bytes)
    if len(messages) != 1:
        raise BadFile(Code.UNSUPPORTED, f"there are {len(messages)} messages in the file, and one was expected")
    return messages[0]


def read_transfers(source: Source) -> Transfers:
    return _expected(Transfers, read(source))


def read_report(source: Source) -> Report:
    return _expected(Report, read(source))


def read_notification(source: Source) -> Notification:
    return _expected(Notification, read(source))


def read_statement(source: Source) -> Statement:
    return _expected(Statement, read(source))


def validate(source: Source, kind: Kind | None = None, *, limit_bytes: int = LIMIT_BYTES) -> None:
    """Check the file against the official schema of its kind, and that it is of that kind. Raises `BadFile`."""
    parsing.check(source, kind, limit_bytes)


_READERS: Mapping[str, Callable[[parsing.Document], Sequence[Message]]] = {
    PAIN_001.body: lambda found: [pain001.read(found)],
    PAIN_002.body: lambda found: [pain002.read(found)],
    CAMT_053.body: camt053.read,
    CAMT_054.body: camt054.read,
}


def _expected(wanted: type[_Wanted], found: Message) -> _Wanted:
    if not isinstance(found, wanted):
        said = f"the file has a {type(found).__name__.lower()}, and a {wanted.__name__.lower()} was expected"
        raise BadFile(Code.UNKNOWN_MESSAGE, said)
    return found
