"""Handing over a file at most once: who waits in the folder may take it at once, and we may be killed at any point.

The name in the archive is the evidence that a file was, or is about to be, handed over. It is made before the file can
be seen, and once it is there the file's bytes never change:

    no archive copy                 nothing was handed over: (re)write from scratch
    archive copy and hidden file    it is complete and was never seen: the rename is outstanding
    archive copy only               it was handed over, whether or not it is still there

What stays true: the other side never sees half a file, nor any file twice. This also holds when the power fails,
because each step is on the disk before the next one is made.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from medfund import faults

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,119}").fullmatch


class BadName(ValueError):
    """Not a name that every bank's file system takes, or one that leads elsewhere."""


class NoSpace(OSError):
    """What could not be written for want of space; nothing of it can be seen, and a later call starts anew."""


class Tampered(RuntimeError):
    """The folders hold what this protocol never leaves behind. Somebody has to look before anything is handed over."""


def hand_over(name: str, write: Callable[[BinaryIO], None], *, into: Path, archive: Path) -> bool:
    """Whether this call handed it over; False where an earlier one did. Both folders are on one file system."""
    check_name(name)
    hidden, kept, target = into / f".{name}.part", archive / name, into / name
    with space_for(target):
        if not kept.exists():
            if target.exists():
                raise Tampered(f"{target} is there, and nothing says that it was handed over")
            _write(hidden, write)
            faults.point("hand_over.written")
            # After a power failure the evidence must not be there without the file that it speaks of.
            sync(into)
            os.link(hidden, kept)
            faults.point("hand_over.archived")
            sync(archive)
            faults.point("hand_over.archive_synced")
        elif not hidden.exists():
            return False
        elif not hidden.samefile(kept):
            raise Tampered(f"{hidden} is another file than {kept}")
        os.rename(hidden, target)
        faults.point("hand_over.renamed")
        sync(into)
    return True


def _write(path: Path, write: Callable[[BinaryIO], None]) -> None:
    # The folder is the other side's too: what lies under our name there is not written into.
    path.unlink(missing_ok=True)
    try:
        with path.open("xb") as file:
            write(file)
            file.flush()
            faults.point("hand_over.unsynced")
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def check_name(name: str) -> None:
    if _NAME(name) is None or name.endswith(".part"):
        raise BadName(f"{name!r} is no name of letters, digits, points, lines and dashes that begins with a letter")


def sync(folder: Path) -> None:
    """Put the folder's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """The whole file or the old one, whatever happens."""
    hidden = path.parent / f".{path.name}.part"
    with space_for(path):
        _write(hidden, lambda file: _all(file, content))
        os.replace(hidden, path)
        sync(path.parent)


def _all(file: BinaryIO, content: bytes) -> None:
    file.write(content)


@contextmanager
def space_for(path: Path) -> Iterator[None]:
    try:
        yield
    except NoSpace:
        raise
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        free = shutil.disk_usage(path.parent).free
        said = f"no space for {path.name} in {path.parent}: {os.strerror(error.errno)}, {free} bytes are free"
        raise NoSpace(error.errno, said) from error
