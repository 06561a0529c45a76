"""A small month of claims by itself: what `make claims` measures ends with books that say what was claimed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN_LIMIT_S = 240


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_small_month_is_claimed_paid_at_once_audited_and_approved_to_the_fen(folder: Path) -> None:
    result = folder / "claims.json"
    command = [sys.executable, "-m", "bench.claims", "--settlements", "6000", "--providers", "30"]
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
    decided = told["decisions"]
    for decision in ("claim.batch.accepted", "instant.payment.approved", "claim.batch.approved"):
        assert decided[decision] == told["claims"] > 30
    assert decided["payment.settled"] > told["claims"], "each fund pays its own part"
    assert decided["claim.finding.noted"] == told["findings"] > 0
