"""What the local stack waits for, and how long: a slow program is given more, an idle one is ended, and told of."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from medfund.local.server import Server, StartFailed, run

LIMIT_S = 0.4
WORKS = "import sys, time\nfor n in range({lines}): print(n, flush=True); time.sleep(0.1)\n"
IDLES = "import time\ntime.sleep(60)\n"


class Script(Server):
    """A program that is ready when it has written its mark."""

    start_limit_s = LIMIT_S

    def __init__(self, folder: Path, script: str) -> None:
        super().__init__("script", folder)
        self.script = script
        self.told: list[str] = []
        self.tell = self.told.append

    def start(self) -> None:
        self._spawn([sys.executable, "-c", self.script])
        self._wait_until((self.folder / "ready").exists)


def test_a_program_that_works_is_waited_for_beyond_its_first_limit_and_whoever_waits_is_told(folder: Path) -> None:
    slow = Script(folder, WORKS.format(lines=15) + "open('ready', 'w').close(); time.sleep(60)")
    slow.start()
    try:
        assert slow.told[0] == f"script is starting; its log: {slow.log}"
        assert "works and is not ready after" in slow.told[1]
        assert [line.rpartition("given ")[2] for line in slow.told[1:-1]] == ["1 s more", "2 s more"][
            : len(slow.told) - 2
        ]
        assert slow.told[-1].startswith("script is ready after")
    finally:
        slow.kill()


def test_a_program_that_does_nothing_is_ended_and_the_part_its_log_and_the_limit_are_named(folder: Path) -> None:
    idle = Script(folder, IDLES)
    with pytest.raises(StartFailed) as failure:
        idle.start()
    assert not idle.running
    [first, *_] = str(failure.value).splitlines()
    assert first == (
        f"script was not ready after 0 s (the last limit was 0 s; `--patience` gives more); its log: {idle.log}"
    )


def test_a_program_that_works_for_ever_is_ended_all_the_same(folder: Path) -> None:
    busy = Script(folder, WORKS.format(lines=10_000))
    busy.patience = 0.5
    began = time.monotonic()
    with pytest.raises(StartFailed, match=r"the last limit was 2 s"):
        busy.start()
    assert time.monotonic() - began >= 0.5 * LIMIT_S * (1 + 2 + 4 + 8)
    assert not busy.running


def test_patience_lengthens_every_limit(folder: Path) -> None:
    late = Script(folder, "import time; time.sleep(1); open('ready', 'w').close(); time.sleep(60)")
    late.patience = 50
    late.start()
    late.kill()
    assert len(late.told) == 2, "not one limit passed"


def test_a_program_that_ends_while_starting_is_not_waited_for(folder: Path) -> None:
    dead = Script(folder, "raise SystemExit('no room')")
    dead.patience = 100
    with pytest.raises(StartFailed, match=r"script ended while starting \(exit code 1\); its log: .*\nno room"):
        dead.start()


def test_a_tool_that_takes_too_long_is_named(folder: Path) -> None:
    with pytest.raises(StartFailed, match=r"making the database took more than 0 s; `--patience`"):
        run([sys.executable, "-c", IDLES], what="making the database", limit_s=0.2)
    done: subprocess.CompletedProcess[str] = run([sys.executable, "-c", "print('made')"], what="it", limit_s=60)
    assert (done.returncode, done.stdout) == (0, "made\n")
