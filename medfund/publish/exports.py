"""An export of somebody's system (CSV) as lines of events, by a map that says what each column is.

What stays true: row n becomes line n, so that whatever is said of a line is said of its row; the same row and the same
map give the same bytes, so an export that is sent again is not doubled; a few hundred rows are in memory at a time.

A row's mistakes are for the check to tell. Here a file is refused that cannot be read as its map says, and one that a
spreadsheet has spoilt: a number of 30 digits that was rounded would be another settlement's.
"""

import codecs
import csv
import io
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from itertools import chain, groupby, repeat
from pathlib import Path
from string import Formatter
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

import msgspec

KEY_BYTES_MIN = 16
KEY_BLOCK_BYTES = 64
BLOCK_CHARS = 1 << 15
SPOILT_TOLD = 20
CELL_TOLD = 20
WORKBOOKS = (b"PK\x03", b"\xd0\xcf\x11")
FIELD_MAX = 1 << 20
_BLANKS = " \t\r\n\u00a0\u3000\ufeff"
_AMOUNT = re.compile(r"(-?)0*([0-9]+)(?:\.([0-9]*))?").fullmatch
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}").fullmatch
_DATE = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?").match
_CLOCK = re.compile(r"[T ]?([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2}))?(?:\.[0-9]*)?$").match
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+").fullmatch

Row: TypeAlias = Sequence[str]
Block: TypeAlias = Sequence[Sequence[str]]
"""Some rows, column by column."""
Value: TypeAlias = Callable[[Block], Iterator[str]]
"""Makes what each row of a block says, in their order and not before it is asked for."""


class CannotRead(Exception):
    """A file or a map that cannot be used, and why."""


class Map(NamedTuple):
    """`type`, `source`, `id` and `time` of each event, its `data`, how the file is written, and which rows count."""

    event: Mapping[str, Any]
    data: Mapping[str, Any]
    encoding: str
    delimiter: str
    key: bytes | None
    only: Mapping[str, str]


def read_map(path: Path) -> Map:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        event = {name: told.pop(name) for name in ("type", "source", "id", "time")}
        data, key_file = told.pop("data"), told.pop("key_file", None)
        key = None if key_file is None else (path.parent / key_file).read_bytes().strip()
        only = msgspec.convert(told.pop("only", {}), dict[str, str])
        found = Map(event, data, told.pop("encoding", "utf-8"), told.pop("delimiter", ","), key, only)
        codecs.lookup(found.encoding)
    except (OSError, ValueError, LookupError, TypeError) as error:
        missing = f"{error.args[0]} is missing" if type(error) is KeyError else error
        raise CannotRead(f"the map {path.name}: {missing}") from error
    if told:
        raise CannotRead(f"the map {path.name}: {', '.join(told)} is not known")
    if key is not None and len(key) < KEY_BYTES_MIN:
        raise CannotRead(f"the map {path.name}: the key has less than {KEY_BYTES_MIN} bytes")
    return found


def lines(stream: BinaryIO, how: Map, left_out: Callable[[int], None] = lambda rows: None) -> Iterator[bytes]:
    """The events, each on the line that its row has in the file; other lines are blank. At the end `left_out` hears how
    many rows the map does not want. Raises `CannotRead`."""
    begins = stream.read(len(codecs.BOM_UTF8))
    if begins in WORKBOOKS:
        raise CannotRead("the file is a workbook: save it as CSV")
    encoding = "utf-8-sig" if begins == codecs.BOM_UTF8 else how.encoding
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        csv.field_size_limit(FIELD_MAX)
        yield from _lines(_blocks(text, how.delimiter), how, left_out)
    except UnicodeDecodeError as error:
        hint = 'say encoding = "gb18030" in the map' if encoding.startswith("utf") else "is it UTF-8, or a workbook?"
        raise CannotRead(f"the file is not {encoding} ({hint})") from error
    except csv.Error as error:
        raise CannotRead(f"the file is no CSV: {error}") from error
    finally:
        text.detach()


def _blocks(text: io.TextIOWrapper, delimiter: str) -> Iterator[list[tuple[int, Row]]]:
    """What the cells of each row say, and the line on which it ends. Few blocks need more than to be split."""
    odd = (*"\"'=\t\u00a0\u3000\ufeff", f" {delimiter}", f"{delimiter} ")
    number = 0
    while block := text.readlines(BLOCK_CHARS):
        rows: list[tuple[int, Row]] = []
        if any(map("".join(block).__contains__, odd)):
            reader = csv.reader(chain(block, text), delimiter=delimiter, strict=True)
            while reader.line_num < len(block):
                row = next(reader)
                rows.append((number + reader.line_num, [_bare(cell) for cell in row]))
        else:
            rows += ((at, line.strip(" \r\n").split(delimiter)) for at, line in enumerate(block, number + 1))
        number = rows[-1][0]
        yield rows


def _lines(blocks: Iterator[list[tuple[int, Row]]], how: Map, left_out: Callable[[int], None]) -> Iterator[bytes]:
    first: list[tuple[int, Row]] = next(blocks, [(0, ())])
    written, head = first.pop(0)
    columns = _Columns(head, how.key)
    try:
        event = _joined([*_event(how, columns), "\n"])
    except (AttributeError, LookupError, TypeError) as error:
        raise CannotRead(f"the map: a value is not written as this form wants it: {error}") from error
    yield b"\n" * written
    spoilt = list[str]()
    filled = filter(None, map(partial(_filled, width=len(head)), chain((first,), blocks)))
    for rows in _wanted(filled, how.only, columns, left_out) if how.only else filled:
        numbers, cells = zip(*rows, strict=True)
        try:
            yield from _placed(event(list(zip(*cells, strict=True))), written, numbers)
        except _Spoilt:
            spoilt += _told(event, rows)
            if len(spoilt) >= SPOILT_TOLD:
                break
        written = numbers[-1]
    if spoilt:
        raise CannotRead("\n".join(spoilt[:SPOILT_TOLD]))


def _placed(lines: Iterator[str], written: int, numbers: Sequence[int]) -> Iterator[bytes]:
    """Each line where its row stands, after those that were `written`."""
    if numbers[-1] - written == len(numbers):
        yield "".join(lines).encode()
        return
    for number, line in zip(numbers, lines, strict=True):
        if over := number - 1 - written:
            yield b"\n" * over
        written = number
        yield line.encode()


def _told(event: Value, rows: list[tuple[int, Row]]) -> Iterator[str]:
    """What is wrong with those rows that a spreadsheet has spoilt."""
    for number, row in rows:
        try:
            next(event([[cell] for cell in row]))
        except _Spoilt as spoilt:
            yield f"line {number}: {spoilt}"


def _filled(block: list[tuple[int, Row]], width: int) -> list[tuple[int, Row]]:
    """The rows of a block that say something."""
    filled = [(number, row) for number, row in block if any(row)]
    for number, row in filled:
        if len(row) != width:
            raise CannotRead(f"line {number}: {len(row)} cells under {width} heads")
    return filled


def _wanted(
    blocks: Iterator[list[tuple[int, Row]]],
    only: Mapping[str, str],
    columns: "_Columns",
    left_out: Callable[[int], None],
) -> Iterator[list[tuple[int, Row]]]:
    """Those rows of which every named column says what the map wants."""
    wants, left = [(columns.place(name), text) for name, text in only.items()], 0
    for rows in blocks:
        wanted = [(number, row) for number, row in rows if all(row[place] == text for place, text in wants)]
        left += len(rows) - len(wanted)
        if wanted:
            yield wanted
    left_out(left)


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


def _event(how: Map, columns: _Columns) -> Iterator[Value | str]:
    yield from _object({"specversion": "1.0", **how.event}, columns, end=',"data":')
    yield from _object(how.data, columns, end="}}")


def _object(told: Mapping[str, Any], columns: _Columns, end: str = "}") -> Iterator[Value | str]:
    yield "{"
    for number, (name, spec) in enumerate(told.items()):
        yield f"{',' if number else ''}{_json(name)}:"
        yield from _value(spec, columns)
    yield end


def _value(spec: Any, columns: _Columns) -> Iterator[Value | str]:
    """JSON that is the same for every row, and what is made of each."""
    if not isinstance(spec, dict):
        yield _quoted(spec, columns) if isinstance(spec, str) else _json(spec)
    elif name := next((name for name in FORMS if name in spec), ""):
        yield FORMS[name](_known(spec, name, *BESIDE.get(name, ())), columns)
    else:
        yield from _object(spec, columns)


def _known(spec: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """A table of the map that has these names only."""
    if unknown := [name for name in spec if name not in names]:
        raise CannotRead(f"the map: {', '.join(unknown)} is not known beside {', '.join(names)}")
    return spec


def _joined(parts: Iterable[Value | str]) -> Value:
    """What is the same in every row, with what is made of it between."""
    merged = [
        part
        for alike, run in groupby(parts, key=lambda part: isinstance(part, str))
        for part in (["".join(cast(Iterable[str], run))] if alike else run)
    ]
    return lambda block: map("".join, zip(*(_each(part, block) for part in merged), strict=True))


def _each(part: Value | str, block: Block) -> Iterator[str]:
    return repeat(part, len(block[0])) if isinstance(part, str) else part(block)


def _of(place: int, told: Callable[[str], str]) -> Value:
    return lambda block: map(told, block[place])


def _quoted(text: str, columns: _Columns) -> Value | str:
    plain = _text(text, columns)
    return _json(plain) if isinstance(plain, str) else lambda block: _quotes(list(plain(block)))


def _quotes(texts: list[str]) -> Iterator[str]:
    """A few texts stand again and again."""
    quoted = {text: _quote(text) for text in dict.fromkeys(texts)}
    return map(quoted.__getitem__, texts)


def _quote(text: str) -> str:
    if text.isascii() and text.isalnum() and text[1:2] not in ("e", "E"):
        return f'"{text}"'
    return _json(_exact(text))


def _text(text: str, columns: _Columns) -> Value | str:
    """A text that is the same for every row, or one with {columns}. Whether a column alone is exact is still to see."""
    parts = list[Value | str]()
    try:
        for before, name, _, _ in Formatter().parse(text):
            parts += [before] if name is None else [before, _of(place := columns.place(name), _exact)]
    except ValueError as error:
        raise CannotRead(f"the map: {text!r}: {error}") from error
    parts = [part for part in parts if part != ""]
    if all(isinstance(part, str) for part in parts):
        return "".join(cast(list[str], parts))
    return (lambda block: iter(block[place])) if len(parts) == 1 else _joined(parts)


def _exact(text: str) -> str:
    if text[1:2] in (".", "e", "E") and _ROUNDED(text):
        raise _Spoilt(f"{text} is a number that a spreadsheet has rounded; export it as text")
    return text


def _column(form: Callable[[str], str], name: str, spec: Mapping[str, Any], columns: _Columns) -> Value:
    return _of(columns.place(spec[name]), form)


def _yuan(spec: Mapping[str, Any], columns: _Columns) -> Value:
    if isinstance(spec["yuan"], str):
        return _of(columns.place(spec["yuan"]), lru_cache(maxsize=4096)(lambda text: _json(amount(text))))
    places = [columns.place(name) for name in spec["yuan"]]
    return lambda block: map(_json, map(_sum, zip(*(block[place] for place in places), strict=True)))


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
    if _USUAL(text):
        return text[:10], text[11:]
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
    return _json(text) if found is None else f'"{found[0]}"'


def year(text: str) -> str:
    found = _parts(text)
    return _json(text) if found is None else str(int(found[0][:4]))


def time(text: str) -> str:
    """A time of day without an offset is one of the clocks of Shanghai."""
    found = _parts(text)
    return _json(text) if found is None else f'"{found[0]}T{found[1]}+08:00"'


def _hash(spec: Mapping[str, Any], columns: _Columns) -> Value:
    if (key := columns.key) is None:
        raise CannotRead("the map: a hash needs key_file, the file of your key")
    text, sign = _text(spec["hash"], columns), _hmac(key)
    return lambda block: (f'"{sign(_exact(plain))[:32]}"' for plain in _each(text, block))


def _hmac(key: bytes) -> Callable[[str], str]:
    """HMAC-SHA256 in hex; with the key taken in once, it takes a third of the time of the library's own."""
    block = (sha256(key).digest() if len(key) > KEY_BLOCK_BYTES else key).ljust(KEY_BLOCK_BYTES, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def sign(text: str) -> str:
        within, around = inner.copy(), outer.copy()
        within.update(text.encode())
        around.update(within.digest())
        return around.hexdigest()

    return sign


def _code(spec: Mapping[str, Any], columns: _Columns) -> Value:
    """The code that stands for a cell's. For one that the map does not list stands why there is none, with a line's end
    so that no field takes it: the check refuses its row in these words."""
    name, table = spec["code"], {text: _json(code) for text, code in spec["is"].items()}
    return _of(
        columns.place(name),
        lambda text: table.get(text) or _json(f"column {name} has {text[:CELL_TOLD]}, which `is` does not list\n"),
    )


def _amounts(spec: Mapping[str, Any], columns: _Columns) -> Value:
    """By fund, without those that bear nothing."""
    joined = _joined(
        _borne(_fund(name, spec, columns), _yuan({"yuan": told}, columns)) for name, told in spec["amounts"].items()
    )
    _known(spec.get("where", {}), *spec["amounts"])
    return lambda block: (f"{{{row[1:]}}}" for row in joined(block))


def _borne(fund: Value | str, yuan: Value) -> Value:
    """What a fund bears, after what others bear."""

    @lru_cache(maxsize=4096)
    def told(code: str, borne: str) -> str:
        return "" if borne == NOTHING else f",{code}:{borne}"

    return lambda block: map(told, _each(fund, block), yuan(block))


def _fund(name: str, spec: Mapping[str, Any], columns: _Columns) -> Value | str:
    """A fund's code, or the name of a code that `where` finds in a column."""
    where = spec.get("where", {})
    return _code(_known(where[name], "code", "is"), columns) if name in where else _json(name)


NOTHING = '"0.00"'
BESIDE = {"code": ("is",), "amounts": ("where",)}
FORMS: Mapping[str, Callable[[Mapping[str, Any], _Columns], Value]] = {
    "yuan": _yuan,
    "day": partial(_column, day, "day"),
    "year": partial(_column, year, "year"),
    "time": partial(_column, time, "time"),
    "hash": _hash,
    "code": _code,
    "amounts": _amounts,
}
