"""What the official schema says of a file that comes in pieces: libxml2 hears it, keeps nothing, and judges.

A long file is judged by a process of its own (`python -m medfund.bankfiles.iso20022 KIND`), so that another processor
does a quarter of the work.

What stays true: both say the same of the same bytes; a process that ends without a verdict is no verdict.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from lxml import etree

from medfund.bankfiles.iso20022 import kinds
from medfund.bankfiles.iso20022.kinds import Kind
from medfund.bankfiles.refusals import BadFile, Code

CHUNK_BYTES = 1 << 16
LONG_BYTES = 1 << 20
"""From so many on, judging a file takes longer than a process takes to start."""
VERDICT_LIMIT_S = 120.0
GOOD, BAD = b"good", b"bad "


# libxml2 refuses blanks around a day or a time, which the standard's types let be there.
_DAY = re.compile(rb">\s*([0-9]{4}-[0-9]{2}-[0-9]{2}[^\s<]*)\s*<")


class _Nothing:
    """What is made of the file while it is judged."""

    def close(self) -> None:
        return None


class Judge:
    """In this process. Raises `BadFile` as soon as it knows. `collapsing`: the blanks around days and times are taken
    away first."""

    def __init__(self, kind: Kind, *, collapsing: bool = False) -> None:
        self._held: bytes | None = b"" if collapsing else None
        self._parser = etree.XMLParser(  # type: ignore[call-overload]  # a target needs no more than its end
            target=_Nothing(),
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
        if self._held is not None:
            whole = self._held + chunk
            end = max(whole.rfind(b">"), 0)
            chunk, self._held = _DAY.sub(rb">\1<", whole[:end]), whole[end:]
        self._hear(lambda: self._parser.feed(chunk))

    def close(self) -> None:
        if self._held:
            self._hear(lambda: self._parser.feed(self._held))
        self._hear(self._parser.close)

    def _hear(self, hear: Callable[[], object]) -> None:
        """A parser that makes no tree raises nothing for the schema's sake: that is in its log alone."""
        try:
            hear()
        except etree.XMLSyntaxError as error:
            raise _refusal(str(error.msg)) from None
        if wrong := self._parser.feed_error_log.filter_from_errors():
            where = f"line {wrong[0].line}: " if wrong[0].line else ""
            raise _refusal(f"{where}{wrong[0].message}")


class JudgeBeside:
    """By a process that it speaks for."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def feed(self, chunk: bytes) -> None:
        try:
            self._process.stdin.write(chunk)  # type: ignore[union-attr]  # it is a pipe
        except BrokenPipeError:  # it has heard enough
            self.close()

    def close(self) -> None:
        said, _ = self._process.communicate(timeout=VERDICT_LIMIT_S)
        if said.startswith(BAD):
            raise BadFile(Code.SCHEMA, said.removeprefix(BAD).decode())
        if said != GOOD:
            raise RuntimeError(f"the schema's judge ended with {self._process.returncode}, and said nothing")


@contextmanager
def judge(kind: Kind, *, beside: bool, collapsing: bool = False) -> Iterator[Judge | JudgeBeside]:
    """In this process, or `beside` it: that one ends with this judgement, and with this process."""
    if not beside:
        yield Judge(kind, collapsing=collapsing)
        return
    command = [sys.executable, "-m", __package__, kind.name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield JudgeBeside(process)
    finally:
        process.kill()
        with suppress(BrokenPipeError), process:  # its pipes are closed, and it is waited for
            pass


def _refusal(said: str) -> BadFile:
    return BadFile(Code.SCHEMA, f"not as the official schema wants it: {_plain(said.strip()[:300])}")


def _plain(said: str) -> str:
    return re.sub(r"\{urn:iso:[^}]*\}", "", said)
