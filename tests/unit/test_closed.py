"""A folder with data in it is closed to the other users of the machine."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from medfund import closed
from medfund.bankfiles import folders


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


@pytest.mark.parametrize("was", [None, 0o755, 0o777, 0o750])
def test_a_folder_is_made_closed_and_closed_again_where_somebody_opened_it(tmp_path: Path, was: int | None) -> None:
    folder = tmp_path / "data"
    if was is not None:
        folder.mkdir()
        folder.chmod(was)
    closed.close(folder)
    assert mode(folder) == 0o700


@pytest.mark.parametrize(("shared", "wanted"), [(False, 0o700), (True, 0o2770)])
def test_the_banks_folder_is_shared_with_its_group_only_where_that_is_told(
    tmp_path: Path, shared: bool, wanted: int
) -> None:
    root = tmp_path / "bank"
    (root / "in").mkdir(parents=True)
    (root / "in").chmod(0o777)
    with folders.held(root, shared=shared):
        pass
    assert {mode(root / name) for name in (".", "in", "out", "done", "done/out", "done/in", "refused")} == {wanted}


SOMEBODY_ELSE = """
import os, sys
from pathlib import Path
from medfund import closed
os.seteuid(65534)
try:
    closed.close(Path(sys.argv[1]))
except closed.Open as said:
    print(said)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_a_folder_of_somebody_elses_that_is_open_is_refused_with_what_to_do() -> None:
    with tempfile.TemporaryDirectory() as within:
        Path(within).chmod(0o755)
        root = Path(within) / "bank"
        root.mkdir()
        root.chmod(0o777)
        said = subprocess.check_output([sys.executable, "-c", SOMEBODY_ELSE, str(root)], text=True)
    assert "mode 777, and is not ours to close: its owner gives it 700" in said
