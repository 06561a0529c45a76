"""Reading XML that somebody else wrote: the message's kind, and its records one by one, in memory that hardly grows.

Two parsers get the same bytes in step. Expat says what is XML and hands out the records; libxml2 judges by the official
schema, and only that: with a schema set, lxml hears what the schema says and nothing else, and would take a file that
ends too soon for a good one.

What stays true: UTF-8 only; no document type declaration, hence no entities, and nothing outside the file is opened;
texts are limited, and by the schema depth. A record is handed out before the whole file is known to be good, so a
caller keeps what it made of them to itself until the end.
"""

import re
from collections.abc import Iterator
from io import SEEK_END
from typing import BinaryIO, Literal
from xml.etree import ElementTree
from xml.parsers import expat

from lxml import etree

from medfund.bankfiles import sources
from medfund.bankfiles.iso20022 import kinds
from medfund.bankfiles.iso20022.kinds import Kind
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.sources import Source

CHUNK_BYTES = 1 << 16
"""Also the longest text: a chunk without markup is one text, and no text of a message has more than 500 characters."""

HEAD_BYTES = 1 << 16
TAIL_BYTES = 1 << 12

_DECLARATION = re.compile(
    rb"<\?xml\s+version\s*=\s*[\"']([^\"']*)[\"'](?:\s+encoding\s*=\s*[\"']([^\"']*)[\"'])?[^>]*\?>"
)
# Possessive: text that matches in part must not be tried in all the ways in which it could.
_BETWEEN = re.compile(rb"(?:\s++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_ROOT = re.compile(rb"<[^!?/\s>][^>]*>")
_END = re.compile(rb"</(?:[\w.-]+:)?Document\s*>(?:\s++|<!--.*?-->|<\?.*?\?>)*+\Z", re.DOTALL)


class Part:
    """A part of a message. What is in it is named by paths such as "Refs/EndToEndId", without the namespace."""

    __slots__ = ("_element", "_namespace")

    def __init__(self, element: ElementTree.Element, namespace: str) -> None:
        self._element = element
        self._namespace = namespace

    @property
    def own(self) -> str:
        return self._element.text or ""

    def _find(self, path: str) -> ElementTree.Element | None:
        found: ElementTree.Element | None = self._element
        for step in path.split("/"):
            found = None if found is None else found.find(self._namespace + step)
        return found

    def part(self, path: str) -> "Part | None":
        found = self._find(path)
        return None if found is None else Part(found, self._namespace)

    def parts(self, path: str) -> "list[Part]":
        """All of that name, in the first of what the path names before it."""
        before, _, name = path.rpartition("/")
        outer = self._find(before) if before else self._element
        return [Part(found, self._namespace) for found in outer.findall(self._namespace + name)] if outer else []

    def text(self, path: str) -> str | None:
        """None where there is no such place. A line break in a text is a blank: lines are the writer's layout."""
        found = self._find(path)
        return None if found is None else (found.text or "").translate(_BLANKS)

    def lines(self, path: str, most: int) -> str:
        """Several texts as one, as much of it as fits: it is for people, and the file itself is kept."""
        return " ".join(part.own for part in self.parts(path)).translate(_BLANKS)[:most]

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


_BLANKS = str.maketrans("\t\r\n", "   ")


class _Reader:
    """Says what is XML, and hands out the records. It never meets a declaration: `document` refuses files with one."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._parser = _pull("end")
        self._ended: list[ElementTree.Element] = []
        self.root: ElementTree.Element | None = None
        """What ended last, and so the root when all is read."""

    def feed(self, chunk: bytes) -> None:
        _check_length(chunk)
        try:
            self._parser.feed(chunk)
            self._ended = list(_seen(self._parser))
        except ElementTree.ParseError as error:
            raise _not_xml(error) from None

    def records(self) -> Iterator[Part]:
        """Those that ended in the last chunk, each emptied when the next one is asked for."""
        namespace, tag = self._kind.tag(""), self._kind.tag(self._kind.record)
        for element in self._ended:
            if element.tag == tag:
                yield Part(element, namespace)
                element.clear()
            self.root = element

    def close(self) -> None:
        try:
            self._parser.close()
        except ElementTree.ParseError as error:
            raise _not_xml(error) from None


class _Judge:
    """Hears the same bytes, keeps nothing, and says what the official schema says."""

    def __init__(self, kind: Kind) -> None:
        self._parser = etree.XMLPullParser(
            events=("end",),
            tag=kind.tag(kind.record),
            schema=kinds.schema(kind),
            encoding="utf-8",
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.feed(chunk)
        except etree.XMLSyntaxError as error:
            raise _schema(error) from None
        for _, element in self._parser.read_events():
            _forget(element)

    def close(self) -> None:
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise _schema(error) from None


def _forget(element: etree._Element) -> None:
    """The parser may still look at the last record, so it is emptied, and the one before goes."""
    element.clear()
    before, parent = element.getprevious(), element.getparent()
    if before is not None and before.tag == element.tag and parent is not None:
        parent.remove(before)


class Document:
    """A message that is being read. `records` first, once, to the end; then `body` has all that is not a record."""

    def __init__(self, stream: BinaryIO, kind: Kind) -> None:
        self.kind = kind
        self._stream = stream
        self._reader = _Reader(kind)

    @property
    def body(self) -> Part:
        root = self._reader.root
        found = None if root is None else Part(root, self.kind.tag("")).part(self.kind.body)
        if found is None:
            raise BadFile(Code.SCHEMA, f"there is no {self.kind.body} in the file")
        return found

    def records(self) -> Iterator[Part]:
        """Each record, in the order of the file."""
        judge = _Judge(self.kind)
        while chunk := self._stream.read(CHUNK_BYTES):
            self._reader.feed(chunk)
            judge.feed(chunk)
            yield from self._reader.records()
        self._reader.close()
        judge.close()

    def check(self) -> None:
        """What `records` says of the file as XML, at a third of the time: no part of it is made."""
        listener, judge = expat.ParserCreate(namespace_separator="}"), _Judge(self.kind)
        try:
            while chunk := self._stream.read(CHUNK_BYTES):
                _check_length(chunk)
                listener.Parse(chunk, False)
                judge.feed(chunk)
            listener.Parse(b"", True)
        except expat.ExpatError as error:
            raise _not_xml(error) from None
        judge.close()


def document(stream: BinaryIO) -> Document:
    """The message that the file says it is. Refused here: no XML, DOCTYPE, other kinds, files cut off at the end."""
    head = stream.read(HEAD_BYTES)
    start = _root_start(head)
    kind = _kind(head, start)
    stream.seek(-min(TAIL_BYTES, stream.seek(0, SEEK_END)), SEEK_END)
    if _END.search(stream.read()) is None:
        raise BadFile(Code.TRUNCATED, "the file does not end where its message ends; the rest of it is missing")
    stream.seek(0)
    return Document(stream, kind)


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
        known = ", ".join(kind.name for kind in kinds.KINDS.values())
        raise BadFile(Code.UNKNOWN_MESSAGE, f"the file is a {element.tag[:120]}; what is read is {known}")
    return kinds.KINDS[element.tag]


def _pull(event: Literal["start", "end"]) -> "ElementTree.XMLPullParser[ElementTree.Element]":
    return ElementTree.XMLPullParser([event])


def _seen(parser: "ElementTree.XMLPullParser[ElementTree.Element]") -> Iterator[ElementTree.Element]:
    for event in parser.read_events():
        if isinstance(element := event[-1], ElementTree.Element):
            yield element


def _check_length(chunk: bytes) -> None:
    if len(chunk) == CHUNK_BYTES and b"<" not in chunk:
        raise BadFile(Code.TOO_LARGE, f"a text of more than {len(chunk)} bytes: {chunk[:40]!r}")


def _not_xml(error: Exception) -> BadFile:
    return BadFile(Code.NOT_XML, f"not well-formed XML: {error}")


def _schema(error: etree.XMLSyntaxError) -> BadFile:
    return BadFile(Code.SCHEMA, f"not as the official schema wants it: {_plain(str(error.msg).strip()[:300])}")


def _plain(said: str) -> str:
    return re.sub(r"\{urn:iso:[^}]*\}", "", said)


def check(source: Source, kind: Kind | None, limit_bytes: int) -> None:
    """The schema's word on a file, and that it is of that kind."""
    with sources.opened(source, limit_bytes=limit_bytes) as stream:
        found = document(stream)
        if kind is not None and found.kind != kind:
            raise BadFile(Code.UNKNOWN_MESSAGE, f"the file is a {found.kind.name}, and a {kind.name} was expected")
        found.check()
