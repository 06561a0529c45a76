"""The folders that the fund and its bank share: `out/` for the bank to take from, `in/` for the bank to put into.

What was done with a file is where it lies: `done/out/` has every file that was handed over, `done/in/` what was taken
in, `refused/` what was not, each beside its reason. The two halves of `done/` are apart so that no file of the bank's
can pass for one of ours that was paid. Names in `done/out/` are kept for ever: they say what must not be paid again.

What stays true: one process at a time; no file is written over; a file of the bank's is in one place only.
"""

import fcntl
import hashlib
import math
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from medfund import closed, faults
from medfund.bankfiles import handing, refusals

FOLDERS = ("out", "in", "done/out", "done/in", "refused")
ENDINGS = (".xml", ".csv")
"""Of the names of a bank's files, in capitals or not. One that is being written has another name until it is whole."""
NAME_BYTES_MAX = 200
REASON = ".reason.txt"


class Held(RuntimeError):
    """Another process works on these folders."""


class SeveralFileSystems(RuntimeError):
    """A file can be moved in one step within one file system only."""


@contextmanager
def held(root: Path, *, shared: bool = False) -> Iterator["Folders"]:
    """The folders, made where they are missing and closed to other users, for this process alone; `shared` with the
    folder's group. Raises `Held`, `SeveralFileSystems`, `closed.Open`."""
    for folder in (root, root / "done", *(root / name for name in FOLDERS)):
        closed.close(folder, closed.WITH_THE_GROUP if shared else closed.ALONE)
    if len({(root / name).stat().st_dev for name in FOLDERS}) > 1:
        raise SeveralFileSystems(f"{', '.join(FOLDERS)} in {root} are not on one file system")
    with locked(root):
        yield Folders(root)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """The folder is this process's alone. Raises `Held`, which names the process that has it."""
    with (root / ".lock").open("a+") as lock:
        _take(lock, root)
        yield


def _take(lock: IO[str], root: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise Held(f"{root} is held by process {lock.read().strip() or 'unknown'}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


class Folders:
    """The fund's side of the folders under `root`; made by `held`."""

    def __init__(self, root: Path) -> None:
        self._out, self._in, self._sent, self._taken, self._refused = (root / name for name in FOLDERS)

    def hand_over(self, name: str, write: Callable[[BinaryIO], None]) -> bool:
        """Put a file where the bank takes it from, at most once for ever. False where that was done before.

        Raises `handing.NoSpace` where it does not fit; the next call tries again.
        """
        return handing.hand_over(name, write, into=self._out, archive=self._sent)

    @contextmanager
    def draft(self) -> Iterator[BinaryIO]:
        """A file without a name, for as long as the block: what is to be handed over and may not be good yet.

        Raises `handing.NoSpace` where what is written does not fit.
        """
        ours = self._sent.parent
        with handing.space_for(ours / "draft"), tempfile.TemporaryFile(dir=ours) as file:
            yield file

    def handed_over(self, name: str) -> Path | None:
        """Our copy of a file that was, or is about to be, handed over."""
        handing.check_name(name)
        kept = self._sent / name
        return kept if kept.exists() else None

    def kept(self, name: str) -> Path:
        """Our copy of a file that was handed over."""
        found = self.handed_over(name)
        if found is None:
            raise FileNotFoundError(f"{name} was not handed over")
        return found

    def incoming(self) -> tuple[Path, ...]:
        """What the bank has put, by name; files that it is still writing are hidden, or end otherwise."""
        names = [name for name in self._names() if name.lower().endswith(ENDINGS)]
        return tuple(self._in / name for name in sorted(names, key=os.fsencode))

    def left_lying(self, *, before: float) -> tuple[Path, ...]:
        """What nobody looks at because of its name, and nobody has written to since an instant either."""
        found = [
            self._in / name for name in sorted(self._names(), key=os.fsencode) if not name.lower().endswith(ENDINGS)
        ]
        return tuple(file for file in found if _written(file) < before)

    def _names(self) -> list[str]:
        with os.scandir(self._in) as found:
            return [entry.name for entry in found if not entry.name.startswith(".")]

    def done(self, file: Path) -> Path:
        """The file was taken in. Where it is now."""
        faults.point("done.before")
        return self._move(file, self._taken)

    def refuse(self, file: Path, *, code: str, detail: str) -> Path:
        """The file is not taken. Where it is now; its reason lies beside it."""
        name = _free_name(file, self._refused)
        text = refusals.reason_text(name=os.fsencode(file.name).decode(errors="replace"), code=code, detail=detail)
        handing.replace(self._refused / f"{name}{REASON}", text.encode())
        faults.point("refuse.reasoned")
        return self._move(file, self._refused)

    def _move(self, file: Path, folder: Path) -> Path:
        """Away from the bank's folder, under the same name where that is free, or has the same content already."""
        if file.parent != self._in:
            raise ValueError(f"{file} is not in {self._in}")
        target = folder / _free_name(file, folder)
        with handing.space_for(target):
            os.rename(file, target)
            faults.point("moved")
            handing.sync(folder)
            handing.sync(self._in)
        return target


def _written(file: Path) -> float:
    """When it was written to; what is gone by now is new."""
    try:
        return file.lstat().st_mtime
    except FileNotFoundError:
        return math.inf


def digest(file: Path) -> str:
    """What the file has in it, as SHA-256. Of what is no file: that it is there, and which."""
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        return hashlib.sha256(f"{found.st_dev} {found.st_ino}".encode()).hexdigest()
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _free_name(file: Path, folder: Path) -> str:
    """The file's name, or that with a part of its digest where other content has it.

    A name that nobody can print is not kept, nor one that could pass for a reason of ours.
    """
    name = os.fsencode(file.name).decode(errors="replace")
    usable = name.isprintable() and "\ufffd" not in name and len(name.encode()) <= NAME_BYTES_MAX
    if not usable or name.endswith(REASON):
        return f"{digest(file)[:16]}.unnamed"
    there = folder / name
    if not os.path.lexists(there) or digest(there) == digest(file):
        return name
    return f"{file.stem}-{digest(file)[:16]}{file.suffix}"
