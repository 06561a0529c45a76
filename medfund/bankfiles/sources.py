"""A bank file's bytes, from a path, from memory, or from a file that we have open: a real file, and not larger than any
bank file is."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from medfund.bankfiles.refusals import BadFile, Code

Source: TypeAlias = bytes | Path | BinaryIO

LIMIT_BYTES = 256 << 20
"""A statement of 80,000 entries has 80 MB."""


@contextmanager
def opened(source: Source, *, limit_bytes: int = LIMIT_BYTES) -> Iterator[BinaryIO]:
    """The bytes from the start. A link is not followed, and a pipe is not waited for: the folder is the bank's too."""
    if isinstance(source, bytes):
        _sized(len(source), limit_bytes)
        yield io.BytesIO(source)
    elif isinstance(source, Path):
        with open(source, "rb", opener=_regular) as file:
            _sized(os.fstat(file.fileno()).st_size, limit_bytes)
            yield file
    else:
        _sized(source.seek(0, os.SEEK_END), limit_bytes)
        source.seek(0)
        yield source


def _regular(path: str, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _no_file(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file(path)
    return descriptor


def _no_file(path: str) -> BadFile:
    return BadFile(Code.NOT_A_FILE, f"{os.path.basename(path)} is no regular file")


def _sized(size: int, limit_bytes: int) -> None:
    if size > limit_bytes:
        raise BadFile(Code.TOO_LARGE, f"{size} bytes, and no bank file has more than {limit_bytes}")
