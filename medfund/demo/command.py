"""`medfund demo`: the product on its own stack with fresh data, chapter by chapter."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from medfund.demo.api import Refused
from medfund.demo.stage import Failed, Stage
from medfund.environment import Incomplete
from medfund.local import CannotRun
from medfund.local.commands import Patience

CHAPTERS = {
    "spine": "medfund.demo.spine",
    "prepayments": "medfund.demo.prepayments",
    "claims": "medfund.demo.claims",
    "purchases": "medfund.demo.purchases",
}
"""Chapter -> the module that plays it, in their order."""
ALL = "all"
WIDTH = 118
SERVERS = (
    "KAFKA_BOOTSTRAP",
    "DATABASE_URL",
    "LEDGER_READER_DSN",
    "MEDFUND_TOPIC_PREFIX",
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_USER",
)


def demo(
    chapter: Annotated[str, typer.Argument(help="Which chapter alone: " + ", ".join(CHAPTERS))] = ALL,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Emptied at the start.")] = Path(".data/demo"),
    scale: Annotated[str, typer.Option(help="How large the city is, for example 0.05.")] = "1",
    stay: Annotated[
        bool | None, typer.Option("--stay/--end", help="Stay up at the end; on a terminal it does.")
    ] = None,
    patience: Patience = 60.0,
    leave: Annotated[
        bool, typer.Option("--leave", help="Return at the end and leave the stack up, for `medfund down --data DIR`.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="The claims and figures as JSON; the rest on standard error.")
    ] = False,
) -> None:
    """Publish a synthetic city on a stack of its own, book it, show the books and prove them.

    Exit code 0 only when everything that is claimed holds.
    """
    if chapter not in {*CHAPTERS, ALL}:
        raise typer.BadParameter(f"no chapter {chapter!r}; there are: {', '.join(CHAPTERS)}")
    os.environ["MEDFUND_PATIENCE"] = str(patience)
    for name in SERVERS:
        os.environ.pop(name, None)  # the demo begins with nothing in them, so they are its own
    os.environ["MEDFUND_SCHEDULER"] = "false"  # the days of its story have passed, and a day follows the last one
    screen = Console(stderr=json, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    stage = Stage(data.absolute(), scale=scale, screen=screen)
    signal.signal(signal.SIGTERM, _interrupted)
    code = _played(stage, chapter, stay=not leave and (sys.stdout.isatty() if stay is None else stay))
    if code or not leave:
        stage.close()
    if json:
        typer.echo(msgspec.json.encode(_told(stage, chapter, succeeded=code == 0)).decode())
    raise typer.Exit(code)


def _played(stage: Stage, chapter: str, *, stay: bool) -> int:
    """The exit code."""
    began = time.monotonic()
    complete = False
    try:
        stage.clear()
        for name in CHAPTERS if chapter == ALL else [chapter]:
            importlib.import_module(CHAPTERS[name]).play(stage)
        stage.figures["seconds"] = round(time.monotonic() - began, 1)
        _closing(stage)
        complete = True
        if stay:
            _wait(stage)
    except (CannotRun, Failed, Incomplete, Refused) as error:
        typer.echo(f"The demo failed: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        # On a terminal this is how it ends.
        return 130 if not complete else int(bool(stage.failures))
    except BaseException:
        stage.close()
        raise
    return int(bool(stage.failures))


def _told(stage: Stage, chapter: str, *, succeeded: bool) -> dict[str, Any]:
    claims = [claim._asdict() for claim in stage.claims]
    return {"chapter": chapter, "succeeded": succeeded, "claims": claims, **stage.figures}


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _closing(stage: Stage) -> None:
    stage.heading("To look further")
    address = stage.state.api
    stage.copyable(f"API and its documentation: {address}/docs")
    stage.copyable(f"TOKEN={stage.token('finance')}")
    stage.copyable(f'curl -H "Authorization: Bearer $TOKEN" "{address}/v1/trial-balance?area={stage.area}"')
    failures = stage.failures
    verdict = f"Does not hold: {'; '.join(failures)}." if failures else f"All {len(stage.claims)} claims hold."
    stage.say(f"{verdict} It took {stage.figures['seconds']:.0f} s.")


def _wait(stage: Stage) -> None:
    stage.say("The stack stays up until Ctrl-C.")
    while True:
        signal.pause()
