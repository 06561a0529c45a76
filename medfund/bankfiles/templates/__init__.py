"""Files in a bank's own form: a table in the bank's encoding, under the bank's headings, in the bank's words.

The form is data (`example.toml`); the messages are those of `medfund.bankfiles.messages`: payment files on the way out,
answers and statements on the way in. What stays true: reading what was written gives the same message; a file
that is not in the form is refused; nothing in it runs in a spreadsheet.
"""

from typing import BinaryIO

from medfund.bankfiles import sources
from medfund.bankfiles.messages import Statement, Transfers
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.sources import LIMIT_BYTES, Source
from medfund.bankfiles.templates import answers, payments, sheets, statements
from medfund.bankfiles.templates.answers import Answer
from medfund.bankfiles.templates.template import EXAMPLE, BadTemplate, Template, load

__all__ = [
    "EXAMPLE",
    "Answer",
    "BadTemplate",
    "OtherForm",
    "Template",
    "load",
    "read",
    "read_answer",
    "read_statement",
    "read_transfers",
]
__all__ += ["write_answer", "write_statement", "write_transfers"]


def write_transfers(template: Template, message: Transfers, into: BinaryIO) -> None:
    payments.write(template, message, into)


def read_transfers(template: Template, source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Transfers:
    with sources.opened(source, limit_bytes=limit_bytes) as stream:
        return payments.read(template, stream)


class OtherForm(BadFile):
    """The heading is of another form, or of another kind of file."""


def read(template: Template, source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Answer | Statement:
    """What the bank says: its heading tells which of both it is. Raises `OtherForm` where it is neither."""
    with sources.opened(source, limit_bytes=limit_bytes) as stream:
        heading = sheets.heading(template, stream)
        stream.seek(0)
        if heading == list(template.answers.summary):
            return answers.read(template, stream)
        if heading == list(template.statements.summary):
            return statements.read(template, stream)
    said = ", ".join(heading)[:200]
    raise OtherForm(Code.SCHEMA, f"{said!r} is no heading of an answer or a statement of {template.name}")


def write_answer(template: Template, answer: Answer, account: str, into: BinaryIO) -> None:
    """As the bank would; `account` is the one that the payments left."""
    answers.write(template, answer, account, into)


def read_answer(template: Template, source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Answer:
    with sources.opened(source, limit_bytes=limit_bytes) as stream:
        return answers.read(template, stream)


def write_statement(template: Template, message: Statement, into: BinaryIO) -> None:
    """As the bank would: an entry with one payment to a line."""
    statements.write(template, message, into)


def read_statement(template: Template, source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Statement:
    with sources.opened(source, limit_bytes=limit_bytes) as stream:
        return statements.read(template, stream)
