"""A month of claims by itself: what `make claims` measures ends with books that say what was claimed, and with every
claim paid in time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN_LIMIT_S = 240


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_the_claims_of_700_providers_are_audited_to_the_fen_and_paid_by_file_before_they_are_due(folder: Path) -> None:
    result = folder / "claims.json"
    command = [sys.executable, "-m", "bench.claims", "--settlements", "14000", "--providers", "700"]
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
        assert decided[decision] == told["claims"] > 700
    assert told["payments"] > 2 * told["claims"], "each fund pays its own part, at once and after the audit"
    assert decided["claim.finding.noted"] == told["findings"] > 0
    assert [day["due"] for day in told["due"]] == ["2026-03-09", "2026-03-10", "2026-03-11"], (
        "who is late is paid later"
    )
    assert sum(day["paid"] for day in told["due"]) == told["claims"]
    assert sum(day["late"] for day in told["due"]) == 0
