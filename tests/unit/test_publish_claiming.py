"""`medfund claim`: what a hospital claims comes from the very rows that it publishes."""

import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from medfund import cli, merkle
from medfund.events import codec
from medfund.publish import drafts
from tests.unit.test_publish_exports import HEAD, KEY, MAP, ROW, csv_of

NOW_MS = 1_796_000_000_000
PERIOD = ["--from", "2025-03-01", "--to", "2025-03-31", "--on", "2025-04-02"]
REVERSAL = (
    "152500202503201015300007654321,8,H15250200017,390,21,2025-03-20 10:15:30,-8654.21,-6852.8,-281.55,0,-621.39,"
    "-100,,0.000,,-798.47,退费"
)
VISITOR = ROW.replace("1234567,7", "1234599,9").replace("2025-03-04 10:15:30", "2025-03-31 23:59:59")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(KEY + "\n")
    plain = MAP.replace("ENCODING", "")
    reversal = plain.replace("settlement.recorded.v1", "settlement.reversed.v1")
    reversal = reversal.replace("[data]\n", '[data]\nreverses_ref = { hash = "{mdtrt_id}" }\n')
    (tmp_path / "map.toml").write_text(plain, encoding="utf-8")
    (tmp_path / "reversals.toml").write_text(reversal, encoding="utf-8")
    (tmp_path / "visitors.toml").write_text(
        plain.replace('insured_area = "152500"', 'insured_area = "310100"'), "utf-8"
    )
    return tmp_path


def ref(id: str) -> str:
    return hmac.new(KEY.encode(), id.encode(), hashlib.sha256).hexdigest()[:32]


def claim(folder: Path, *options: str, **files: str) -> Result:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    pairs = [["--csv", str(folder / f"{name}.csv"), "--map", str(folder / f"{name}.toml")] for name in files]
    words = [*PERIOD, *(word for pair in pairs for word in pair), *options]
    return CliRunner().invoke(cli.assemble(*cli.COMMANDS), ["claim", *words])


def events(said: Result) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in said.stdout.splitlines()]


def test_settlements_and_reversals_of_an_export_come_to_one_claim(folder: Path) -> None:
    other_day = ROW.replace("1234567,7", "1234511,7").replace("2025-03-04", "2025-04-01")
    twice = csv_of(ROW, ROW, other_day, ROW.replace("1234567,7", "1234568,7"))
    said = claim(folder, map=twice, reversals=csv_of(REVERSAL))
    assert said.exit_code == 0, said.output
    [event] = events(said)
    refs = [ref("152500202503041015300001234567"), ref("152500202503041015300001234568")]
    refs.append(ref("152500202503201015300007654321"))
    assert event["data"] == {
        "provider": "H15250200017",
        "area": "152500",
        "insured_area": "152500",
        "insutype": "390",
        "clr_type": "21",
        "clr_way": "3",
        "benefit_year": 2025,
        "advanced": [],
        "batch": "H15250200017-390-21-3-152500-20250331",
        "mode": "MONTH",
        "period_from": "2025-03-01",
        "period_to": "2025-03-31",
        "settlements": 3,
        "settlement_root": merkle.root(map(bytes.fromhex, refs)).hex(),
        "amounts": {"390100": "6852.80", "390200": "281.55", "610100": "621.39"},
        "submitted_on": "2025-04-02",
    }
    assert "1 claims of 3 settlements; left out: 1 of other days, 1 there twice." in said.stderr
    told = claim(folder, "--json", map=twice, reversals=csv_of(REVERSAL)).stderr
    assert msgspec.json.decode(told.splitlines()[-1]) == {
        "claims": 1, "settlements": 3, "left_out": {"of other days": 1, "there twice": 1}, "bad": 0,
    }  # fmt: skip


def test_settlements_and_reversals_that_are_rows_of_one_export_come_to_the_claim_of_two(folder: Path) -> None:
    apart = claim(folder, map=csv_of(ROW, VISITOR), reversals=csv_of(REVERSAL))
    for name, remark in (("map", "门诊"), ("reversals", "退费")):
        path = folder / f"{name}.toml"
        path.write_text(f'only = {{ "备注" = "{remark}" }}\n{path.read_text(encoding="utf-8")}', encoding="utf-8")
    export = csv_of(ROW, REVERSAL, VISITOR, "合计" + "," * 16)
    together = claim(folder, map=export, reversals=export)
    assert together.stdout == apart.stdout != ""
    assert [line for line in together.stderr.splitlines() if "`only`" in line] == [
        "2 rows are not those of `only`, and left out.",
        "3 rows are not those of `only`, and left out.",
    ]


def test_what_it_writes_is_what_publish_takes_and_the_same_each_time(folder: Path) -> None:
    first, again = (claim(folder, map=csv_of(ROW)).stdout for _ in range(2))
    assert first == again
    assert isinstance(drafts.read(first.encode(), now_ms=NOW_MS), codec.Accepted)


def test_the_same_claim_sent_again_is_another_event_under_the_same_name(folder: Path) -> None:
    once, twice = (claim(folder, *options, map=csv_of(ROW)) for options in ([], ["--again", "2"]))
    [first], [second] = events(once), events(twice)
    assert second["id"] == f"{first['id']}.2"
    assert second | {"id": first["id"]} == first


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ([], "20250331"),
        (["--suffix", "2"], "20250331-2"),
        (["--from", "2025-03-02"], "M20250302-0331"),
        (["--mode", "WEEK", "--from", "2025-03-25"], "W20250325-0331"),
        (["--mode", "DAY", "--from", "2025-03-31"], "D20250331-0331"),
        (["--mode", "DAY", "--from", "2025-03-31", "--suffix", "late2"], "D20250331-0331-late2"),
    ],
    ids=" ".join,
)
def test_batches_of_other_days_modes_and_suffixes_have_other_names(folder: Path, options: list[str], name: str) -> None:
    on_the_last = ROW.replace("2025-03-04", "2025-03-31")
    [event] = events(claim(folder, *options, map=csv_of(on_the_last)))
    assert event["data"]["batch"] == f"H15250200017-390-21-3-152500-{name}"
    assert re.fullmatch(r"[0-9A-Za-z.-]+", event["id"])


def test_each_insured_area_has_a_claim_of_its_own(folder: Path) -> None:
    said = claim(folder, map=csv_of(ROW), visitors=csv_of(VISITOR))
    assert [(one["data"]["insured_area"], one["data"]["settlements"]) for one in events(said)] == [
        ("152500", 1),
        ("310100", 1),
    ]


def test_the_lines_that_were_published_come_to_the_same_claim(folder: Path) -> None:
    from medfund.publish import exports

    from_export = claim(folder, map=csv_of(ROW, VISITOR))
    with (folder / "map.csv").open("rb") as stream:
        (folder / "lines.jsonl").write_bytes(b"".join(exports.lines(stream, exports.read_map(folder / "map.toml"))))
    from_lines = claim(folder, str(folder / "lines.jsonl"))
    assert from_lines.stdout == from_export.stdout != ""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW, ROW.replace("798.47", "798.48")], "line 3: identity_mismatch: "),
        ([ROW.replace("2025-03-04", "2025-02-04")], "there is no settlement of the period; left out: 1 of other days"),
    ],
)
def test_of_a_file_with_a_bad_row_or_without_any_nothing_is_claimed(folder: Path, rows: list[str], said: str) -> None:
    done = claim(folder, map=csv_of(*rows, head=HEAD))
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Nothing is claimed" in done.stderr


def test_of_a_file_that_cannot_be_read_nothing_is_claimed(folder: Path) -> None:
    done = claim(folder, map=csv_of(ROW, "1.525E+29" + ROW[30:]))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "1.525E+29 is a number that a spreadsheet has" in done.stderr


def test_a_name_that_does_not_fit_is_said(folder: Path) -> None:
    for suffix, said in (("a/b", "letters and digits: a/b"), ("x" * 13, "51 characters, at most 50 are allowed")):
        done = claim(folder, "--suffix", suffix, map=csv_of(ROW))
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    "options", [["--csv", "x.csv"], ["--to", "2025-02-28"], ["--on", "2025-03-31"], []], ids=" ".join
)
def test_what_it_lacks_is_said(folder: Path, options: list[str]) -> None:
    done = CliRunner().invoke(cli.assemble("claim"), [*PERIOD, *options])
    assert done.exit_code == 2
