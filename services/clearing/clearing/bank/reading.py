"""Files are read by a process of their own (`python -m clearing.bank.reading`), which forks one for each.

What stays true: whatever a file does to its reader, the bank's process hears of it as of a file that is refused, within
a limit of time; no file costs more time or memory than any bank file can.
"""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

from clearing.bank import forms
from clearing.bank.register import UnknownAccount
from medfund import garbage
from medfund.bankfiles.messages import Message
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.templates import Template

WORK_LIMIT_S = 120
"""Of the processor. A statement of 80,000 entries takes a tenth of it."""
TIME_LIMIT_S = 600.0
MEMORY_LIMIT_BYTES = 2 << 30
"""Of addresses, most of which the programme itself takes."""
Answer: TypeAlias = list[Message] | BadFile | UnknownAccount | OSError


class Reader:
    """The bank's process's end: started when it is needed, and again where it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ends: tuple[Connection, Connection] | None = None

    async def read(self, file: Path, register_forms: Mapping[str, Template]) -> list[Message]:
        """What the bank says in a file. Raises `BadFile`, `UnknownAccount`, `OSError`."""
        answer = await asyncio.to_thread(self._ask, file, register_forms)
        if isinstance(answer, list):
            return answer
        raise answer

    def _ask(self, file: Path, register_forms: Mapping[str, Template]) -> Answer:
        asking, answering = self._ends or self._start()
        try:
            asking.send((file, dict(register_forms)))
            if answering.poll(TIME_LIMIT_S + 60):
                return answering.recv()  # type: ignore[no-any-return]
        except (EOFError, BrokenPipeError):
            pass
        self.close()
        return BadFile(Code.UNREADABLE, "the process that reads files ended, or said nothing")

    def _start(self) -> tuple[Connection, Connection]:
        # A session of its own: a signal from a terminal is for the bank's process, whose end this one follows.
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        asking, answering = self._process.stdin, self._process.stdout
        self._ends = (
            Connection(os.dup(asking.fileno()), readable=False),  # type: ignore[union-attr]  # they are pipes
            Connection(os.dup(answering.fileno()), writable=False),  # type: ignore[union-attr]
        )
        asking.close()  # type: ignore[union-attr]
        answering.close()  # type: ignore[union-attr]
        return self._ends

    def close(self) -> None:
        if self._process is not None and self._ends is not None:
            for end in self._ends:
                end.close()
            self._process.kill()
            self._process.wait()
        self._process = self._ends = None

    __del__ = close


# -- in the process that reads


def serve(asked: Connection, answers: Connection) -> None:
    """Until whoever asks is gone."""
    while True:
        try:
            file, register_forms = asked.recv()
        except EOFError:
            return
        answers.send(_read_apart(file, register_forms))


def _read_apart(file: Path, register_forms: Mapping[str, Template]) -> Answer:
    """By a process that ends with the file."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        _answer(Connection(writing, readable=False), file, register_forms)
        os._exit(0)
    os.close(writing)
    with Connection(reading, writable=False) as said:
        try:
            answer: Any = said.recv() if said.poll(TIME_LIMIT_S) else None
        except EOFError:
            answer = None
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return answer if answer is not None else BadFile(Code.UNREADABLE, _how_it_ended(status))


def _answer(to: Connection, file: Path, register_forms: Mapping[str, Template]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (WORK_LIMIT_S, WORK_LIMIT_S))
    try:
        to.send(forms.read(file, register_forms))
    except (BadFile, UnknownAccount, OSError) as refused:
        to.send(refused)
    except MemoryError:
        to.send(BadFile(Code.UNREADABLE, f"it takes more than {MEMORY_LIMIT_BYTES} bytes of memory"))
    except Exception as error:
        to.send(BadFile(Code.UNREADABLE, f"{type(error).__name__}: {error}"[:500]))


def _how_it_ended(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return "its reader ended without a word"
    if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return f"its reader took more than {WORK_LIMIT_S} s, or more than there is of memory"
    return f"its reader ended by {signal.Signals(os.WTERMSIG(status)).name}"


if __name__ == "__main__":
    garbage.collect_seldom()
    serve(Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False))
