"""A small soak: the stack is killed part by part while a city is published, and nothing is lost or doubled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN_LIMIT_S = 240


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_kills_of_worker_broker_and_database_leave_nothing_lost_and_nothing_doubled(folder: Path) -> None:
    result = folder / "soak.json"
    command = [sys.executable, "-m", "bench.soak", "--events", "12000", "--kills", "4", "--seed", "7"]
    done = subprocess.run(
        [*command, "--data", str(folder / "data"), "--results", str(result)],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_LIMIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(result.read_text(encoding="utf-8"))
    assert told["ok"]
    assert told["wrong"] == []
    assert sum(told["kills"].values()) == 4
    assert set(told["kills"]) == {"worker", "broker", "database"}, "this seed kills each"
