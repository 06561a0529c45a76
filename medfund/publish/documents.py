"""Rows of an export that are one document (an order, a delivery, an invoice, a statement) as one event.

What stays true: rows of a document follow one another, and say the same of it; one that comes a second time is refused
both times. A row that cannot be read refuses all of its document, and where it does not say of which it is, those on
both sides: no event lacks a row. In memory are the rows of one document and eight bytes of each.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise, repeat
from typing import Any, NamedTuple, TypeAlias

import msgspec

from medfund.events.codec import VALUE_MAX
from medfund.events.refusals import Problem, Reason
from medfund.publish import refused
from medfund.publish.cells import Unreadable
from medfund.publish.forms import MARK, Block, Columns, Spoilt, Value, is_rounded

Row: TypeAlias = list[str]
Rows: TypeAlias = list[tuple[int, Row]]
"""Some rows, each with the line on which it ends."""
Check: TypeAlias = Callable[[bytes], Problem | None]

BUCKETS = 256
_PLACE = re.compile(r"\$(?:\.\w+|\[\d+\])*")
_INDEX = re.compile(r"\[(\d+)\]")
_FOLD = re.compile(f"{MARK}[0-9]+{MARK}")


class Made(NamedTuple):
    """What a row says: of its document, and for each fold of it."""

    number: int
    key: str
    head: str
    parts: tuple[str, ...]


class Bad(NamedTuple):
    """A row that cannot be read; no key where it does not say of which document it is. With too many cells or too few
    it is believed only where it goes on with the document before it."""

    number: int
    key: str
    problem: Problem
    doubtful: bool = False


@dataclass
class Document:
    """Rows that followed one another under one key."""

    key: str
    first: int
    torn_at: int = 0
    """A row just before it may have been one of its own."""
    last: int = 0
    size: int = 0
    made: list[Made] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)

    def add(self, row: Made | Bad) -> None:
        self.last = row.number
        if isinstance(row, Bad):
            self.bad.append(row)
            return
        self.size += sum(map(len, row.parts))
        if self.size <= VALUE_MAX:
            self.made.append(row)


class Documents:
    """The documents of one export, by its map."""

    def __init__(self, columns: Columns, event: Value, key: Value) -> None:
        self._columns = columns
        self._event = event
        self._key = key

    # -- which come again

    def repeated(self, blocks: Iterator[Rows]) -> frozenset[int]:
        """Marks of the documents whose rows do not follow one another."""
        marks = [array("Q") for _ in range(BUCKETS)]
        last = ""
        for key in self._keys(blocks):
            if key and key != last:
                last, mark = key, _mark(key)
                marks[mark % BUCKETS].append(mark)
        return frozenset(one for some in marks for one, other in pairwise(sorted(some)) if one == other)

    def _keys(self, blocks: Iterator[Rows]) -> Iterator[str]:
        for rows in blocks:
            try:
                yield from self._key(self._block(rows))
            except (Unreadable, Spoilt, ValueError):
                yield from map(self._key_of, (row for _, row in rows))

    def _key_of(self, row: Row) -> str:
        """Nothing where the row does not say it."""
        try:
            return next(self._key(self._block([(0, row)])))
        except (Unreadable, Spoilt, ValueError):
            return ""

    def _block(self, rows: Rows) -> Block:
        width = len(self._columns.head)
        if any(len(row) != width for _, row in rows):
            raise ValueError("cells without a head")
        return self._columns.whole(list(zip(*(row for _, row in rows), strict=True)))

    # -- what each becomes

    def lines(self, blocks: Iterator[Rows], repeated: frozenset[int], check: Check) -> Iterator[tuple[int, bytes]]:
        """Events and refusals, each with the line on which it stands."""
        for document in _gathered(row for rows in blocks for row in self._read(rows)):
            problems = self._problems(document, repeated)
            event = b"" if problems else self._written(document)
            if event and (problem := check(event)):
                problems = [self._placed(document, problem)]
            if not problems:
                yield document.first, event
            for number, problem in problems:
                yield number, refused.line(_of_all(problem, document))

    def _read(self, rows: Rows) -> Iterator[Made | Bad]:
        try:
            yield from self._made(rows)
        except (Unreadable, Spoilt, ValueError):
            yield from map(self._alone, rows)

    def _made(self, rows: Rows) -> list[Made | Bad]:
        block, numbers = self._block(rows), [number for number, _ in rows]
        keys, folds = self._key(block), self._columns.folds or []
        parts = zip(*(fold.each(block) for fold in folds), strict=True) if folds else repeat(())
        made = map(Made, numbers, keys, self._event(block), parts)
        return [row if row.key else Bad(row.number, "", _NAMELESS) for row in made]

    def _alone(self, one: tuple[int, Row]) -> Made | Bad:
        number, row = one
        heads = len(self._columns.head)
        try:
            return self._made([one])[0]
        except Unreadable as why:
            problem = Problem(why.reason, refused.words(why.zh, why.en, why.column))
        except Spoilt as spoilt:
            problem = Problem(
                Reason.BAD_CODE, refused.words("数字已被表格软件改写，请按文本导出", str(spoilt), self._spoilt(row))
            )
        except ValueError:
            problem = Problem(
                Reason.MISSING_FIELD,
                refused.words(f"{heads} 个列名下有 {len(row)} 格", f"{len(row)} cells under {heads} heads", ""),
            )
        return Bad(number, self._key_of(row[:heads] + [""] * (heads - len(row))), problem, len(row) != heads)

    def _spoilt(self, row: Row) -> str:
        return next((name for name, cell in zip(self._columns.head, row, strict=True) if is_rounded(cell)), "")

    def _problems(self, document: Document, repeated: frozenset[int]) -> list[tuple[int, Problem]]:
        if document.bad:
            return [(row.number, row.problem) for row in document.bad]
        if problem := self._of_whole(document, repeated):
            return [(document.first, problem)]
        head = document.made[0].head
        other = next((row for row in document.made if row.head != head), None)
        return [] if other is None else [(other.number, self._differing(head, other.head))]

    def _of_whole(self, document: Document, repeated: frozenset[int]) -> Problem | None:
        if document.torn_at:
            zh, en = f"第 {document.torn_at} 行可能属于本单", f"line {document.torn_at} may be one of it"
        elif _mark(document.key) in repeated:
            zh, en = (
                "同一单据的行不连续，请按单据号排序后导出",
                "its rows do not follow one another: sort the export by it",
            )
        elif document.size > VALUE_MAX:
            return Problem(Reason.TOO_LARGE, refused.words("行数过多", f"an event of more than {VALUE_MAX} bytes", ""))
        else:
            return None
        return Problem(Reason.CONFLICT, refused.words(zh, en, ""))

    def _differing(self, head: str, other: str) -> Problem:
        path = next(_differences(*(msgspec.json.decode(_FOLD.sub("null", text)) for text in (head, other))), "")
        return Problem(
            Reason.CONFLICT,
            refused.words("与本单首行不同", "not what the first row of the document says", self._named(path)),
        )

    def _named(self, path: str) -> str:
        return "、".join(self._columns.of.get(_INDEX.sub("[]", path), ()))

    def _written(self, document: Document) -> bytes:
        pieces = document.made[0].head.split(MARK)
        folds = self._columns.folds or []
        for at in range(1, len(pieces), 2):
            number = int(pieces[at])
            pieces[at] = folds[number].together([row.parts[number] for row in document.made])
        return "".join(pieces).encode()

    def _placed(self, document: Document, problem: Problem) -> tuple[int, Problem]:
        """What the contract says of a place in the event, of the row and the column that it comes from."""
        found = _PLACE.search(problem.detail)
        path = found[0] if found else ""
        row = int(index[1]) if (index := _INDEX.search(path)) else 0
        number = document.made[row].number if row < len(document.made) else document.first
        return number, Problem(problem.reason, refused.words(problem.reason.zh, problem.detail, self._named(path)))


_NAMELESS = Problem(
    Reason.MISSING_FIELD, refused.words("没有单据号", "the row does not say of which document it is", "")
)


def _gathered(rows: Iterator[Made | Bad]) -> Iterator[Document]:
    document: Document | None = None
    torn_at = 0
    for row in rows:
        doubtful = isinstance(row, Bad) and row.doubtful and (document is None or row.key != document.key)
        if doubtful or not row.key:
            document = document or Document("", row.number)
            torn_at = row.number
        elif document is None or row.key != document.key:
            if document is not None:
                yield document
            document, torn_at = Document(row.key, row.number, torn_at), 0
        else:
            torn_at = 0
        document.add(row)
    if document is not None:
        yield document


def _mark(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name, value in one.items():
        if name != "data" and value != other.get(name):
            yield f".{name}"
    data, others = one["data"], other["data"]
    yield from (f"$.{name}" for name in {**data, **others} if data.get(name) != others.get(name))


def _of_all(problem: Problem, document: Document) -> Problem:
    if document.first == document.last:
        return problem
    zh = f"（第 {document.first} 至 {document.last} 行整单不发布"
    return Problem(problem.reason, f"{problem.detail} {zh} / lines {document.first} to {document.last} are left out)")
