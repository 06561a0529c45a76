"""An export of somebody's system (CSV) as lines of events, by a map that says what each column is.

What stays true: row n becomes line n, so that whatever is said of a line is said of its row; where several rows are
one document, the event is on the line of the first. The same rows and the same map give the same bytes, so an export
that is sent again is not doubled; a few hundred rows are in memory at a time, and of a document its own.

A row's mistakes are for the check to tell, or stand in the place of its event. Here a file is refused that cannot be
read as its map says, and one whose rows a spreadsheet has spoilt: a number of 30 digits that was rounded would be
another settlement's.
"""

import codecs
import contextlib
import csv
import io
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from medfund.events.refusals import Problem
from medfund.publish import refused
from medfund.publish.cells import Unreadable
from medfund.publish.documents import Check, Documents, Row, Rows
from medfund.publish.forms import CannotRead, Columns, Spoilt, Value, joined, members, text_of

KEY_BYTES_MIN = 16
BLOCK_CHARS = 1 << 15
SPOILT_TOLD = 20
WORKBOOKS = (b"PK\x03", b"\xd0\xcf\x11")
FIELD_MAX = 1 << 20
_BLANKS = " \t\r\n\u00a0\u3000\ufeff"


class Map(NamedTuple):
    """`type`, `source`, `id` and `time` of each event, its `data`, how the file is written, which rows count and which
    of them are one document."""

    event: Mapping[str, Any]
    data: Mapping[str, Any]
    encoding: str
    delimiter: str
    key: bytes | None
    only: Mapping[str, str]
    document: str
    columns: Mapping[str, Any]


def read_map(path: Path) -> Map:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        event = {name: told.pop(name) for name in ("type", "source", "id", "time")}
        data, key_file = told.pop("data"), told.pop("key_file", None)
        key = None if key_file is None else (path.parent / key_file).read_bytes().strip()
        only = msgspec.convert(told.pop("only", {}), dict[str, str])
        encoding, delimiter = told.pop("encoding", "utf-8"), told.pop("delimiter", ",")
        document = msgspec.convert(told.pop("document", ""), str)
        columns = msgspec.convert(told.pop("columns", {}), dict[str, Any])
        found = Map(event, data, encoding, delimiter, key, only, document, columns)
        codecs.lookup(found.encoding)
    except (OSError, ValueError, LookupError, TypeError) as error:
        missing = f"{error.args[0]} is missing" if type(error) is KeyError else error
        raise CannotRead(f"the map {path.name}: {missing}") from error
    if told:
        raise CannotRead(f"the map {path.name}: {', '.join(told)} is not known")
    if key is not None and len(key) < KEY_BYTES_MIN:
        raise CannotRead(f"the map {path.name}: the key has less than {KEY_BYTES_MIN} bytes")
    return found


def unjudged(event: bytes) -> Problem | None:
    return None


def lines(
    stream: BinaryIO, how: Map, left_out: Callable[[int], None] = lambda rows: None, check: Check = unjudged
) -> Iterator[bytes]:
    """The events, each on the line that its row has in the file; other lines are blank. At the end `left_out` hears how
    many rows the map does not want. `check` judges the events that are documents. Raises `CannotRead`."""
    begins = stream.read(len(codecs.BOM_UTF8))
    if begins in WORKBOOKS:
        raise CannotRead("the file is a workbook: save it as CSV")
    encoding = "utf-8-sig" if begins == codecs.BOM_UTF8 else how.encoding
    repeated = frozenset[int]()
    if how.document:
        with _opened(stream, encoding) as text:
            file = _File(text, how)
            repeated = file.documents.repeated(file.rows(lambda rows: None))
    with _opened(stream, encoding) as text:
        file = _File(text, how)
        yield b"\n" * file.head_ends
        if how.document:
            found = file.documents.lines(file.rows(left_out), repeated, check)
            yield from _placed(found, file.head_ends)
        else:
            yield from _each(file.event, file.rows(left_out), file.head_ends)


@contextlib.contextmanager
def _opened(stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        csv.field_size_limit(FIELD_MAX)
        yield text
    except UnicodeDecodeError as error:
        hint = 'say encoding = "gb18030" in the map' if encoding.startswith("utf") else "is it UTF-8, or a workbook?"
        raise CannotRead(f"the file is not {encoding} ({hint})") from error
    except csv.Error as error:
        raise CannotRead(f"the file is no CSV: {error}") from error
    finally:
        text.detach()


class _File:
    """An export whose head was read, and what its map makes of a row."""

    def __init__(self, text: io.TextIOWrapper, how: Map) -> None:
        self._how = how
        self._blocks = _blocks(text, how.delimiter)
        self._first = next(self._blocks, [(0, ())])
        self.head_ends, head = self._first.pop(0)
        self._columns = columns = Columns(head, how.key)
        try:
            for name, spec in how.columns.items():
                columns.make(name, spec)
            columns.folds = [] if how.document else None
            event = joined([*_event(how, columns), "\n"])
            key = text_of(how.document, columns)
        except (AttributeError, LookupError, TypeError) as error:
            raise CannotRead(f"the map: a value is not written as this form wants it: {error}") from error
        self.event: Value = (lambda block: event(columns.whole(block))) if columns.made else event
        self.documents = Documents(columns, event, key if callable(key) else _no_document)

    def rows(self, left_out: Callable[[int], None]) -> Iterator[Rows]:
        """What says something, and is wanted. Of a document, a row with other cells than heads is for it to refuse."""
        how, width = self._how, 0 if self._how.document else len(self._columns.head)
        filled = filter(None, map(partial(_filled, width=width), chain((self._first,), self._blocks)))
        return _wanted(filled, how.only, self._columns, left_out) if how.only else filled


def _no_document(block: Sequence[Sequence[str]]) -> Iterator[str]:
    raise CannotRead("the map: `document` is a text with a {column}")


def _blocks(text: io.TextIOWrapper, delimiter: str) -> Iterator[Rows]:
    """What the cells of each row say, and the line on which it ends. Few blocks need more than to be split."""
    odd = (*"\"'=\t\u00a0\u3000\ufeff", f" {delimiter}", f"{delimiter} ")
    number = 0
    while block := text.readlines(BLOCK_CHARS):
        rows: Rows = []
        if any(map("".join(block).__contains__, odd)):
            reader = csv.reader(chain(block, text), delimiter=delimiter, strict=True)
            while reader.line_num < len(block):
                row = next(reader)
                rows.append((number + reader.line_num, [_bare(cell) for cell in row]))
        else:
            rows += ((at, line.strip(" \r\n").split(delimiter)) for at, line in enumerate(block, number + 1))
        number = rows[-1][0]
        yield rows


def _each(event: Value, blocks: Iterator[Rows], written: int) -> Iterator[bytes]:
    """Each row as an event, or why there is none."""
    spoilt = list[str]()
    for rows in blocks:
        numbers, cells = zip(*rows, strict=True)
        try:
            made = event(list(zip(*cells, strict=True)))
            if numbers[-1] - written == len(numbers):
                yield "".join(made).encode()
            else:
                yield from _placed(zip(numbers, map(str.encode, list(made)), strict=True), written)
        except Spoilt:
            spoilt += _told(event, rows)
            if len(spoilt) >= SPOILT_TOLD:
                break
        except Unreadable:
            told = [one for one in map(partial(_alone, event), rows) if isinstance(one, tuple)]
            spoilt += _told(event, rows)
            yield from _placed(iter(told), written)
        written = numbers[-1]
    if spoilt:
        raise CannotRead("\n".join(spoilt[:SPOILT_TOLD]))


def _placed(lines: Iterator[tuple[int, bytes]], written: int) -> Iterator[bytes]:
    """Each line where its row stands, after those that were `written`."""
    for number, line in lines:
        if over := number - 1 - written:
            yield b"\n" * over
        written = number
        yield line


def _alone(event: Value, row: tuple[int, Row]) -> tuple[int, bytes] | None:
    """The line of one row; none of one that a spreadsheet has spoilt."""
    number, cells = row
    try:
        return number, next(event([[cell] for cell in cells])).encode()
    except Unreadable as why:
        return number, refused.line(Problem(why.reason, refused.words(why.zh, why.en, why.column)))
    except Spoilt:
        return None


def _told(event: Value, rows: Rows) -> Iterator[str]:
    """What is wrong with those rows that a spreadsheet has spoilt."""
    for number, row in rows:
        try:
            next(event([[cell] for cell in row]))
        except Spoilt as spoilt:
            yield f"line {number}: {spoilt}"
        except Unreadable:
            pass


def _filled(block: Rows, width: int) -> Rows:
    """The rows of a block that say something."""
    filled = [(number, row) for number, row in block if any(row)]
    for number, row in filled:
        if width and len(row) != width:
            raise CannotRead(f"line {number}: {len(row)} cells under {width} heads")
    return filled


def _wanted(
    blocks: Iterator[Rows], only: Mapping[str, str], columns: Columns, left_out: Callable[[int], None]
) -> Iterator[Rows]:
    """Those rows of which every named column says what the map wants, and those whose cells are not under its head."""
    wants, left = [(columns.place(name), text) for name, text in only.items()], 0
    width = len(columns.head)
    if made := [name for name, (place, _) in zip(only, wants, strict=True) if place >= width]:
        raise CannotRead(f"the map: {made[0]} is made of a row, and `only` chooses which are read")
    for rows in blocks:
        wanted = [
            (number, row)
            for number, row in rows
            if len(row) != width or all(row[place] == text for place, text in wants)
        ]
        left += len(rows) - len(wanted)
        if wanted:
            yield wanted
    left_out(left)


def _bare(cell: str) -> str:
    """What a cell says, without the blanks around it and what keeps a spreadsheet from making a number of it."""
    text = cell.strip(_BLANKS)
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip(_BLANKS)
    return text[1:] if text.startswith("'") else text


def _event(how: Map, columns: Columns) -> Iterator[Value | str]:
    yield from members({"specversion": "1.0", **how.event}, columns, "", end=',"data":')
    yield from members(how.data, columns, "$", end="}}")
