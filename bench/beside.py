"""What a settlement costs in this build and in another, measured in alternation on servers of their own.

    python -m bench.beside CHECKOUT      # the other build, with an environment of its own in `.venv`

Both drain the same backlog, in turns: what the machine does meanwhile falls on both. A ratio is the middle one of the
pairs.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import drain
from bench.ground import Ground

HERE = Path(__file__).parents[1]
SERVICES = ("ledger", "clearing")
BAR = 1.0
NOISE = 0.03
"""What pairs of one build differ by on a machine that does nothing else."""


@dataclass
class Build:
    process: subprocess.Popen[str]

    def cost(self, service: str) -> float:
        """Microseconds of processor time for one settlement, the worker's and the database's."""
        assert self.process.stdin
        self.process.stdin.write(f"{service}\n")
        self.process.stdin.flush()
        return float(json.loads(self.answer()))

    def answer(self) -> str:
        assert self.process.stdout
        if line := self.process.stdout.readline():
            return line
        raise SystemExit(f"a build ended with {self.process.wait()}: its last words are above")


@contextmanager
def build(checkout: Path, folder: Path, scale: str) -> Iterator[Build]:
    """This module runs in both builds, with the `bench` and the product of each."""
    command: list[str | Path] = [checkout / ".venv/bin/python", __file__, "--drain", folder, "--scale", scale]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        found = Build(process)
        found.answer()
        yield found
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()


async def answer_costs(folder: Path, scale: str) -> None:
    """Serves one build: a service a line, its cost a line."""
    ground = Ground(folder)
    try:
        await ground.start()
        print(await ground.publish_city(scale=scale), flush=True)
        while service := (await asyncio.to_thread(sys.stdin.readline)).strip():
            drained = await drain.measure_drain(ground, workers=1, service=service)
            print(json.dumps(drained.processor_us), flush=True)
    finally:
        ground.stop()


def compare(this: Build, other: Build, rounds: int) -> Mapping[str, float]:
    ratios = {}
    for service in SERVICES:
        pairs = []
        for number in range(rounds):
            turns = (this, other) if number % 2 else (other, this)
            cost = {turn is this: turn.cost(service) for turn in turns}
            pairs.append((cost[True], cost[False]))
            say(f"{service}: {cost[True]:.2f} us here, {cost[False]:.2f} us there")
        ratios[service] = statistics.median(here / there for here, there in pairs)
        say(f"{service}: {ratios[service]:.3f} of what it cost (pairs {min(h / t for h, t in pairs):.3f} to "
            f"{max(h / t for h, t in pairs):.3f})")  # fmt: skip
    return ratios


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.beside", description=__doc__)
    parser.add_argument("checkout", type=Path, nargs="?", help="the other build")
    parser.add_argument("--rounds", type=int, default=7, help="pairs for each service")
    parser.add_argument("--scale", default="0.2", help="size of the backlog: 1 is 1,412,480 settlements")
    parser.add_argument("--data", type=Path, default=Path(".data/beside"), help="a folder for the servers; emptied")
    parser.add_argument("--drain", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.drain:
        asyncio.run(answer_costs(chosen.drain, chosen.scale))
        return 0
    if chosen.checkout is None:
        parser.error("say which build to compare with")
    data = chosen.data.absolute()
    with (
        build(HERE, data / "this", chosen.scale) as this,
        build(chosen.checkout.absolute(), data / "other", chosen.scale) as other,
    ):
        ratios = compare(this, other, chosen.rounds)
    return 0 if all(ratio <= BAR + NOISE for ratio in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
