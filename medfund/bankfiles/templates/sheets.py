"""A template's file as a table: a heading and a line of summary, a heading and the lines. No meaning, only cells.

What stays true: what is written is read as the same; no cell, written or read, begins like a formula, so that whoever
opens the file in a spreadsheet sees texts and runs nothing; the heading is the template's to the letter, since under
another one the columns might be others.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.templates.template import Sheet, Template

Row = Mapping[str, str]

LINE_MAX = 1 << 16
BUFFER_LINES = 1000

# Also as they are on a Chinese keyboard.
_FORMULA = re.compile("[=+\\-@\t\r＝＋－＠]").match
_NEGATIVE = re.compile(r"-(?:0|[1-9][0-9]*)\.[0-9]{2}").fullmatch


def write(template: Template, sheet: Sheet, summary: Row, lines: Iterable[Row], into: BinaryIO) -> None:
    """Line by line. A column without a field stays empty."""
    held = io.StringIO()
    # The mark of "utf-8-sig" is written once, by the first of the pieces that are encoded.
    encoder = codecs.getincrementalencoder(template.encoding)()
    writer = csv.writer(held, delimiter=template.separator, lineterminator=template.line_end, strict=True)
    writer.writerow(list(sheet.summary))
    writer.writerow(_cells(sheet.summary, summary))
    writer.writerow(list(sheet.lines))
    for number, line in enumerate(lines, 1):
        writer.writerow(_cells(sheet.lines, line))
        if number % BUFFER_LINES == 0:
            _flush(held, encoder, into)
    _flush(held, encoder, into)


def _flush(held: io.StringIO, encoder: codecs.IncrementalEncoder, into: BinaryIO) -> None:
    try:
        into.write(encoder.encode(held.getvalue()))
    except UnicodeEncodeError as error:
        said = f"{error.object[error.start : error.end]!r} cannot be written in {error.encoding}"
        raise BadFile(Code.BAD_TEXT, said) from None
    held.seek(0)
    held.truncate()


def _cells(columns: Mapping[str, str], row: Row) -> list[str]:
    return [inert(row.get(field, "")) if field else "" for field in columns.values()]


def inert(cell: str) -> str:
    """The cell, if a spreadsheet takes it for a text or a number. A negative balance is a number."""
    if _FORMULA(cell) and not _NEGATIVE(cell):
        raise BadFile(Code.UNSAFE_TEXT, f"{cell[:40]!r} begins like a formula of a spreadsheet")
    return cell


def heading(template: Template, stream: BinaryIO) -> Sequence[str]:
    """The first line of a file."""
    return next(_rows(template, stream), [])


class Table:
    """A file that is being read: `summary` is there at once, `lines` once, to the end."""

    def __init__(self, template: Template, sheet: Sheet, stream: BinaryIO) -> None:
        self._sheet = sheet
        self._rows = _rows(template, stream)
        self._heading(list(sheet.summary))
        self.summary = self._row(sheet.summary, self._next("the summary"))
        self._heading(list(sheet.lines))

    def lines(self) -> Iterator[Row]:
        for cells in self._rows:
            yield self._row(self._sheet.lines, cells)

    def _next(self, what: str) -> Sequence[str]:
        cells = next(self._rows, None)
        if cells is None:
            raise BadFile(Code.TRUNCATED, f"the file ends before {what}")
        return cells

    def _heading(self, expected: Sequence[str]) -> None:
        found = self._next("its heading")
        if list(found) != list(expected):
            raise BadFile(Code.SCHEMA, f"the heading is {', '.join(found)[:200]!r}, not {', '.join(expected)!r}")

    def _row(self, columns: Mapping[str, str], cells: Sequence[str]) -> Row:
        if len(cells) != len(columns):
            raise BadFile(
                Code.SCHEMA, f"a line has {len(cells)} cells instead of {len(columns)}: {', '.join(cells)[:40]!r}"
            )
        named = zip(columns.values(), cells, strict=True)
        return {field: inert(cell) for field, cell in named if field}


def _rows(template: Template, stream: BinaryIO) -> Iterator[Sequence[str]]:
    """The cells of each line. A line end is the last thing in a whole file; inside a cell there is none."""
    text = io.TextIOWrapper(stream, encoding=template.encoding, errors="strict", newline="")
    try:
        yield from csv.reader(_lines(text), delimiter=template.separator, strict=True)
    except UnicodeDecodeError as error:
        raise BadFile(Code.WRONG_ENCODING, f"the file is not in {template.encoding}: {error.reason}") from None
    except csv.Error as error:
        raise BadFile(Code.SCHEMA, f"the file is no table: {error}") from None
    finally:
        if not stream.closed:
            text.detach()  # the file is whoever's who opened it


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LINE_MAX):
        if not line.endswith("\n"):
            code = Code.TOO_LARGE if len(line) >= LINE_MAX else Code.TRUNCATED
            raise BadFile(code, f"a line does not end: {line[:40]!r}")
        yield line
