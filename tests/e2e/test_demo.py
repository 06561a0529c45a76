"""`medfund demo` by itself: a smaller city, the same claims, a clean end."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from medfund.local import running

RUN_LIMIT_S = 400


def demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it with its own servers, whatever the environment says."""
    elsewhere = {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": "postgresql://127.0.0.1:1/none", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "medfund.cli", "demo", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_LIMIT_S,
        env={**os.environ, **elsewhere},
    )


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_every_claim_of_the_demo_holds_and_it_leaves_nothing_running(folder: Path) -> None:
    data = folder / "demo"
    done = demo("--data", str(data), "--scale", "0.01", "--json")
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(done.stdout)
    assert report["succeeded"]
    assert len(report["claims"]) == 13 + 15 + 12 + 23
    assert all(claim["holds"] for claim in report["claims"])
    providers, copies_of_the_policy = 671, 12
    assert report["events"] == providers + copies_of_the_policy + 271 + 1428 + 1978
    assert "/docs" in done.stderr
    assert 'curl -H "Authorization: Bearer $TOKEN"' in done.stderr
    assert running.running(data) is None


def test_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = demo("--data", str(tmp_path))
    assert done.returncode == 1
    assert "holds something that no stack put there" in done.stderr
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_unknown_chapter_is_told_which_there_are() -> None:
    done = demo("wings")
    assert done.returncode == 2
    assert "no chapter 'wings'; there are: spine, prepayments, claims, purchases" in done.stderr
