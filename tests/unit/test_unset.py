"""Whoever starts something without what it needs is told so in one sentence: every command of every service and of
`medfund`, once with nothing set, once with servers that do not answer."""

import inspect
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

import clearing.__main__
import direct_pay.__main__
import ledger.__main__
from medfund import cli, ending
from medfund.lanes import scheduler
from medfund.local.services import ROLES, variable

NOWHERE = "127.0.0.1:1"
PROCESSES: dict[str, Callable[..., Awaitable[int]]] = {
    **{f"ledger {name}": command for name, command in ledger.__main__.COMMANDS.items()},
    **{f"clearing {name}": command for name, command in clearing.__main__.COMMANDS.items()},
    **{f"direct_pay {name}": command for name, command in direct_pay.__main__.COMMANDS.items()},
    "scheduler": scheduler.main,
}
ENDS = (
    "ledger migrate", "ledger put-aside", "clearing migrate", "clearing parked", "clearing retry",
    "direct_pay migrate", "direct_pay put-aside",
)  # fmt: skip
"""The others wait for their servers."""
WORDS = {
    "publish": ["none.jsonl"],
    "bankfile": ["check", "none.xml"],
    "token": ["--role", "operator"],
    "keys": ["--data", "/dev/null/keys"],
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("MEDFUND_", "LEDGER_", "CLEARING_", "DIRECT_PAY_", "KAFKA_", "DATABASE_")):
            monkeypatch.delenv(name)


def ended(name: str) -> int:
    command = PROCESSES[name]
    words = ["claims" if word == "topic" else "1" for word in inspect.signature(command).parameters]
    return ending.run(lambda: command(*words))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_without_its_settings_names_them(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(name) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("the environment is not complete: ")
    assert "must be given; docs/operators.md" in line
    assert "DSN" in line or name == "scheduler"


@pytest.mark.parametrize("name", ENDS)
def test_a_command_that_does_not_reach_the_database_names_it(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", NOWHERE)
    for service, roles in ROLES.items():
        for role in roles:
            monkeypatch.setenv(variable(service, role), f"postgresql://somebody:secret@{NOWHERE}/medfund")
    assert ended(name) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"the database at {NOWHERE}/medfund: ConnectionRefusedError")
    assert "secret" not in line


@pytest.mark.parametrize("name", sorted(cli.COMMANDS.keys() - {"up", "demo", "city"}))
def test_a_command_with_nothing_set_says_what_it_lacks(name: str) -> None:
    said = CliRunner().invoke(cli.assemble(*cli.COMMANDS), [name, *WORDS.get(name, ())])
    assert isinstance(said.exception, SystemExit | None), said.exception
    asked = dict.fromkeys(("prepare", "publish", "bankfile", "claim", "einvoices"), 2)
    assert said.exit_code == {"down": 0, **asked}.get(name, 1)
    assert said.output.strip()


def test_a_topic_that_there_is_not_is_named_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", NOWHERE)
    monkeypatch.setenv("LEDGER_WORKER_DSN", f"postgresql://{NOWHERE}/medfund")
    put_aside = PROCESSES["ledger put-aside"]
    assert ending.run(lambda: put_aside("3", "medfund.claim", "1042")) == 2  # type: ignore[arg-type,return-value]
    assert capsys.readouterr().err.startswith("medfund.claim is no topic: claims, prepayments, ")


def test_the_command_says_which_version_it_is() -> None:
    said = CliRunner().invoke(cli.assemble(*cli.COMMANDS), ["--version"])
    assert (said.exit_code, said.output) == (0, f"{metadata.version('medfund')}\n")


def test_verify_says_what_to_give_and_what_it_did_not_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    app = cli.assemble(*cli.COMMANDS)
    assert "or give KAFKA_BOOTSTRAP and LEDGER_READER_DSN" in CliRunner().invoke(app, ["verify"]).output
    monkeypatch.setenv("LEDGER_READER_DSN", f"postgresql://reader:secret@{NOWHERE}/medfund")
    said = CliRunner().invoke(app, ["verify"])
    assert (said.exit_code, said.output) == (2, "the environment is not complete: KAFKA_BOOTSTRAP must be given\n")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", NOWHERE)
    said = CliRunner().invoke(app, ["verify"])
    assert said.exit_code == 1
    assert said.output.startswith(f"nothing is proved: the database at {NOWHERE}/medfund: ConnectionRefusedError")


def test_a_key_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = {"LEDGER_API_DSN": f"postgresql://{NOWHERE}/medfund", "KAFKA_BOOTSTRAP": NOWHERE}
    (tmp_path / "no-key.pem").write_text("no key")
    for file in ("none.pem", "no-key.pem"):
        env = {**os.environ, **told, "MEDFUND_TOKEN_PUBLIC_KEY": file}
        said = subprocess.run([sys.executable, "-m", "ledger", "api"], env=env, check=False, capture_output=True)
        assert said.returncode == 2
        [line] = said.stderr.decode().splitlines()
        assert line.startswith(f"{file}, a key of tokens (MEDFUND_TOKEN_PUBLIC_KEY), cannot be read: ")
