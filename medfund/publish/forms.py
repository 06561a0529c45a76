"""What a map says of a value: a text with {columns}, a table that names a form, or anything else as it stands.

It gives JSON at once, for a block of rows: with an object of Python's for each row, an export takes a third more time.
What stays true: of each place in an event it is known from which columns it comes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from itertools import compress, groupby, repeat
from string import Formatter
from typing import Any, NamedTuple, TypeAlias, cast

from medfund import invoices
from medfund.events.refusals import Reason
from medfund.publish import cells
from medfund.publish.cells import Unreadable, json, quoted

KEY_BLOCK_BYTES = 64
CELL_TOLD = 20
MARK = "\0"
"""Stands around the number of a fold in what a row gives: no JSON has it."""
is_rounded = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+").fullmatch

Block: TypeAlias = Sequence[Sequence[str]]
"""Some rows, column by column."""
Value: TypeAlias = Callable[[Block], Iterator[str]]
"""Makes what each row of a block says, in their order and not before it is asked for."""
Spec: TypeAlias = Mapping[str, Any]


class CannotRead(Exception):
    """A file or a map that cannot be used, and why."""


class Spoilt(Exception):
    """A number that a spreadsheet has rounded."""


class Fold(NamedTuple):
    """What all rows of a document say together: JSON of each, and what is made of them."""

    each: Value
    together: Callable[[list[str]], str]


class Columns:
    """The heads of a file, those that a map makes of them, and what was asked for by whom."""

    def __init__(self, head: Sequence[str], key: bytes | None) -> None:
        self._places = {name: place for place, name in enumerate(head)}
        self.head = head
        self.key = key
        self.made: list[Value] = []
        self.folds: list[Fold] | None = None
        """None where each row is an event of its own."""
        self.of: dict[str, list[str]] = {}
        """Path -> the columns from which it comes."""
        self._sources: dict[str, list[str]] = {}
        self._asked: list[str] = []

    def make(self, name: str, spec: Any) -> None:
        """One more column, of what a form makes of others."""
        if name in self._places:
            raise CannotRead(f"the map: the file has a column {name} already")
        value = joined(self.noted(f"[{name}]", spec))
        self._sources[name] = self.of[f"[{name}]"]
        self._places[name] = len(self.head) + len(self.made)
        self.made.append(lambda block: map(_bare, value(block)))

    def noted(self, path: str, spec: Any) -> Iterator[Value | str]:
        """The parts of a value, while it is written down from which columns it comes."""
        before = len(self._asked)
        yield from _value(spec, self, path)
        self.of[path] = list(dict.fromkeys(self._asked[before:]))

    def place(self, name: str) -> int:
        if name in self._sources or self.head.count(name) == 1:
            self._asked += self._sources.get(name, [name])
            return self._places[name]
        wrong = "is there twice" if name in self._places else "is missing"
        raise CannotRead(f"the column {name} {wrong}; the file has {', '.join(self.head) or 'no heads'}")

    def whole(self, block: Block) -> Block:
        """A block with the columns that are made."""
        for value in self.made:
            block = [*block, list(value(block))]
        return block


def _bare(value: str) -> str:
    return value[1:-1] if value.startswith('"') else value


def members(told: Spec, columns: Columns, path: str, end: str = "}", begin: str = "{") -> Iterator[Value | str]:
    """An object. What may be left out comes last, each with the comma before it."""
    there = {name: spec for name, spec in told.items() if not _optional(spec)}
    if len(there) < len(told) and not there:
        raise CannotRead(f"the map: all of {', '.join(told)} may be left out")
    yield begin
    for number, (name, spec) in enumerate(there.items()):
        yield f"{',' if number else ''}{json(name)}:"
        yield from columns.noted(f"{path}.{name}", spec)
    for name in [name for name in told if name not in there]:
        spec = {key: value for key, value in told[name].items() if key != "optional"}
        value = joined([f",{json(name)}:", *columns.noted(f"{path}.{name}", spec)])
        yield _where_filled(value, [columns.place(source) for source in _mains(spec)])
    yield end


def _optional(spec: Any) -> bool:
    return isinstance(spec, dict) and spec.get("optional") is True


def _mains(spec: Spec) -> list[str]:
    """The columns without which there is no value."""
    name = next((name for name in FORMS if name in spec), "")
    told = spec.get(name)
    if isinstance(told, list):
        return told
    if name in ("text", "hash"):
        return [column for _, column, _, _ in Formatter().parse(str(told)) if column]
    if isinstance(told, str):
        return [told]
    raise CannotRead(f"the map: {', '.join(spec)} cannot be left out")


def _where_filled(value: Value, places: Sequence[int]) -> Value:
    """Nothing of the rows that have nothing there."""

    def told(block: Block) -> Iterator[str]:
        filled = [any(texts) for texts in zip(*(block[place] for place in places), strict=True)]
        if not any(filled):
            return repeat("", len(filled))
        found = value([list(compress(column, filled)) for column in block])
        return (next(found) if there else "" for there in filled)

    return told


def _value(spec: Any, columns: Columns, path: str) -> Iterator[Value | str]:
    """JSON that is the same for every row, and what is made of each."""
    if not isinstance(spec, dict):
        yield _quoted(spec, columns) if isinstance(spec, str) else json(spec)
    elif name := next((name for name in FOLDS if name in spec), ""):
        yield _folded(FOLDS[name](known(spec, name), columns, path), columns, name)
    elif name := next((name for name in FORMS if name in spec), ""):
        yield FORMS[name](known(spec, name, *BESIDE.get(name, ())), columns)
    else:
        yield from members(spec, columns, path)


def known(spec: Spec, *names: str) -> Spec:
    """A table of the map that has these names only."""
    if unknown := [name for name in spec if name not in names]:
        raise CannotRead(f"the map: {', '.join(unknown)} is not known beside {', '.join(names)}")
    return spec


def joined(parts: Iterable[Value | str]) -> Value:
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


def _quoted(text: str, columns: Columns) -> Value | str:
    plain = text_of(text, columns)
    return json(plain) if isinstance(plain, str) else lambda block: _quotes(list(plain(block)))


def _quotes(texts: list[str]) -> Iterator[str]:
    """A few texts stand again and again."""
    told = {text: _quote(text) for text in dict.fromkeys(texts)}
    return map(told.__getitem__, texts)


def _quote(text: str) -> str:
    if text.isascii() and text.isalnum() and text[1:2] not in ("e", "E"):
        return f'"{text}"'
    return json(_exact(text))


def text_of(text: str, columns: Columns) -> Value | str:
    """A text that is the same for every row, or one with {columns}. Whether a column alone is exact is still to see."""
    parts = list[Value | str]()
    try:
        for before, name, _, _ in Formatter().parse(text):
            parts += [before] if name is None else [before, _of(columns.place(name), _exact)]
    except ValueError as error:
        raise CannotRead(f"the map: {text!r}: {error}") from error
    if len(parts := [part for part in parts if part != ""]) == 1 and (names := _names(text)):
        place = columns.place(names[0])
        return lambda block: iter(block[place])
    if all(isinstance(part, str) for part in parts):
        return "".join(cast(list[str], parts))
    return joined(parts)


def _names(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]


def _exact(text: str) -> str:
    if text[1:2] in (".", "e", "E") and is_rounded(text):
        raise Spoilt(f"{text} is a number that a spreadsheet has rounded; export it as text")
    return text


def _column(form: Callable[[str], str], name: str, spec: Spec, columns: Columns) -> Value:
    return _of(columns.place(spec[name]), form)


def _strictly(form: Callable[[str], str], name: str, spec: Spec, columns: Columns) -> Value:
    """A form that refuses what it cannot read, by the name of its column."""
    return _of(columns.place(spec[name]), lru_cache(maxsize=4096)(_named(form, spec[name])))


def _named(form: Callable[..., str], column: str) -> Callable[..., str]:
    def told(*texts: Any) -> str:
        try:
            return form(*texts)
        except Unreadable as why:
            raise Unreadable(why.reason, why.zh, why.en, column) from None
        except invoices.NotAnInvoice as why:
            zh, en = f"{quoted(texts[0])}：{why.zh}", f"{quoted(texts[0])}: {why.en}"
            raise Unreadable(Reason.BAD_CODE, zh, en, column) from None

    return told


def _yuan(spec: Spec, columns: Columns) -> Value:
    said = (lambda yuan: json(cells.turned(yuan))) if spec.get("minus") else json
    if isinstance(spec["yuan"], str):
        return _of(columns.place(spec["yuan"]), lru_cache(maxsize=4096)(lambda text: said(cells.amount(text))))
    places = [columns.place(name) for name in spec["yuan"]]
    return lambda block: map(said, map(cells.sum_of, zip(*(block[place] for place in places), strict=True)))


def _quantity(spec: Spec, columns: Columns) -> Value:
    """In a unit of the cell, or of a column of its own. How many of the priced unit it is, is a number or a column."""
    units = {invoices.plain(name): pack for name, pack in spec.get("units", {}).items()}
    sign = "-" if spec.get("minus") else ""
    packs = {name: columns.place(pack) for name, pack in units.items() if isinstance(pack, str)}
    places = [
        columns.place(spec["quantity"]),
        *([columns.place(spec["unit"])] if "unit" in spec else []),
        *packs.values(),
    ]
    beside = "unit" in spec

    def read(*texts: str) -> str:
        text, unit = texts[0], texts[1] if beside else ""
        if sign and text and text != "0":
            text = text[1:] if text.startswith("-") else f"-{text}"
        columns_of = dict(zip(packs, texts[1 + beside :], strict=True))
        return cells.quantity(text, unit, _Packs(units, columns_of))

    told = lru_cache(maxsize=4096)(_named(read, spec["quantity"]))
    return lambda block: map(told, *(block[place] for place in places))


class _Packs(dict[str, int]):
    """Unit -> how many of the priced unit; of a column, what it says in this row."""

    def __init__(self, units: Spec, said: Mapping[str, str]) -> None:
        super().__init__({name: 0 if isinstance(pack, str) else pack for name, pack in units.items()})
        self._said = said

    def __getitem__(self, name: str) -> int:
        return int(cells.count(self._said[name])) if name in self._said else super().__getitem__(name)


def _invoice(spec: Spec, columns: Columns) -> Value:
    """The one form of an invoice's number; of several in a cell, the list of them."""
    read = partial(
        invoices.canonical, code_digits=spec.get("code_digits", 0), number_digits=spec.get("number_digits", 0)
    )
    number, place = spec["invoice"], columns.place(spec["invoice"])
    if "code" in spec:
        told, code = _named(lambda number, code: json(read(code, _exact(number))), number), columns.place(spec["code"])
        return lambda block: map(told, block[place], block[code])
    one = _named(lambda text: json(read("", _exact(text))), number)
    return _of(place, _listed(one, spec["between"]) if "between" in spec else one)


def _listed(one: Callable[[str], str], between: str) -> Callable[[str], str]:
    return lambda text: f"[{','.join(one(part.strip()) for part in text.split(between) if part.strip())}]"


def _blue(text: str) -> str:
    return json(invoices.blue_of(text))


def _hash(spec: Spec, columns: Columns) -> Value:
    if (key := columns.key) is None:
        raise CannotRead("the map: a hash needs key_file, the file of your key")
    text, sign = text_of(spec["hash"], columns), _hmac(key)

    def one(plain: str) -> str:
        return f'"{sign(_exact(plain))[:32]}"'

    told = _listed(one, spec["between"]) if "between" in spec else one
    return lambda block: map(told, _each(text, block))


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


def _code(spec: Spec, columns: Columns) -> Value:
    """The code that stands for a cell's. For one that the map does not list stands why there is none, with a line's end
    so that no field takes it: the check refuses its row in these words."""
    name, table = spec["code"], {text: json(code) for text, code in spec["is"].items()}
    return _of(
        columns.place(name),
        lambda text: table.get(text) or json(f"column {name} has {text[:CELL_TOLD]}, which `is` does not list\n"),
    )


def _found(spec: Spec, columns: Columns) -> Value:
    """What a pattern finds in a cell: its first group."""
    try:
        pattern = re.compile(spec["found"])
    except re.error as error:
        raise CannotRead(f"the map: {spec['found']}: {error}") from error
    if pattern.groups != 1:
        raise CannotRead(f"the map: {spec['found']} has {pattern.groups} groups, one is what is found")

    def read(text: str) -> str:
        if not (found := {match for match in pattern.findall(text) if match}):
            raise Unreadable(Reason.MISSING_FIELD, f"{quoted(text)} 中未找到", f"{quoted(text)} does not have it")
        if len(found) > 1:
            raise Unreadable(Reason.BAD_CODE, f"{quoted(text)} 中有多个", f"{quoted(text)} has several")
        return json(found.pop())

    return _of(columns.place(spec["in"]), _named(read, spec["in"]))


def _amounts(spec: Spec, columns: Columns) -> Value:
    """By fund, without those that bear nothing."""
    told = joined(
        _borne(_fund(name, spec, columns), _yuan({"yuan": told}, columns)) for name, told in spec["amounts"].items()
    )
    known(spec.get("where", {}), *spec["amounts"])
    return lambda block: (f"{{{row[1:]}}}" for row in told(block))


def _borne(fund: Value | str, yuan: Value) -> Value:
    """What a fund bears, after what others bear."""

    @lru_cache(maxsize=4096)
    def told(code: str, borne: str) -> str:
        return "" if borne == NOTHING else f",{code}:{borne}"

    return lambda block: map(told, _each(fund, block), yuan(block))


def _fund(name: str, spec: Spec, columns: Columns) -> Value | str:
    """A fund's code, or the name of a code that `where` finds in a column."""
    where = spec.get("where", {})
    return _code(known(where[name], "code", "is"), columns) if name in where else json(name)


def _folded(fold: Fold, columns: Columns, name: str) -> str:
    if columns.folds is None:
        raise CannotRead(f"the map: {name} is of all rows of a document, so the map has to say `document`")
    columns.folds.append(fold)
    return f"{MARK}{len(columns.folds) - 1}{MARK}"


def _rows(spec: Spec, columns: Columns, path: str) -> Fold:
    folds, columns.folds = columns.folds, None
    told, place = spec["rows"], f"{path}[]"
    each = joined(members(told, columns, place) if isinstance(told, dict) else columns.noted(place, told))
    columns.folds = folds
    return Fold(each, lambda rows: f"[{','.join(rows)}]")


def _sum(spec: Spec, columns: Columns, path: str) -> Fold:
    names = [told] if isinstance(told := spec["sum"], str) else told
    places, exact = [columns.place(name) for name in names], _named(cells.exact_amount, names[0])

    def each(block: Block) -> Iterator[str]:
        return map(exact, map(cells.sum_of, zip(*(block[place] for place in places), strict=True)))

    return Fold(each, lambda rows: json(cells.sum_of(rows)))


NOTHING = '"0.00"'
BESIDE = {
    "code": ("is",),
    "amounts": ("where",),
    "yuan": ("minus",),
    "quantity": ("unit", "units", "minus"),
    "invoice": ("code", "code_digits", "number_digits", "between"),
    "hash": ("between",),
    "found": ("in",),
}
FORMS: Mapping[str, Callable[[Spec, Columns], Value]] = {
    "invoice": _invoice,
    "blue": partial(_strictly, _blue, "blue"),
    "quantity": _quantity,
    "price": partial(_strictly, cells.price, "price"),
    "count": partial(_strictly, cells.count, "count"),
    "found": _found,
    "yuan": _yuan,
    "day": partial(_column, cells.day, "day"),
    "month": partial(_column, cells.month, "month"),
    "year": partial(_column, cells.year, "year"),
    "time": partial(_column, cells.time, "time"),
    "hash": _hash,
    "code": _code,
    "amounts": _amounts,
    "text": lambda spec, columns: cast(Value, _quoted(spec["text"], columns)),
}
FOLDS: Mapping[str, Callable[[Spec, Columns, str], Fold]] = {"rows": _rows, "sum": _sum}
