"""Where a chapter of the demo plays: a stack of its own on fresh data, a publisher, callers of the API, and a screen.

What stays true: everything shown comes through the public commands and the API; every claim is checked, and one that
does not hold makes the demo fail.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.rule import Rule
from rich.table import Table

from medfund import progress
from medfund.demo.api import Api
from medfund.environment import load
from medfund.http.tokens import EVERYTHING
from medfund.lanes.settings import IdentitySettings
from medfund.local import CannotRun, access, running
from medfund.local.commands import step
from medfund.local.services import process
from medfund.local.state import State
from medfund.publish import command as publishing
from medfund.publish import inputs, resume

PATIENCE_S = 30.0
BOOKING_LIMIT_S = 180.0
VERIFY_LIMIT_S = 300.0
LOOK_S = 0.1
WORKERS = 2
PROVERS = 2
COUNTED = ("lanes", "records", "accepted", "repeats", "quarantined", "lines", "open_items")

Positions = Mapping[str, Mapping[int, int]]
"""Family -> lane -> offset."""


class Failed(Exception):
    """The demo cannot go on."""


class Claim(NamedTuple):
    """What the demo says, and whether it holds."""

    claim: str
    holds: bool


class Stage:
    """One run of the demo."""

    def __init__(self, data: Path, *, scale: str, screen: Console) -> None:
        self.data = data
        self.scale = scale
        """How large the city is; 1 is the real one."""
        self.screen = screen
        self.claims: list[Claim] = []
        self.figures: dict[str, Any] = {}
        """What a script may want to know."""
        self.area = "152500"
        """Whose books there are to look at afterwards."""
        self._state: State | None = None

    # -- the stack

    def clear(self) -> None:
        """Make the data folder empty; one that is not a stack's is left alone."""
        running.stop(self.data)
        if self.data.exists():
            if any(self.data.iterdir()) and not (self.data / "stack.json").exists():
                raise CannotRun(f"{self.data} holds something that no stack put there: give another --data")
            shutil.rmtree(self.data)

    def open(self) -> None:
        """Start broker, database and services."""
        running.fetch_broker(step)
        self._state = running.start_detached(self.data, workers=WORKERS, tell=step)

    def open_anew(self) -> None:
        """On fresh data, whatever was played before."""
        if self.is_open:
            self._state = None
            self.clear()
        self.open()

    def close(self) -> None:
        running.stop(self.data)

    @property
    def state(self) -> State:
        if self._state is None:
            raise Failed("the stack is not up")
        return self._state

    def token(self, role: str, organisations: Sequence[str] = ()) -> str:
        return access.issue(self.data, role, areas=[EVERYTHING], organisations=organisations)

    @property
    def is_open(self) -> bool:
        return self._state is not None

    def api(self, role: str, service: str = "ledger", *, organisations: Sequence[str] = ()) -> Api:
        [address] = [part.address for part in self.state.parts if part.name == process(service, "api")]
        return Api(f"http://{address}", self.token(role, organisations))

    # -- publishing and booking

    def publish(self, file: Path, *, send_bad: bool = False) -> dict[str, Any]:
        """`medfund publish`; its summary."""
        told = self.state.environment
        run = publishing.Run(
            bootstrap=told["KAFKA_BOOTSTRAP"],
            topic_prefix=told["MEDFUND_TOPIC_PREFIX"],
            patience_s=PATIENCE_S,
            identity=load(IdentitySettings).identity,
        )
        with file.open("rb", buffering=inputs.BUFFER_BYTES) as stream:
            summary = run.published(stream, resume.Journal.beside(file), skip_bad=False, send_bad=send_bad)
        if summary["outcome"] != "published":
            raise Failed(f"publishing {file.name}: {summary}")
        return summary

    def booked(self, positions: Positions, *, api: Api, path: str = "/v1/balances") -> float:
        """Wait until a service has taken all of these offsets of the topics that it hears; the monotonic time at which
        it had."""
        wanted = {(family, lane): last + 1 for family, lanes in positions.items() for lane, last in lanes.items()}
        deadline = time.monotonic() + BOOKING_LIMIT_S
        with progress.Bar("Booking", total=sum(wanted.values())) as bar:
            while time.monotonic() < deadline:
                found = api.get(path, limit=1)["positions"]
                done = {place: min(found[str(place[1])].get(place[0], end), end) for place, end in wanted.items()}
                bar.at(sum(done.values()))
                if done == wanted:
                    return time.monotonic()
                time.sleep(LOOK_S)
        raise Failed(f"not booked after {BOOKING_LIMIT_S:.0f} s")

    @property
    def lanes(self) -> range:
        return range(int(self.state.environment["MEDFUND_LANES"]))

    def verify(self) -> tuple[bool, dict[str, Any]]:
        """`medfund verify`, a share of the lanes in each of a few processes: the verdict, and the reports as one."""
        self.say("The books are counted again, from the log ...")
        with ThreadPoolExecutor(PROVERS) as pool:
            proofs = list(pool.map(self._verify, (self.lanes[share::PROVERS] for share in range(PROVERS))))
        reports = [report for _, report in proofs]
        counted = {name: sum(report[name] for report in reports) for name in COUNTED}
        problems = [problem for report in reports for problem in report["problems"]]
        return all(holds for holds, _ in proofs), {**counted, "problems": problems}

    def _verify(self, lanes: Sequence[int]) -> tuple[bool, dict[str, Any]]:
        chosen = [argument for lane in lanes for argument in ("--lane", str(lane))]
        done = subprocess.run(
            [sys.executable, "-m", "medfund.cli", "verify", "--data", str(self.data), "--json", *chosen],
            capture_output=True,
            text=True,
            check=False,
            timeout=VERIFY_LIMIT_S,
        )
        try:
            return done.returncode == 0, msgspec.json.decode(done.stdout)
        except msgspec.DecodeError:
            raise Failed(f"verify gave no report: {done.stderr[-2000:].strip()}") from None

    # -- the screen

    def heading(self, text: str) -> None:
        self.screen.print()
        self.screen.print(Rule(text, align="left"))

    def say(self, text: str) -> None:
        self.screen.print(text)

    def copyable(self, text: str) -> None:
        """A line as it is: what is to be copied must not be wrapped."""
        self.screen.print(text, soft_wrap=True, markup=False)

    def show(self, table: Table) -> None:
        self.screen.print(table)

    def check(self, claim: str, holds: bool) -> None:
        """Show a claim and whether it holds."""
        self.screen.print(f"[green]✓[/] {claim}" if holds else f"[bold red]✗ {claim}[/]")
        self.claims.append(Claim(claim, holds))

    @property
    def failures(self) -> list[str]:
        return [claim for claim, holds in self.claims if not holds]
