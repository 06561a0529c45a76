"""Reading XML that somebody else wrote: the message's kind, and its records one by one, in memory that hardly grows.

Two parsers get the same bytes. Expat says what is XML and hands out the records; libxml2 judges by the official
schema, and only that: with a schema set, lxml hears what the schema says and nothing else, and would take a file that
ends too soon for a good one.

What stays true: UTF-8 only; no document type declaration, hence no entities, and nothing outside the file is opened;
tokens are limited, and by the schema depth. A record is handed out before the whole file is known to be good, so a
caller keeps what it made of them to itself until the end.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from io import SEEK_END
from typing import BinaryIO, Literal, TypeVar
from xml.etree import ElementTree
from xml.parsers import expat

from medfund.bankfiles import sources
from medfund.bankfiles.iso20022 import judging, kinds
from medfund.bankfiles.iso20022.judging import CHUNK_BYTES, Judge
from medfund.bankfiles.iso20022.kinds import Kind
from medfund.bankfiles.iso20022.lengths import Lengths
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.sources import Source

_Seen = TypeVar("_Seen")

HEAD_BYTES = 1 << 16
TAIL_BYTES = 1 << 12

_DECLARATION = re.compile(
    rb"<\?xml\s+version\s*=\s*[\"']([^\"']*)[\"'](?:\s+encoding\s*=\s*[\"']([^\"']*)[\"'])?[^>]*\?>"
)
# Possessive: text that matches in part must not be tried in all the ways in which it could.
_BETWEEN = re.compile(rb"(?:\s++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_ROOT = re.compile(rb"<[^!?/\s>][^>]*>")
_END = re.compile(rb"</(?:[\w.-]+:)?Document\s*>(?:\s++|<!--.*?-->|<\?.*?\?>)*+\Z", re.DOTALL)


class _Steps(dict[str, tuple[tuple[str, ...], str]]):
    """The tags of a path in one namespace, the last apart, made once: a file of 80,000 entries has the same paths
    80,000 times."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def __missing__(self, path: str) -> tuple[tuple[str, ...], str]:
        *before, last = [self._namespace + step for step in path.split("/")]
        steps = self[path] = tuple(before), last
        return steps


class Part:
    """A part of a message. What is in it is named by paths such as "Refs/EndToEndId", without the namespace."""

    __slots__ = ("_element", "_steps")

    def __init__(self, element: ElementTree.Element, steps: _Steps) -> None:
        self._element = element
        self._steps = steps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self._element is other._element

    def __hash__(self) -> int:
        return hash(self._element)

    @property
    def own(self) -> str:
        return self._element.text or ""

    def part(self, path: str) -> "Part | None":
        before, last = self._steps[path]
        outer = _down(self._element, before) if before else self._element
        found = None if outer is None else outer.find(last)
        return None if found is None else Part(found, self._steps)

    def parts(self, path: str) -> "list[Part]":
        """All of that name, in the first of what the path names before it."""
        before, last = self._steps[path]
        outer = _down(self._element, before) if before else self._element
        return [] if outer is None else [Part(found, self._steps) for found in outer.findall(last)]

    def text(self, path: str) -> str | None:
        """None where there is no such place. A line break in a text is a blank: lines are the writer's layout."""
        before, last = self._steps[path]
        outer = _down(self._element, before) if before else self._element
        found = None if outer is None else outer.findtext(last)
        return found if found is None or found.isprintable() else found.translate(_BLANKS)

    def lines(self, path: str, most: int) -> str:
        """Several texts as one, as much of it as fits: it is for people, and the file itself is kept."""
        return _in_a_line(" ".join([part.own for part in self.parts(path)]))[:most]

    def attribute(self, name: str) -> str | None:
        return self._element.get(name)

    def need(self, path: str, what: str) -> str:
        text = self.text(path)
        if text is None:
            raise BadFile(Code.INCOMPLETE, f"there is no {what} ({path})")
        return text

    def need_part(self, path: str, what: str) -> "Part":
        found = self.part(path)
        if found is None:
            raise BadFile(Code.INCOMPLETE, f"there is no {what} ({path})")
        return found

    def only(self, path: str, what: str) -> "Part":
        """The one part of that name; where there are several, one would be read for all."""
        found = self.parts(path)
        if len(found) != 1:
            raise BadFile(Code.UNSUPPORTED, f"{len(found)} times {what} ({path}) in one file; one is read")
        return found[0]


def _down(element: ElementTree.Element, steps: Iterable[str]) -> ElementTree.Element | None:
    for step in steps:
        found = element.find(step)
        if found is None:
            return None
        element = found
    return element


def _in_a_line(text: str) -> str:
    return text if text.isprintable() else text.translate(_BLANKS)


_BLANKS = str.maketrans("\t\r\n", "   ")


class _Reader:
    """Says what is XML, and hands out the records. It never meets a declaration: `document` refuses files with one.

    Records are taken out of the tree as it grows. Events would tell of each when it ends, and of everything else too,
    and there is nothing that costs more.
    """

    def __init__(self, kind: Kind) -> None:
        self.steps = _Steps(kind.tag(""))
        self._record = kind.tag(kind.record)
        self._tree = ElementTree.TreeBuilder()
        self._parser = ElementTree.XMLParser(target=self._tree)  # noqa: S314 - files with a declaration are refused
        self._lengths = Lengths()
        self._wrapper = self._child = 0
        """How far records were looked for: in which child of the body, and from which of its children on."""

    @property
    def root(self) -> ElementTree.Element | None:
        """As far as it was read: a builder of trees only looks at what it has."""
        return self._tree.close()

    def feed(self, chunk: bytes) -> None:
        self._lengths.feed(chunk)
        try:
            self._parser.feed(chunk)
        except ElementTree.ParseError as error:
            raise _not_xml(error) from None

    def records(self, *, ended: bool = False) -> Iterator[tuple[Part, Part]]:
        """Those that are complete, each once, after what they are in: of what is still being read, the last child may
        go on."""
        root = self.root
        if root is None or not len(root):
            return
        body = root[0]
        while self._wrapper < len(body):
            is_last = self._wrapper == len(body) - 1
            yield from self._taken_from(body[self._wrapper], all=ended or not is_last)
            if is_last:
                return
            self._wrapper, self._child = self._wrapper + 1, 0

    def _taken_from(self, wrapper: ElementTree.Element, *, all: bool) -> Iterator[tuple[Part, Part]]:
        complete = slice(self._child, len(wrapper) if all else max(self._child, len(wrapper) - 1))
        found = wrapper[complete]
        kept = [element for element in found if element.tag != self._record]
        self._child += len(kept)
        if len(kept) < len(found):
            wrapper[complete] = kept
            within = Part(wrapper, self.steps)
            yield from ((within, Part(element, self.steps)) for element in found if element.tag == self._record)

    def close(self) -> None:
        try:
            self._parser.close()
        except ElementTree.ParseError as error:
            raise _not_xml(error) from None


class Document:
    """A message that is being read. `records` first, once, to the end; then `body` has all that is not a record."""

    def __init__(self, stream: BinaryIO, kind: Kind, *, beside: bool, collapsing: bool) -> None:
        self.kind = kind
        self._stream = stream
        self._beside = beside
        self._collapsing = collapsing
        self._reader = _Reader(kind)

    @property
    def body(self) -> Part:
        root = self._reader.root
        found = None if root is None else Part(root, self._reader.steps).part(self.kind.body)
        if found is None:
            raise BadFile(Code.SCHEMA, f"there is no {self.kind.body} in the file")
        return found

    def records(self) -> Generator[tuple[Part, Part], None, None]:
        """Each record after what it is in, in the order of the file."""
        with judging.judge(self.kind, beside=self._beside, collapsing=self._collapsing) as judge:
            while chunk := self._stream.read(CHUNK_BYTES):
                self._reader.feed(chunk)
                judge.feed(chunk)
                yield from self._reader.records()
            self._reader.close()
            yield from self._reader.records(ended=True)
            judge.close()

    def check(self) -> None:
        """What `records` says of the file as XML, at a third of the time: no part of it is made."""
        listener, lengths = expat.ParserCreate(namespace_separator="}"), Lengths()
        judge = Judge(self.kind, collapsing=self._collapsing)
        try:
            while chunk := self._stream.read(CHUNK_BYTES):
                lengths.feed(chunk)
                listener.Parse(chunk, False)
                judge.feed(chunk)
            listener.Parse(b"", True)
        except expat.ExpatError as error:
            raise _not_xml(error) from None
        judge.close()


def document(stream: BinaryIO, *, first: bool = True) -> Document:
    """The message that the file says it is. Refused here: no XML, DOCTYPE, other kinds, files cut off at the end.

    `first`: the schema of a long one may be judged in a process of its own, and as libxml2 has it. What is refused so
    is looked at again.
    """
    head = stream.read(HEAD_BYTES)
    start = _root_start(head)
    kind = _kind(head, start)
    size = stream.seek(0, SEEK_END)
    stream.seek(-min(TAIL_BYTES, size), SEEK_END)
    if _END.search(stream.read()) is None:
        raise BadFile(Code.TRUNCATED, "the file does not end where its message ends; the rest of it is missing")
    stream.seek(0)
    return Document(stream, kind, beside=first and size >= judging.LONG_BYTES, collapsing=not first)


def _root_start(head: bytes) -> int:
    """Where the root element begins. What is looked for is ASCII, and so the same bytes in any UTF-8 text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00", b"<\x00")):
        raise BadFile(Code.WRONG_ENCODING, "the file is not in UTF-8")
    position = len(b"\xef\xbb\xbf") if head.startswith(b"\xef\xbb\xbf") else 0
    if declared := _DECLARATION.match(head, position):
        version, encoding = declared.groups()
        if version != b"1.0" or (encoding or b"utf-8").lower() != b"utf-8":
            raise BadFile(Code.WRONG_ENCODING, f"the file is declared as {declared[0][:80]!r}, not as UTF-8")
        position = declared.end()
    between = _BETWEEN.match(head, position)
    position = between.end() if between else position
    if head.startswith(b"<!DOCTYPE", position):
        raise BadFile(Code.DOCTYPE, "the file declares a document type, which no bank's message does")
    return position


def _kind(head: bytes, start: int) -> Kind:
    root = _ROOT.match(head, start)
    if root is None:
        raise BadFile(Code.NOT_XML, f"the file is no XML; it begins with {head[:40]!r}")
    parser = _pull("start")
    try:
        parser.feed(head[: root.end()])
        element = next(_seen(parser), None)
    except ElementTree.ParseError as error:
        raise _not_xml(error) from None
    if element is None:
        raise BadFile(Code.NOT_XML, f"the file's first element does not end: {root[0][:80]!r}")
    if element.tag not in kinds.KINDS:
        raise BadFile(Code.UNKNOWN_MESSAGE, f"the file is a {element.tag[:120]}; what is read is {kinds.NAMES}")
    return kinds.KINDS[element.tag]


def _pull(event: Literal["start", "end"]) -> "ElementTree.XMLPullParser[ElementTree.Element]":
    return ElementTree.XMLPullParser([event])


def _seen(parser: "ElementTree.XMLPullParser[ElementTree.Element]") -> Iterator[ElementTree.Element]:
    for event in parser.read_events():
        if isinstance(element := event[-1], ElementTree.Element):
            yield element


def _not_xml(error: Exception) -> BadFile:
    return BadFile(Code.NOT_XML, f"not well-formed XML: {error}")


def check(source: Source, kind: Kind | None, limit_bytes: int) -> None:
    """The schema's word on a file, and that it is of that kind."""

    def looked_at(found: Document) -> None:
        if kind is not None and found.kind != kind:
            raise BadFile(Code.UNKNOWN_MESSAGE, f"the file is a {found.kind.name}, and a {kind.name} was expected")
        found.check()

    again(source, limit_bytes, looked_at)


def again(source: Source, limit_bytes: int, look: Callable[[Document], _Seen]) -> _Seen:
    """What is seen in a file. What is said of it first must not depend on which of two processes was faster, nor on
    how a day is spelled: what is refused is looked at again."""
    with sources.opened(source, limit_bytes=limit_bytes) as stream:
        try:
            return look(document(stream))
        except BadFile:
            stream.seek(0)
            return look(document(stream, first=False))
