"""What a command reads events from: JSON lines of a file or of standard input, or an export that becomes lines."""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import typer

from medfund.publish import drafts, exports, forms, resume

BUFFER_BYTES = 1 << 20


@contextlib.contextmanager
def opened(file: str) -> Iterator[tuple[BinaryIO, resume.Journal]]:
    """The file to read twice, and where its progress is kept; standard input is copied to the disk first."""
    if file == "-":
        with tempfile.TemporaryFile(buffering=BUFFER_BYTES) as spool:
            shutil.copyfileobj(sys.stdin.buffer, spool, BUFFER_BYTES)
            spool.seek(0)
            yield cast(BinaryIO, spool), resume.Journal(None)
        return
    path = Path(file)
    with contextlib.ExitStack() as held:
        try:
            stream = held.enter_context(path.open("rb", buffering=BUFFER_BYTES))
        except OSError as error:
            raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from error
        yield stream, resume.Journal.beside(path)


@contextlib.contextmanager
def events(given: BinaryIO, map: Path | None) -> Iterator[BinaryIO]:
    """The lines of a file; of an export, those that it becomes, on the disk."""
    if map is None:
        yield given
        return
    with tempfile.TemporaryFile(buffering=BUFFER_BYTES) as spool:
        try:
            judged = partial(drafts.check, now_ms=time.time_ns() // 1_000_000)
            spool.writelines(exports.lines(given, exports.read_map(map), _tell_left_out, judged))
        except forms.CannotRead as error:
            raise typer.BadParameter(str(error)) from error
        spool.seek(0)
        yield cast(BinaryIO, spool)


def _tell_left_out(rows: int) -> None:
    typer.echo(f"{rows:,} rows are not those of `only`, and left out.", err=True)
