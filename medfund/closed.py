"""Folders that other users of the machine cannot enter: made so, and mended where somebody has opened them."""

import stat
from pathlib import Path

ALONE, WITH_THE_GROUP, PASSED_THROUGH = 0o700, 0o2770, 0o711
"""Its owner's; its group's too, also what is made in it; and one that others may pass through, but not look into."""


class Open(RuntimeError):
    """A folder is open to others, and somebody else's."""


def close(folder: Path, mode: int = ALONE) -> None:
    """Make a folder, or see to it that nobody else enters it. Raises `Open`."""
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    found = stat.S_IMODE(folder.stat().st_mode)
    if found & 0o777 == mode & 0o777:
        return
    try:
        folder.chmod(mode)
    except PermissionError as error:
        raise Open(f"{folder} has mode {found:o}, and is not ours to close: its owner gives it {mode:o}") from error
