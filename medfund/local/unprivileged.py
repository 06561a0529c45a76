"""What must not run as root, and may be started by root: by which user, and where that user can reach files.

A checkout under a home folder is closed to everyone else. What the unprivileged user needs then lives in a folder of
root's own that others can read but not write.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TypedDict

from medfund.local import CannotRun

# Survives a restart of the machine, unlike the other temporary folder.
PLACE = Path("/var/tmp/medfund")  # noqa: S108 - owned by root and closed to writers, checked in `place`


class UnsafePlace(CannotRun):
    """The folder for what an unprivileged user shares with root is not root's alone."""


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that change who runs; none where we stay who we are."""

    user: int
    group: int
    extra_groups: list[int]


def run_as() -> RunAs:
    """The unprivileged user when we are root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(path: Path) -> bool:
    """Whether everybody may pass through a folder and all that lead to it."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def place() -> Path:
    """Root's folder that others can read. Raises `UnsafePlace` where somebody else could write there."""
    PLACE.mkdir(mode=0o755, exist_ok=True)
    found = PLACE.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise UnsafePlace(f"{PLACE} must be a folder that belongs to root and that nobody else can write to")
    PLACE.chmod(0o755)
    return PLACE


def home(folder: Path) -> Path:
    """Where what belongs in `folder` can live so that the unprivileged user reaches it: there, or in root's place."""
    if reachable(folder):
        return folder
    other = place() / hashlib.sha256(bytes(folder)).hexdigest()[:16]
    other.mkdir(mode=0o755, exist_ok=True)
    other.chmod(0o755)
    return other


def shared_copy(tree: Path, name: str) -> Path:
    """A copy of a tree that everybody can read, made once."""
    target = place() / name
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            copy = shutil.copytree(tree, Path(temporary) / name, symlinks=True)
            _open_to_readers(copy)
            try:
                copy.rename(target)
            except OSError:
                if not target.exists():
                    raise
    return target


def _open_to_readers(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
