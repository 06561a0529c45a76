"""The pages say what is true: what they tell to type is run, in one shell, and answers what they show.

Blocks are taken in the order of their page. One whose fence says `run=NAME` is run once, `ask=NAME` until it answers
what `shows=NAME` shows, for booking takes a moment. There `…` stands for anything. All share the README's stack.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.shown import ANYTHING, covers

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *(ROOT / "docs" / name for name in ("finance.md", "claims.md", "purchases.md", "operators.md"))]
FENCE = re.compile(r"^```(\w+) (run|ask|shows)=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FIRST, LAST = ("start", "city"), "stop"
"""The README's blocks that all pages need, and the one that ends the stack."""
RUN_LIMIT_S = 200.0
ANSWER_LIMIT_S = 30.0
PAUSE_S = 0.5


class Block(NamedTuple):
    """A command of a page, and whether what it says is what the page shows."""

    name: str
    patient: bool
    """Asked again for a while, where the answer is not yet what it will be."""
    command: str
    agrees: Callable[[str], bool]


def blocks(page: Path) -> list[Block]:
    fences = FENCE.findall(page.read_text(encoding="utf-8"))
    answers = {name: shown(language, text) for language, use, name, text in fences if use == "shows"}
    found = [
        Block(name, use == "ask", text, answers.pop(name, lambda said: True))
        for _, use, name, text in fences
        if use != "shows"
    ]
    assert not answers, "answers to nothing"
    return found


def shown(language: str, text: str) -> Callable[[str], bool]:
    if language == "json":
        told = json.loads(text)
        return lambda said: covers(told, _parsed(said))
    form = re.compile("".join(map(_line_form, text.splitlines())))
    return lambda said: form.fullmatch(said) is not None


def _parsed(said: str) -> Any:
    try:
        return json.loads(said)
    except ValueError:
        return said


def _line_form(line: str) -> str:
    """A line that is `…` stands for any lines; in a line it stands for any of its characters."""
    if line == ANYTHING:
        return r"(?:[^\n]*\n)*"
    return r"[^\n]*".join(map(re.escape, line.split(ANYTHING))) + r" *\n"


class Reader:
    """Somebody who types what the pages tell, in one shell in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shell = folder / "shell"
        self._shell.touch()
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Few lanes, for economy: nothing that the pages show depends on their number.
        self._environment = {**os.environ, "PATH": tools, "MEDFUND_LANES": "4", "COLUMNS": "150"}

    def follow(self, block: Block) -> None:
        deadline = time.monotonic() + ANSWER_LIMIT_S * block.patient
        done = self._type(block)
        while (done.returncode or not block.agrees(done.stdout)) and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
            done = self._type(block)
        assert done.returncode == 0, f"`{block.name}`: {done.stderr}"
        assert block.agrees(done.stdout), f"`{block.name}` said\n{done.stdout}"

    def stop_others(self) -> None:
        """Stacks that a page starts and, where something on it failed, does not stop."""
        for state in sorted(self._folder.glob(".data/*/stack.json")):
            self._type(Block("stop", False, f"medfund down --data {state.parent}\n", lambda said: True))

    def _type(self, block: Block) -> "subprocess.CompletedProcess[str]":
        """Variables and functions stay for the next block."""
        script = f". {self._shell}\n{block.command}\n{{ export -p; declare -f; }} > {self._shell}\n"
        return subprocess.run(
            ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_LIMIT_S,
        )


@pytest.fixture(scope="module")
def reader(session_folder: Path) -> Iterator[Reader]:
    folder = session_folder / "documents"
    folder.mkdir(mode=0o755)
    following = Reader(folder)
    readme = {block.name: block for block in blocks(README)}
    try:
        for name in FIRST:
            following.follow(readme[name])
        yield following
    finally:
        following.follow(readme[LAST])
        following.stop_others()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_answers_what_it_shows(reader: Reader, page: Path) -> None:
    for block in blocks(page):
        if page != README or block.name not in (*FIRST, LAST):
            reader.follow(block)


def test_an_answer_that_differs_is_noticed() -> None:
    assert covers({"a": "1.00", "…": "…"}, {"a": "1.00", "b": [1]})
    assert not covers({"a": "1.00", "…": "…"}, {"a": "1.01", "b": [1]})
    assert not covers({"a": "1.00"}, {"a": "1.00", "b": [1]})
    assert not covers([{"a": 1}], [{"a": 1}, {"a": 2}])
    agrees = shown("text", "one …\n…\nlast\n")
    assert agrees("one two\nthree\nlast\n")
    assert not agrees("one two\nthree\n")
