"""Files handed over and taken in by processes that are killed with -9, while the bank takes what it sees at once."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from medfund.bankfiles import folders, handing
from tests.integration.handing_child import CONTENT, PIECE

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
HAND_OVER = (
    "writing:20", "hand_over.unsynced", "hand_over.written", "hand_over.archived", "hand_over.archive_synced",
    "hand_over.renamed",
)  # fmt: skip


def child(step: str, root: Path, *, crash_at: str = "", file_bytes_max: int = 0) -> "subprocess.Popen[str]":
    environment = {**os.environ, **({"CRASH_AT": crash_at} if crash_at else {})}
    command = [sys.executable, "-m", "tests.integration.handing_child", step, str(root), str(file_bytes_max)]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(step: str, root: Path, *, crash_at: str = "", file_bytes_max: int = 0) -> tuple[int, str, str]:
    with child(step, root, crash_at=crash_at, file_bytes_max=file_bytes_max) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out.strip(), err


class Taker:
    """The bank: moves whatever it sees in `out/` away, and remembers what was in it."""

    def __init__(self, root: Path, away: Path) -> None:
        self.taken: list[bytes] = []
        self._out, self._away = root / "out", away
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        numbers = itertools.count()
        while not self._stop.is_set():
            for file in [path for path in self._out.glob("*") if not path.name.startswith(".")]:
                target = self._away / str(next(numbers))
                file.rename(target)
                self.taken.append(target.read_bytes())
            time.sleep(0.0005)

    def __enter__(self) -> "Taker":
        self._away.mkdir()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(0.05)
        self._stop.set()
        self._thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with folders.held(tmp_path / "bank"):
        return tmp_path / "bank"


@pytest.mark.parametrize("crashes", [*((point,) for point in HAND_OVER), *itertools.product(HAND_OVER[1:], repeat=2)])
def test_a_file_is_handed_over_once_however_its_process_dies(
    root: Path, tmp_path: Path, crashes: tuple[str, ...]
) -> None:
    with Taker(root, tmp_path / "away") as bank:
        ends = [run("hand_over", root, crash_at=point)[:2] for point in crashes]
        ends += [run("hand_over", root)[:2] for _ in range(2)]
    assert bank.taken == [CONTENT]
    assert (root / "done" / "out" / "MF1.xml").read_bytes() == CONTENT
    assert list((root / "out").iterdir()) == []
    # The first dies; one that is killed when it is over cannot say that it was the one.
    died, said = [code for code, _ in ends if code], [answer for code, answer in ends if not code]
    assert died
    assert set(died) == {-signal.SIGKILL}
    assert said.count("True") + ("hand_over.renamed" in crashes[: len(died)]) == 1
    assert said[-1] == "False"


def test_a_file_is_handed_over_once_whenever_its_process_dies(root: Path, tmp_path: Path) -> None:
    """Killed by the clock, at moments that no point names."""
    drawn = random.Random(20260227)
    with Taker(root, tmp_path / "away") as bank:
        for _ in range(12):
            with child("hand_over", root) as process:
                time.sleep(drawn.uniform(0.05, 0.5))
                process.kill()
        assert run("hand_over", root)[0] == 0
    assert bank.taken == [CONTENT]


@pytest.mark.parametrize("point", ["done.before", "moved"])
def test_a_file_that_was_being_taken_in_is_in_one_place(root: Path, point: str) -> None:
    (root / "in" / "a.xml").write_text("a")
    (root / "in" / "b.xml").write_text("b")
    assert run("done", root, crash_at=point)[0] == -signal.SIGKILL
    assert run("done", root)[0] == 0
    assert sorted(path.name for path in (root / "done" / "in").iterdir()) == ["a.xml", "b.xml"]
    assert list((root / "in").iterdir()) == []


@pytest.mark.parametrize("point", ["hand_over.unsynced", "refuse.reasoned", "moved"])
def test_a_file_that_was_being_refused_is_in_one_place_beside_its_reason(root: Path, point: str) -> None:
    (root / "in" / "a.xml").write_text("a")
    assert run("refuse", root, crash_at=point)[0] == -signal.SIGKILL
    assert run("refuse", root)[0] == 0
    assert sorted(path.name for path in (root / "refused").iterdir()) == ["a.xml", "a.xml.reason.txt"]
    assert list((root / "in").iterdir()) == []


def test_the_folders_are_free_again_when_their_process_was_killed(root: Path) -> None:
    assert run("hand_over", root, crash_at="writing")[0] == -signal.SIGKILL
    with folders.held(root) as bank:
        assert bank.incoming() == ()


def test_a_file_that_does_not_fit_is_not_seen_and_goes_when_it_does(root: Path, tmp_path: Path) -> None:
    with Taker(root, tmp_path / "away") as bank:
        code, _, said = run("hand_over", root, file_bytes_max=len(CONTENT) // 2)
        assert code == 1
        assert f"NoSpace: [Errno 27] no space for MF1.xml in {root / 'out'}" in said
        assert list((root / "out").iterdir()) == []
        assert run("hand_over", root)[:2] == (0, "True")
    assert bank.taken == [CONTENT]


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[None]:
    path.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs"]
    if not mount or not unmount or subprocess.run([mount, *options, path], check=False, timeout=30).returncode:
        pytest.skip("file systems cannot be mounted here; the limit on a file's size is tested all the same")
    try:
        yield
    finally:
        subprocess.run([unmount, "-l", path], check=True, timeout=30)


def test_a_full_disk_is_named_and_nothing_of_the_file_is_seen(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20):
        root = tmp_path / "disk" / "bank"
        with folders.held(root) as bank:
            ballast = root / "ballast"
            ballast.write_bytes(PIECE * 48)
            with pytest.raises(handing.NoSpace, match=r"no space for MF1\.xml .*: No space left on device, \d+ bytes"):
                bank.hand_over("MF1.xml", lambda file: _all(file.write(CONTENT)))
            assert list((root / "out").iterdir()) == []
            ballast.unlink()
            assert bank.hand_over("MF1.xml", lambda file: _all(file.write(CONTENT)))
            assert (root / "out" / "MF1.xml").read_bytes() == CONTENT


def _all(written: int) -> None:
    assert written == len(CONTENT)


def test_folders_on_two_file_systems_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir()
    with (
        small_disk(tmp_path / "bank" / "in", 1 << 20),
        pytest.raises(folders.SeveralFileSystems),
        folders.held(tmp_path / "bank"),
    ):
        pass
