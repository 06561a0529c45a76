"""Writing XML: elements as nested calls that read like the message, records streamed one to a line.

What stays true: the same message gives the same bytes, whatever library reads them. Elements are plain texts: a file of
80,000 payments has three million of them, and no tree is needed to write them down in order.
"""

from collections.abc import Iterable
from typing import BinaryIO

from medfund.bankfiles.iso20022.kinds import Kind

BUFFER_CHARACTERS = 1 << 18

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def node(tag: str, *children: str | None) -> str:
    """An element of those children that there are."""
    return f"<{tag}>{''.join(child for child in children if child is not None)}</{tag}>"


def leaf(tag: str, text: str, **attributes: str) -> str:
    said = "".join(f' {name}="{value.translate(_ESCAPES)}"' for name, value in attributes.items())
    return f"<{tag}{said}>{text.translate(_ESCAPES)}</{tag}>"


def leaf_if(tag: str, text: str | None) -> str | None:
    return leaf(tag, text) if text else None


class Document:
    """A message as it is written: its headers, and in one wrapper what it is about; a few records at a time."""

    def __init__(self, into: BinaryIO, kind: Kind, headers: Iterable[str], wrapper: str | None) -> None:
        opening, self._closing = (f"<{wrapper}>\n", f"</{wrapper}>\n") if wrapper else ("", "")
        self._into = into
        self._kind = kind
        self._held = [f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{kind.namespace}">\n<{kind.body}>\n']
        self._held += [f"{header}\n" for header in headers]
        self._held.append(opening)
        self._size = 0

    def add(self, contents: Iterable[str]) -> None:
        for element in contents:
            self._held += (element, "\n")
            self._size += len(element)
            if self._size > BUFFER_CHARACTERS:
                self._write()

    def end(self) -> None:
        self._held.append(f"{self._closing}</{self._kind.body}>\n</Document>\n")
        self._write()

    def _write(self) -> None:
        self._into.write("".join(self._held).encode())
        self._held, self._size = [], 0


def document(into: BinaryIO, kind: Kind, headers: Iterable[str], wrapper: str | None, contents: Iterable[str]) -> None:
    """The whole message at once."""
    written = Document(into, kind, headers, wrapper)
    written.add(contents)
    written.end()
