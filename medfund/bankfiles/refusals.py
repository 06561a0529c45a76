"""Why a bank file is not taken: a closed list, each with a sentence that a person at the fund can act on.

What stays true: whatever bytes a reader is given, it answers with a message or with `BadFile`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Code(StrEnum):
    """In the order in which a file is looked at."""

    NOT_A_FILE = "NOT_A_FILE"
    """A link, a folder or a pipe where a file should be."""
    TOO_LARGE = "TOO_LARGE"
    """More bytes, a longer text or a deeper nesting than any bank file has."""
    WRONG_ENCODING = "WRONG_ENCODING"
    """Not the encoding that was agreed, or bytes that are no text in it."""
    NOT_XML = "NOT_XML"
    DOCTYPE = "DOCTYPE"
    """A document type declaration: refused before anything that it declares is looked at."""
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    """Another kind of message, or another version of one, than is read here."""
    TRUNCATED = "TRUNCATED"
    """The file ends before its content does."""
    SCHEMA = "SCHEMA"
    """Not as the official schema, or the bank's template, wants it."""
    INCOMPLETE = "INCOMPLETE"
    """Something that the standard leaves open and that is needed here."""
    UNSUPPORTED = "UNSUPPORTED"
    """Something that the standard allows and that would be read wrongly here: pages, several statements in one file."""
    WRONG_CURRENCY = "WRONG_CURRENCY"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_DATE = "BAD_DATE"
    BAD_TEXT = "BAD_TEXT"
    """Empty, too long, or with control characters."""
    BAD_ACCOUNT = "BAD_ACCOUNT"
    UNSAFE_TEXT = "UNSAFE_TEXT"
    """A cell that a spreadsheet would take for a formula."""
    UNKNOWN_CODE = "UNKNOWN_CODE"
    """A status, or another code, whose meaning is not agreed."""
    NOT_BOOKED = "NOT_BOOKED"
    """An entry that the bank only announces."""
    REPEATED = "REPEATED"
    """One identification twice in the same file."""
    CONTRADICTION = "CONTRADICTION"
    """Two places of the file say different things."""
    WRONG_COUNT = "WRONG_COUNT"
    WRONG_SUM = "WRONG_SUM"


class BadFile(ValueError):
    """The file, or what is to be written into one, is refused. Nothing of it was used."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type["BadFile"], tuple[Code, str]]:
        return (type(self), (self.code, self.detail))


@contextmanager
def place(where: str) -> Iterator[None]:
    """A refusal inside says where it was: "entry 17: ..."."""
    try:
        yield
    except BadFile as refused:
        raise BadFile(refused.code, f"{where}: {refused.detail}") from None
