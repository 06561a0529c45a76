"""Small runs by themselves: what is measured of payments ends with each of them paid, and the books as the bank has it;
what is measured of prepayments, with each of them given once and none back; an export, with all of it sent;
of purchases, with each statement requested and booked; two histories, with an answer to whatever they were asked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench

RUN_LIMIT_S = 240


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_small_run_goes_to_the_bank_and_its_statement_settles_every_payment(folder: Path) -> None:
    told = measured(folder, "payments", "--payments", "400")
    assert told["payments of a run"] == 400
    assert told["statement, when all was known: matched"] > 0


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_small_plan_is_told_twice_and_given_once_and_its_year_ends(folder: Path) -> None:
    assert measured(folder, "prepayments", "--providers", "40")["prepayments: year's end"] > 0


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_small_export_is_sent_beside_its_json_lines(folder: Path) -> None:
    assert measured(folder, "exports", "--exported", "500")["export against its JSON lines"] > 0


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_small_part_of_purchases_is_requested_and_booked(folder: Path) -> None:
    told = measured(folder, "purchases", "--bought", "2000")
    assert told["purchases"] == 2000
    assert told["a line costs direct payment"] > 0


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_a_build_is_measured_beside_another(folder: Path) -> None:
    command = [sys.executable, "-m", "bench.beside", str(Path(bench.__file__).parents[1]), "--data", str(folder)]
    done = subprocess.run(
        [*command, "--rounds", "1", "--scale", "0.002"],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_LIMIT_S,
    )
    told = [line.partition(" of what it cost")[0] for line in done.stderr.splitlines() if "of what it cost" in line]
    assert [line.partition(": ")[0] for line in told] == ["ledger", "clearing"], done.stderr
    assert all(float(line.partition(": ")[2]) > 0 for line in told)


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_two_histories_are_asked_the_same_and_answer(folder: Path) -> None:
    assert measured(folder, "history", "--turns", "1")["an opened day, at 100 times against one"] > 0


def measured(folder: Path, part: str, *size: str) -> dict[str, float]:
    """What `bench` says of a part. Wherever that does not end as it should, it says nothing."""
    result = folder / "results.json"
    command = [sys.executable, "-m", "bench", "--only", part, *size]
    done = subprocess.run(
        [*command, "--data", str(folder / "data"), "--results", str(result)],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_LIMIT_S,
    )
    assert result.exists(), done.stdout + done.stderr
    found = {one["name"]: one["value"] for one in json.loads(result.read_text(encoding="utf-8"))["results"]}
    assert found, done.stdout + done.stderr
    return found
