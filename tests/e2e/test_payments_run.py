"""A small run by itself: what is measured of payments ends with each of them paid, and the books as the bank has it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN_LIMIT_S = 240


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_small_run_goes_to_the_bank_and_its_statement_settles_every_payment(folder: Path) -> None:
    result = folder / "payments.json"
    command = [sys.executable, "-m", "bench", "--only", "payments", "--payments", "400"]
    done = subprocess.run(
        [*command, "--data", str(folder / "data"), "--results", str(result)],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_LIMIT_S,
    )
    assert result.exists(), done.stdout + done.stderr
    told = {one["name"]: one["value"] for one in json.loads(result.read_text(encoding="utf-8"))["results"]}
    assert told["payments of a run"] == 400, done.stderr
    assert told["statement, when all was known: matched"] > 0
