"""An export of somebody's system (CSV) as lines of events, by a map that says what each column is.

What stays true: row n becomes line n, so that whatever is said of a line is said of its row; the same row and the same
map give the same bytes, so an export that is sent again is not doubled; one row is in memory at a time.

A row's mistakes are for the check to tell. Here a file is refused that cannot be read as its map says, and one that a
spreadsheet has spoilt: a number of 30 digits that was rounded would be another settlement's.
"""

import codecs
import csv
import hashlib
import hmac
import io
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from string import Formatter
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import msgspec

KEY_BYTES_MIN = 16
FIELD_MAX = 1 << 20
_BLANKS = " \t\r\n\u00a0\u3000\ufeff"
_BEFORE = f"{_BLANKS}'="
_AMOUNT = re.compile(r"(-?)0*([0-9]+)(?:\.([0-9]*))?").fullmatch
_DATE = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?").match
_CLOCK = re.compile(r"[T ]?([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2}))?(?:\.[0-9]*)?$").match
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+").fullmatch

Row: TypeAlias = Sequence[str]
Value: TypeAlias = Callable[[Row], Any]


class CannotRead(Exception):
    """A file or a map that cannot be used, and why."""


class Map(NamedTuple):
    """`type`, `source`, `id` and `time` of each event, its `data`, and how the file is written."""

    event: Mapping[str, Any]
    data: Mapping[str, Any]
    encoding: str
    delimiter: str
    key: bytes | None


def read_map(path: Path) -> Map:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        event = {name: told.pop(name) for name in ("type", "source", "id", "time")}
        data, key_file = told.pop("data"), told.pop("key_file", None)
        key = None if key_file is None else (path.parent / key_file).read_bytes().strip()
        found = Map(event, data, told.pop("encoding", "utf-8"), told.pop("delimiter", ","), key)
        codecs.lookup(found.encoding)
    except (OSError, ValueError, LookupError, TypeError) as error:
        missing = f"{error.args[0]} is missing" if type(error) is KeyError else error
        raise CannotRead(f"the map {path.name}: {missing}") from error
    if told:
        raise CannotRead(f"the map {path.name}: {', '.join(told)} is not known")
    if key is not None and len(key) < KEY_BYTES_MIN:
        raise CannotRead(f"the map {path.name}: the key has less than {KEY_BYTES_MIN} bytes")
    return found


def lines(stream: BinaryIO, how: Map) -> Iterator[bytes]:
    """The events, each on the line that its row has in the file; other lines are blank. Raises `CannotRead`."""
    encoding = "utf-8-sig" if stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else how.encoding
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        csv.field_size_limit(FIELD_MAX)
        yield from _lines(csv.reader(text, delimiter=how.delimiter, strict=True), how)
    except UnicodeDecodeError as error:
        hint = ' (say encoding = "gb18030" in the map)' if encoding.startswith("utf") else ""
        raise CannotRead(f"the file is not {encoding}{hint}") from error
    except csv.Error as error:
        raise CannotRead(f"the file is no CSV: {error}") from error
    finally:
        text.detach()


def _lines(rows: Any, how: Map) -> Iterator[bytes]:
    head = [name.strip(_BLANKS) for name in next(rows, [])]
    try:
        made = _object({"specversion": "1.0", **how.event, "data": how.data}, _Columns(head, how.key))
    except (AttributeError, LookupError, TypeError) as error:
        raise CannotRead(f"the map: a value is not written as this form wants it: {error}") from error
    written = 0
    for row in rows:
        yield b"\n" * (rows.line_num - 1 - written)
        written = rows.line_num
        cells = [cell if _is_bare(cell) else _bare(cell) for cell in row]
        if not any(cells):
            yield b"\n"
        elif len(cells) != len(head):
            raise CannotRead(f"line {written}: {len(cells)} cells under {len(head)} heads")
        else:
            yield _event(made, cells, written)


def _event(made: Value, cells: Row, line: int) -> bytes:
    try:
        return msgspec.json.encode(made(cells)) + b"\n"
    except _Spoilt as spoilt:
        raise CannotRead(f"line {line}: {spoilt}") from spoilt


class _Spoilt(Exception):
    pass


def _is_bare(cell: str) -> bool:
    return not cell or (cell[0] not in _BEFORE and cell[-1] not in _BLANKS)


def _bare(cell: str) -> str:
    """What a cell says, without the blanks around it and what keeps a spreadsheet from making a number of it."""
    text = cell.strip(_BLANKS)
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip(_BLANKS)
    return text[1:] if text.startswith("'") else text


# What a map says of a value: a text with {columns}, a table that names a form, or anything else as it stands


class _Columns:
    def __init__(self, head: Sequence[str], key: bytes | None) -> None:
        self._places = {name: place for place, name in enumerate(head)}
        self._head = head
        self.key = key

    def place(self, name: str) -> int:
        if self._head.count(name) == 1:
            return self._places[name]
        wrong = "is there twice" if name in self._places else "is missing"
        raise CannotRead(f"the column {name} {wrong}; the file has {', '.join(self._head) or 'no heads'}")


def _object(told: Mapping[str, Any], columns: _Columns) -> Value:
    members = [(name, _value(spec, columns)) for name, spec in told.items()]
    return lambda row: {name: value(row) for name, value in members}


def _value(spec: Any, columns: _Columns) -> Value:
    if isinstance(spec, str):
        return _template(spec, columns)
    if not isinstance(spec, dict):
        return lambda _: spec
    form = FORMS.get(next(iter(spec), ""))
    return _object(spec, columns) if form is None else form(spec, columns)


def _template(text: str, columns: _Columns) -> Value:
    try:
        parts = [(before, name) for before, name, _, _ in Formatter().parse(text)]
    except ValueError as error:
        raise CannotRead(f"the map: {text!r}: {error}") from error
    if all(name is None for _, name in parts):
        return lambda _: text
    places = [(before, None if name is None else columns.place(name)) for before, name in parts]
    return lambda row: "".join(before if place is None else before + _exact(row[place]) for before, place in places)


def _exact(text: str) -> str:
    if _ROUNDED(text):
        raise _Spoilt(f"{text} is a number that a spreadsheet has rounded; export it as text")
    return text


def _column(form: Callable[[str], Any], name: str, spec: Mapping[str, Any], columns: _Columns) -> Value:
    place = columns.place(spec[name])
    return lambda row: form(row[place])


def _yuan(spec: Mapping[str, Any], columns: _Columns) -> Value:
    names = [spec["yuan"]] if isinstance(spec["yuan"], str) else spec["yuan"]
    places = [columns.place(name) for name in names]
    if len(places) == 1:
        return partial(_only_amount, places[0])
    return lambda row: _sum([row[place] for place in places])


def _only_amount(place: int, row: Row) -> str:
    return amount(row[place])


@lru_cache(maxsize=4096)
def amount(text: str) -> str:
    """Yuan as events write them: nothing is 0.00, zeros at the end are added or taken away, never a digit; what is not
    an amount stays as it is, for the check to refuse."""
    if not text:
        return "0.00"
    written = _AMOUNT(text.replace(",", ""))
    if written is None or len(fraction := (written[3] or "").rstrip("0")) > 2:
        return text
    found = f"{written[2]}.{fraction.ljust(2, '0')}"
    return found if found == "0.00" else f"{written[1]}{found}"


def _sum(texts: Sequence[str]) -> str:
    """Where the export has more columns than the event has members."""
    found = [amount(text) for text in texts]
    wrong = [text for text in found if not re.fullmatch(r"-?[0-9]+\.[0-9]{2}", text)]
    if wrong:
        return wrong[0]
    fen = sum(int(text.replace(".", "")) for text in found)
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


@lru_cache(maxsize=64)
def _parts(text: str) -> tuple[str, str] | None:
    """Day and time of day, of a time as exports write it."""
    day = _DATE(text)
    if day is None:
        return None
    clock = _CLOCK(text[day.end() :]) if text[day.end() :].strip() else None
    if clock is None and text[day.end() :].strip():
        return None
    hour, minute, second = (clock[1], clock[2], clock[3] or "00") if clock else ("00", "00", "00")
    return f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}", f"{int(hour):02}:{minute}:{second}"


def day(text: str) -> str:
    found = _parts(text)
    return text if found is None else found[0]


def year(text: str) -> int | str:
    found = _parts(text)
    return text if found is None else int(found[0][:4])


def time(text: str) -> str:
    """A time of day without an offset is one of the clocks of Shanghai."""
    found = _parts(text)
    return text if found is None else f"{found[0]}T{found[1]}+08:00"


def _hash(spec: Mapping[str, Any], columns: _Columns) -> Value:
    key, text = columns.key, _template(spec["hash"], columns)
    if key is None:
        raise CannotRead("the map: a hash needs key_file, the file of your key")
    return lambda row: hmac.digest(key, text(row).encode(), hashlib.sha256).hex()[:32]


def _code(spec: Mapping[str, Any], columns: _Columns) -> Value:
    place, table = columns.place(spec["code"]), spec.get("is", {})
    return lambda row: table.get(row[place], row[place])


def _amounts(spec: Mapping[str, Any], columns: _Columns) -> Value:
    """By fund, without those that bear nothing."""
    members = [(_fund(name, spec, columns), _value({"yuan": told}, columns)) for name, told in spec["amounts"].items()]

    def made(row: Row) -> dict[str, str]:
        found = [(fund(row), value(row)) for fund, value in members]
        return {fund: value for fund, value in found if value != "0.00"}

    return made


def _fund(name: str, spec: Mapping[str, Any], columns: _Columns) -> Value:
    """A fund's code, or the name of a code that `where` finds in a column."""
    return _code(spec["where"][name], columns) if name in spec.get("where", {}) else _template(name, columns)


FORMS: Mapping[str, Callable[[Mapping[str, Any], _Columns], Value]] = {
    "yuan": _yuan,
    "day": partial(_column, day, "day"),
    "year": partial(_column, year, "year"),
    "time": partial(_column, time, "time"),
    "hash": _hash,
    "code": _code,
    "amounts": _amounts,
}
