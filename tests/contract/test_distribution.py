"""What is installed is what is in the checkout: also its SQL, tables and templates."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from typer.testing import CliRunner

from medfund import cli

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [ROOT / package for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    files = {
        str(file.relative_to(package.parent))
        for package in packages
        for file in package.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert files - held == set()


def test_every_command_explains_itself_and_can_answer_in_json() -> None:
    # The demonstration is for people; what it shows, scripts get from the other commands.
    app = cli.assemble(*cli.COMMANDS)
    for name in cli.COMMANDS.keys() - {"demo"}:
        said = CliRunner().invoke(app, [name, "--help"], terminal_width=200)
        assert said.exit_code == 0
        assert "--json" in said.output


def made(target: str, folder: Path) -> list[str]:
    """What make would do for a target in a fresh checkout, whatever make these tests were started by."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        ["make", "-n", target],  # noqa: S607
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [line for line in done.stdout.splitlines() if re.search(r"^echo|-r requirements|medfund|pytest", line)]


def test_the_demonstration_installs_what_runs_and_says_so_first_and_tests_add_their_tools(tmp_path: Path) -> None:
    demo, test = made("demo", tmp_path), made("test", tmp_path)
    assert demo[0].startswith('echo "Setting up .venv with what runs')
    assert [line.rpartition(" ")[2] for line in demo[1:]] == ["requirements.lock", "medfund.local.kafka", "demo"]
    assert test[:2] == demo[:2]
    assert test[2].startswith('echo "Adding the tools')
    assert test[3].endswith("-r requirements-dev.lock")
    assert "pytest" in test[-1]


def test_the_tools_leave_what_runs_as_it_is() -> None:
    runs, tools = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert runs.items() <= tools.items()
    assert not {"mypy", "pytest", "ruff", "hypothesis"} & runs.keys()


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", text, re.MULTILINE))
