"""`medfund bankfile check`, where there are no books to match with: what is read, what is left out, and why."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from medfund import cli
from medfund.bankfiles import iso20022
from tests import bank_messages as made

OWN = {"area": "152500", "fund": "310100", "bank_account": "1002", "name": "医保基金支出户", "bank": "102100000030"}


def check(folder: Path, content: bytes, *options: str) -> Result:
    (folder / "sample.xml").write_bytes(content)
    command = ["bankfile", "check", str(folder / "sample.xml"), *options]
    return CliRunner().invoke(cli.assemble(*cli.COMMANDS), command, env={"COLUMNS": "160"})


def answered(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(result.stdout)
    return found


def register(folder: Path, number: str) -> str:
    (folder / "accounts.json").write_bytes(msgspec.json.encode({"own": [{**OWN, "number": number}], "payees": {}}))
    return str(folder / "accounts.json")


def test_a_sample_is_told_line_by_line(tmp_path: Path) -> None:
    said = check(tmp_path, iso20022.encoded(made.STATEMENT), "--json", "--lines", "3")
    [told] = answered(said)["told"]
    assert said.exit_code == 0
    assert (told["kind"], told["entries"], told["closing"], len(told["lines"])) == ("Statement", 4, "-2301103.48", 3)
    assert [(part["amount"], part["of"]) for part in told["lines"][2]["parts"]] == [("1.00", "A"), ("2.00", "B")]
    assert list(tmp_path.iterdir()) == [tmp_path / "sample.xml"]


def test_a_person_reads_what_would_become_of_it(tmp_path: Path) -> None:
    said = check(tmp_path, iso20022.encoded(made.NOTIFICATION).replace(b"<Cd>BOOK", b"<Cd>PDNG", 1))
    for words in (
        "可以接收 would be taken",
        "neither books nor log were asked",
        "1 仅为预告 only announced",
        "202602270000418",
        "未比对",
    ):
        assert words in said.stdout


def test_the_register_says_whose_account_it_is(tmp_path: Path) -> None:
    known = register(tmp_path, made.FUND.number)
    said = check(tmp_path, iso20022.encoded(made.STATEMENT), "--json", "--accounts", known)
    assert answered(said)["told"][0]["fund"] == "152500 310100 1002"
    other = register(tmp_path, "6222000010001")
    refused = check(tmp_path, iso20022.encoded(made.STATEMENT), "--json", "--accounts", other)
    assert (refused.exit_code, answered(refused)["code"]) == (1, "WRONG_ACCOUNT")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"Dear customer", "NOT_XML"), (iso20022.encoded(made.TRANSFERS), "WRONG_ACCOUNT"), (b"<a/>", "UNKNOWN_MESSAGE")],
)
def test_what_would_be_refused_is_told_with_its_reason(tmp_path: Path, content: bytes, code: str) -> None:
    said = check(tmp_path, content)
    assert said.exit_code == 1
    assert f"不予接收 would be refused ({code})" in said.stdout


def test_a_line_that_is_not_known_is_not_named(tmp_path: Path) -> None:
    content = iso20022.encoded(made.STATEMENT).replace(b"MsgId>", b"MsgI>")
    detail = answered(check(tmp_path, content, "--json"))["detail"]
    assert "Element 'MsgI': This element is not expected" in detail
    assert "line 0" not in detail


def test_where_there_is_no_file_or_no_register_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    said = CliRunner(env={"CLEARING_BANK_DSN": "postgresql://127.0.0.1:1/none"}).invoke(
        cli.assemble("bankfile"), ["bankfile", "check", str(tmp_path / "bad.json")]
    )
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.endswith("no register says whose accounts are in them: give --accounts\n")
    for options in ([], ["--accounts", str(tmp_path / "bad.json")]):
        command = ["bankfile", "check", str(tmp_path / "none.xml"), *options]
        assert CliRunner().invoke(cli.assemble("bankfile"), command).exit_code == 2
