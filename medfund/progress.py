"""How far a long command has come: a bar on a terminal, a plain line now and then elsewhere. Always on standard error.

Nothing is shown in the first two seconds, so a short command stays quiet.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUIET_S = 2.0
REDRAW_S = 0.1
PLAIN_LINE_S = 5.0


class Bar:
    """Counts one kind of thing up to a total that is known (0: not known)."""

    def __init__(self, title: str, *, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._terminal = sys.stderr.isatty()
        self._drawn: tuple[Progress, TaskID] | None = None
        self._began = time.monotonic()
        self._next = self._began + QUIET_S

    def __enter__(self) -> Self:
        return self

    def advance(self, number: int = 1) -> None:
        """So many more are done."""
        self.at(self._done + number)

    def at(self, done: int) -> None:
        """So many are done now."""
        self._done = done
        now = time.monotonic()
        if now >= self._next:
            self._next = now + (REDRAW_S if self._terminal else PLAIN_LINE_S)
            self._show(now)

    def _show(self, now: float) -> None:
        if self._terminal:
            self._draw()
        else:
            sys.stderr.write(f"{self._title}: {self._counted()}, {self._rate(now):,.0f}/s\n")

    def _counted(self) -> str:
        return f"{self._done:,} of {self._total:,}" if self._total else f"{self._done:,}"

    def _rate(self, now: float) -> float:
        return self._done / max(now - self._began, 1e-9)

    def _draw(self) -> None:
        if self._drawn is None:
            self._drawn = self._started()
        progress, task = self._drawn
        progress.update(task, completed=self._done, rate=f"{self._rate(time.monotonic()):,.0f}/s")

    def _started(self) -> "tuple[Progress, TaskID]":
        # Imported here, because most runs end before there is anything to draw.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
        ]
        progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        task = progress.add_task(self._title, total=self._total or None, rate="")
        progress.start()
        return progress, task

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()
