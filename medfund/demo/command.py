"""`medfund demo`: the product on its own stack with fresh data, chapter by chapter."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from medfund.demo.api import Refused
from medfund.demo.stage import Failed, Stage
from medfund.local import CannotRun

CHAPTERS = {"spine": "medfund.demo.spine"}
"""Chapter -> the module that plays it."""
LAST = "spine"


def demo(
    chapter: Annotated[str, typer.Argument(help="Which chapter: " + ", ".join(CHAPTERS))] = LAST,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Emptied at the start.")] = Path(".data/demo"),
    stay: Annotated[
        bool | None, typer.Option("--stay/--end", help="Stay up at the end; on a terminal it does.")
    ] = None,
) -> None:
    """Publish a synthetic city on a stack of its own, book it, show the books and prove them.

    Exit code 0 only when everything that is claimed holds.
    """
    if chapter not in CHAPTERS:
        raise typer.BadParameter(f"no chapter {chapter!r}; there are: {', '.join(CHAPTERS)}")
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL"):
        os.environ.pop(name, None)  # its own servers: the demo begins with nothing in them
    stage = Stage(data.absolute())
    raise typer.Exit(_played(stage, chapter, stay=sys.stdout.isatty() if stay is None else stay))


def _played(stage: Stage, chapter: str, *, stay: bool) -> int:
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        stage.clear()
        importlib.import_module(CHAPTERS[chapter]).play(stage)
        _closing(stage, seconds=time.monotonic() - began)
        if stay:
            _wait(stage)
    except (CannotRun, Failed, Refused) as error:
        typer.echo(f"The demo failed: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        if stay and not stage.failures:
            return 0
        return 130
    finally:
        stage.close()
    return 1 if stage.failures else 0


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _closing(stage: Stage, *, seconds: float) -> None:
    stage.heading("To look further")
    address = stage.state.api
    # Plain lines: what is to be copied must not be wrapped.
    typer.echo(f"API and its documentation: {address}/docs")
    typer.echo(f"TOKEN={stage.token('finance')}")
    typer.echo(f'curl -H "Authorization: Bearer $TOKEN" "{address}/v1/trial-balance?area=152500"')
    failed = len(stage.failures)
    verdict = (
        f"{failed} claims do not hold: {'; '.join(stage.failures)}" if failed else "Everything claimed here holds."
    )
    stage.say(f"{verdict} ({seconds:.0f} s)")


def _wait(stage: Stage) -> None:
    stage.say("The stack stays up until Ctrl-C.")
    while True:
        signal.pause()
