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


def document(into: BinaryIO, kind: Kind, headers: Iterable[str], wrapper: str | None, contents: Iterable[str]) -> None:
    """The whole message: its headers, and in one wrapper what it is about. Never more than a few records in memory."""
    opening, closing = (f"<{wrapper}>\n", f"</{wrapper}>\n") if wrapper else ("", "")
    held = [f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{kind.namespace}">\n<{kind.body}>\n']
    held += [f"{header}\n" for header in headers]
    held.append(opening)
    size = 0
    for element in contents:
        held += (element, "\n")
        size += len(element)
        if size > BUFFER_CHARACTERS:
            into.write("".join(held).encode())
            held, size = [], 0
    held.append(f"{closing}</{kind.body}>\n</Document>\n")
    into.write("".join(held).encode())
