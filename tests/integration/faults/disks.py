"""Disks of 64 MB that fill up."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from medfund.local import unprivileged

SIZE = "64m"
LIMIT_S = 30


@dataclass
class Disk:
    """One that the database's user can write to."""

    path: Path

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Not a byte is left."""
        with self._ballast.open("wb", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass  # full

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def small(path: Path) -> Iterator[Disk]:
    """Skips the test where this machine lets nobody mount."""
    path.mkdir()
    owner = unprivileged.run_as().get("user", os.geteuid())
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700,uid={owner}", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode != 0:
        pytest.skip(f"NOTHING IS SHOWN OF FULL DISKS: a small one cannot be mounted here: {done.stderr.strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", str(path)], check=True, timeout=LIMIT_S)  # noqa: S607
