"""An export of somebody's system (CSV) as lines of events, by a map that says what each column is.

What stays true: row n becomes line n, so that whatever is said of a line is said of its row; the same row and the same
map give the same bytes, so an export that is sent again is not doubled; one row is in memory at a time.

A row's mistakes are for the check to tell. Here a file is refused that cannot be read as its map says, and one that a
spreadsheet has spoilt: a number of 30 digits that was rounded would be another settlement's.
"""

import codecs
import csv
import io
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from string import Formatter
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import msgspec

KEY_BYTES_MIN = 16
BLOCK_BYTES = 64
FIELD_MAX = 1 << 20
_BLANKS = " \t\r\n\u00a0\u3000\ufeff"
_AMOUNT = re.compile(r"(-?)0*([0-9]+)(?:\.([0-9]*))?").fullmatch
_USUAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})").fullmatch
_DATE = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?").match
_CLOCK = re.compile(r"[T ]?([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2}))?(?:\.[0-9]*)?$").match
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+").fullmatch

Row: TypeAlias = Sequence[str]
WHOLE = slice(None)


class Value(NamedTuple):
    """JSON that is made of a cell of each row, or of the `WHOLE` row."""

    place: int | slice
    told: Callable[[Any], str]


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
        yield from _lines(_rows(text, how.delimiter), how)
    except UnicodeDecodeError as error:
        hint = ' (say encoding = "gb18030" in the map)' if encoding.startswith("utf") else ""
        raise CannotRead(f"the file is not {encoding}{hint}") from error
    except csv.Error as error:
        raise CannotRead(f"the file is no CSV: {error}") from error
    finally:
        text.detach()


def _rows(text: Iterator[str], delimiter: str) -> Iterator[tuple[int, Row]]:
    """What the cells of each row say, and the line on which it ends. Few lines need more than to be split."""
    odd = (*"'=\t\u00a0\u3000\ufeff", f" {delimiter}", f"{delimiter} ")
    number = 0
    for line in text:
        number += 1
        plain = line.rstrip("\r\n")
        row = plain.split(delimiter)
        if '"' in plain:
            reader = csv.reader(chain((line,), text), delimiter=delimiter, strict=True)
            row = [_bare(cell) for cell in next(reader)]
            number += reader.line_num - 1
        elif plain != plain.strip(" ") or any(map(plain.__contains__, odd)):
            row = [_bare(cell) for cell in row]
        yield number, row


def _lines(rows: Iterator[tuple[int, Row]], how: Map) -> Iterator[bytes]:
    written, head = next(rows, (0, ()))
    try:
        made = _object({"specversion": "1.0", **how.event, "data": how.data}, _Columns(head, how.key))
    except (AttributeError, LookupError, TypeError) as error:
        raise CannotRead(f"the map: a value is not written as this form wants it: {error}") from error
    yield b"\n" * written
    for number, cells in rows:
        if over := number - 1 - written:
            yield b"\n" * over
        written = number
        if not any(cells):
            yield b"\n"
        elif len(cells) != len(head):
            raise CannotRead(f"line {written}: {len(cells)} cells under {len(head)} heads")
        else:
            yield _line(made, cells, written)


def _line(made: Value, cells: Row, line: int) -> bytes:
    try:
        return made.told(cells).encode() + b"\n"
    except _Spoilt as spoilt:
        raise CannotRead(f"line {line}: {spoilt}") from spoilt


class _Spoilt(Exception):
    pass


def _bare(cell: str) -> str:
    """What a cell says, without the blanks around it and what keeps a spreadsheet from making a number of it."""
    text = cell.strip(_BLANKS)
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip(_BLANKS)
    return text[1:] if text.startswith("'") else text


# What a map says of a value: a text with {columns}, a table that names a form, or anything else as it stands. It gives
# JSON at once: with an object of Python's for each row, an export takes a third more time.


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


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _value(spec: Any, columns: _Columns) -> Value | str:
    """JSON that is the same for every row, or how it is made."""
    if isinstance(spec, str):
        return _text(spec, columns)
    if not isinstance(spec, dict):
        return _json(spec)
    form = FORMS.get(next(iter(spec), ""))
    return _object(spec, columns) if form is None else form(spec, columns)


def _object(told: Mapping[str, Any], columns: _Columns) -> Value:
    pieces, values = ["{"], list[Value]()
    for name, spec in told.items():
        pieces[-1] += f"{',' if len(pieces) > 1 or pieces[-1] != '{' else ''}{_json(name)}:"
        value = _value(spec, columns)
        if isinstance(value, str):
            pieces[-1] += value
        else:
            values.append(value)
            pieces += ["", ""]
    pieces[-1] += "}"

    def made(row: Row) -> str:
        pieces[1::2] = [told(row[place]) for place, told in values]
        return "".join(pieces)

    return Value(WHOLE, made)


def _text(text: str, columns: _Columns) -> Value | str:
    try:
        parts = [(before, name) for before, name, _, _ in Formatter().parse(text)]
    except ValueError as error:
        raise CannotRead(f"the map: {text!r}: {error}") from error
    if all(name is None for _, name in parts):
        return _json(text)
    places = [(before, None if name is None else columns.place(name)) for before, name in parts]
    if len(places) == 1 and not places[0][0]:
        return Value(columns.place(parts[0][1] or ""), _cell)

    def made(row: Row) -> str:
        return _json("".join(before if place is None else before + _exact(row[place]) for before, place in places))

    return Value(WHOLE, made)


def _cell(text: str) -> str:
    if text.isascii() and text.isalnum() and text[1:2] not in ("e", "E"):
        return f'"{text}"'
    return _json(_exact(text))


def _exact(text: str) -> str:
    if _ROUNDED(text):
        raise _Spoilt(f"{text} is a number that a spreadsheet has rounded; export it as text")
    return text


def _column(form: Callable[[str], Any], name: str, spec: Mapping[str, Any], columns: _Columns) -> Value:
    return Value(columns.place(spec[name]), lru_cache(maxsize=4096)(lambda text: _json(form(text))))


def _of_time(form: Callable[[str], Any], name: str, spec: Mapping[str, Any], columns: _Columns) -> Value:
    """Not kept: hardly any two rows have one time."""
    return Value(columns.place(spec[name]), lambda text: _json(form(text)))


def _yuan(spec: Mapping[str, Any], columns: _Columns) -> Value:
    if isinstance(spec["yuan"], str):
        return _column(amount, "yuan", spec, columns)
    places = [columns.place(name) for name in spec["yuan"]]
    return Value(WHOLE, lambda row: _json(_sum([row[place] for place in places])))


def amount(text: str) -> str:
    """Yuan as events write them: nothing is 0.00, zeros at the end are added or taken away, never a digit; what is not
    an amount stays as it is, for the check to refuse."""
    if not text:
        return "0.00"
    if text[-3:-2] == "." and text[0] != "0" and text[:-3].isdigit() and text[-2:].isdigit():
        return text  # as most are written
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
    if usual := _USUAL(text):
        return usual[1], usual[2]
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
    if (key := columns.key) is None:
        raise CannotRead("the map: a hash needs key_file, the file of your key")
    text = _text(spec["hash"], columns)
    place, told = text if isinstance(text, Value) else (WHOLE, lambda _: text)
    sign = _hmac(key)

    def made(cell: Any) -> str:
        plain = told(cell)
        return f'"{sign(plain[1:-1] if BACKSLASH not in plain else str(msgspec.json.decode(plain)))[:32]}"'

    return Value(place, made)


def _hmac(key: bytes) -> Callable[[str], str]:
    """HMAC-SHA256 in hex; with the key taken in once, it takes a third of the time of the library's own."""
    block = (sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def sign(text: str) -> str:
        within, around = inner.copy(), outer.copy()
        within.update(text.encode())
        around.update(within.digest())
        return around.hexdigest()

    return sign


def _code(spec: Mapping[str, Any], columns: _Columns) -> Value:
    """The code that stands for a cell's. One that the map does not list is none: the check refuses its row."""
    table = {text: _json(code) for text, code in spec["is"].items()}
    return Value(columns.place(spec["code"]), lambda text: table.get(text, NO_CODE))


def _amounts(spec: Mapping[str, Any], columns: _Columns) -> Value:
    """By fund, without those that bear nothing."""
    members = [(_fund(name, spec, columns), *_yuan({"yuan": told}, columns)) for name, told in spec["amounts"].items()]

    def made(row: Row) -> str:
        borne = [(fund, amount) for fund, place, told in members if (amount := told(row[place])) != NOTHING]
        return f"{{{','.join([f'{fund.told(row[fund.place])}:{amount}' for fund, amount in borne])}}}"

    return Value(WHOLE, made)


def _fund(name: str, spec: Mapping[str, Any], columns: _Columns) -> Value:
    """A fund's code, or the name of a code that `where` finds in a column."""
    if name in spec.get("where", {}):
        return _code(spec["where"][name], columns)
    code = _json(name)
    return Value(WHOLE, lambda _: code)


NOTHING, NO_CODE, BACKSLASH = '"0.00"', '""', "\\"
FORMS: Mapping[str, Callable[[Mapping[str, Any], _Columns], Value]] = {
    "yuan": _yuan,
    "day": partial(_of_time, day, "day"),
    "year": partial(_of_time, year, "year"),
    "time": partial(_of_time, time, "time"),
    "hash": _hash,
    "code": _code,
    "amounts": _amounts,
}
