"""What is installed is what is in the checkout: also its SQL, tables and templates."""

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
