"""An export of the national interface is checked and sent, beside the JSON lines of the same events.

Real throughout: the command as it is typed, the example and map of the page for publishers, a file in GBK, a broker.
The two take turns, so that neither has the quieter minutes. Memory is that of the whole export against a fifth of it.
"""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.ground import Ground
from medfund.publish import exports

FULL = 100_000
ROUNDS = 5
PAGE = Path(__file__).parents[1] / "docs/publishers.md"
ENCODING = "gb18030"
KEY = b"k" * 32


@dataclass
class Took:
    """What the command took, each time: seconds of all, and the most MiB it held."""

    lines_s: list[float] = field(default_factory=list)
    export_s: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    fifth_mib: float = 0.0

    @property
    def ratio(self) -> float:
        """The export's rate, of that of the lines: pair by pair, their median."""
        return statistics.median(map(float.__truediv__, self.lines_s, self.export_s))


def measure(ground: Ground, *, count: int) -> Took:
    folder, took = ground.folder, Took()
    (map := folder / "map.toml").write_text(_of_page("toml").replace('"utf-8"', f'"{ENCODING}"'), encoding="utf-8")
    (folder / "settlement.key").write_bytes(KEY)
    whole, fifth, lines = (folder / name for name in ("whole.csv", "fifth.csv", "whole.jsonl"))
    write(whole, count)
    write(fifth, count // 5)
    with whole.open("rb") as given, lines.open("wb") as written:
        written.writelines(exports.lines(given, exports.read_map(map)))
    for _ in range(ROUNDS):
        took.lines_s.append(_publish(ground, lines)[0])
        seconds, mib = _publish(ground, whole, map)
        took.export_s.append(seconds)
        took.mib.append(mib)
    took.fifth_mib = _publish(ground, fifth, map)[1]
    return took


def write(file: Path, count: int) -> None:
    """An export of the page's example, each row with an id and a time of its own."""
    head, row = _of_page("csv").splitlines()
    cells = row.split(",")
    with file.open("w", encoding=ENCODING, newline="") as written:
        written.write(f"{head},psn_name\r\n")
        for number in range(count):
            id, clock = (
                f"{cells[0][:-7]}{number:07}",
                f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}",
            )
            written.write(",".join([id, *cells[1:4], f"{cells[4][:10]} {clock}", *cells[5:], "某某"]) + "\r\n")


def _of_page(kind: str) -> str:
    [found] = re.findall(rf"```{kind} file=settlements\.{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def _publish(ground: Ground, file: Path, map: Path | None = None) -> tuple[float, float]:
    """Seconds and MiB of one command."""
    given: Sequence[str] = (str(file),) if map is None else ("--csv", str(file), "--map", str(map))
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "medfund.cli", "publish", *given, "--json"],
        env=ground.environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{file.name} was not published")
    return time.perf_counter() - began, used.ru_maxrss / 1024
