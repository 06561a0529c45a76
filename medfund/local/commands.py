"""`medfund up | down | status | prepare | token`: the product on one machine, from the command line.

Modules that open connections are imported by the commands that need them, so that `--help` is quick.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from medfund import environment
from medfund.local import CannotRun

if TYPE_CHECKING:
    from medfund.local.state import Part, State

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="Where everything is kept.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]
Patience = Annotated[
    float,
    typer.Option(
        min=1,
        max=3600,
        envvar="MEDFUND_PATIENCE",
        metavar="SECONDS",
        help="How long a part may take to start at first; while it works, it is given twice as much each time.",
    ),
]
DATA = Path(".data")
KNOWS_NOBODY = (
    "The broker does not ask who its clients are: whoever reaches it can write every topic in anybody's name. "
    "Let nobody reach it but these processes, or give it users (docs/operators.md, Who the broker lets write)."
)


@contextmanager
def said_in_one_place() -> Iterator[None]:
    """What can be put right is told on standard error, without a stack trace; exit code 1, 2 for a setting."""
    try:
        yield
    except (CannotRun, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except environment.Incomplete as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def step(line: str) -> None:
    """What is being done, for whoever waits."""
    typer.echo(line, err=True)


def up(
    data: Data = DATA,
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything is ready.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes of each service that work its lanes.")] = 1,
    patience: Patience = 60.0,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", envvar="MEDFUND_TAKE_OVER", help="Also a database that another installation works on."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Start broker, database and all services; stay until Ctrl-C, or return when ready with --detach.

    KAFKA_BOOTSTRAP and DATABASE_URL (of an administrator) name servers to use instead of own ones.
    """
    from medfund.local import running

    os.environ |= {"MEDFUND_PATIENCE": str(patience), "MEDFUND_TAKE_OVER": str(take_over)}
    with said_in_one_place():
        if found := running.running(data.absolute()):
            typer.echo(f"A stack is running on {data} already.", err=True)
            _tell(found, as_json=as_json)
        else:
            _start(data.absolute(), workers, detach=detach, as_json=as_json)


def _start(data: Path, workers: int, *, detach: bool, as_json: bool) -> None:
    from medfund.local import running, settings

    environment.load(settings.StackSettings)  # before anything is fetched or started
    running.fetch_broker(step)
    if detach:
        _tell(running.start_detached(data, workers=workers, tell=step), as_json=as_json)
    else:
        _stay(data, workers, as_json=as_json)


def _stay(data: Path, workers: int, *, as_json: bool) -> None:
    from medfund import logs
    from medfund.local import settings, supervisor
    from medfund.local.stack import Stack

    logs.configure()
    stack = Stack(data, workers, environment.load(settings.StackSettings), step)
    supervisor.supervise(stack, on_ready=lambda state: _tell(state, as_json=as_json))


def down(data: Data = DATA, as_json: Json = False) -> None:
    """Drain the services and stop everything. The data stays."""
    from medfund.local import running

    with said_in_one_place():
        stopped = running.stop(data.absolute())
    _say({"stopped": stopped}, "Stopped." if stopped else f"No stack was running on {data}.", as_json=as_json)


def status(data: Data = DATA, as_json: Json = False) -> None:
    """What runs, and where; exit code 0 only when all of it runs and is well."""
    from medfund.local import running

    with said_in_one_place():
        found = running.running(data.absolute())
        left = running.left(data.absolute())
    if found is None:
        told = {"running": False, "healthy": False, "left": _processes(left)}
        _say(told, f"No stack is running on {data}{_left(left, data)}.", as_json=as_json)
        raise typer.Exit(1)
    faults = running.faults(found)
    if as_json:
        told = {"running": True, "healthy": not faults, "faults": faults}
        _print_json({**_addresses(found), **told, "services": _services(found)})
    else:
        Console().print(_parts(found))
    if faults:
        typer.echo(f"not well: {', '.join(faults)}", err=True)
        raise typer.Exit(1)


def prepare(as_json: Json = False) -> None:
    """Create topics, schemas and roles on the servers that the environment names; may be repeated."""
    import asyncio

    from medfund.local import prepare as steps
    from medfund.local import settings

    with said_in_one_place():
        known = asyncio.run(steps.everything(environment.load(settings.PrepareSettings)))
    if not known:
        typer.echo(KNOWS_NOBODY, err=True)
    _say({"prepared": True, "clients_known": known}, "Topics, schemas and roles are there.", as_json=as_json)


def token(
    role: Annotated[
        str, typer.Option(help="publisher, provider, supplier, finance, approver, office, operator or auditor.")
    ],
    area: Annotated[list[str] | None, typer.Option(help="Only this area; may be repeated.")] = None,
    organisation: Annotated[list[str] | None, typer.Option(help="Only this organisation; may be repeated.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source of events; may be repeated.")] = None,
    subject: Annotated[str, typer.Option(help="Who it is for: a reference, never a name.")] = "",
    hours: Annotated[int, typer.Option(min=1, max=24 * 31, help="How long it is valid.")] = 24,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """A token for the API of this stack. A role that is bound to areas, organisations or sources has to name them;
    '*' is all of them.
    """
    from medfund.local import access

    with said_in_one_place():
        try:
            issued = access.issue(
                data.absolute(),
                role,
                areas=area or (),
                organisations=organisation or (),
                sources=source or (),
                subject=subject,
                ttl_s=hours * 3600,
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    _say({"role": role, "token": issued}, issued, as_json=as_json)


def keys(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Where they are kept.")], as_json: Json = False
) -> None:
    """Make the pair of keys that signs and proves tokens, where no stack of one's own does; kept where it is there."""
    from medfund.http import tokens

    with said_in_one_place():
        made = tokens.make_keys(data.absolute())
    _say(
        {"public": str(made.public)},
        f"The APIs are told {made.public}; whoever has the other one makes tokens.",
        as_json=as_json,
    )


def _addresses(state: "State") -> dict[str, Any]:
    return {"api": state.api, "bootstrap": state.bootstrap, "data": state.data}


def _tell(state: "State", *, as_json: bool) -> None:
    from medfund.local import access

    tokens = access.one_of_each(Path(state.data))
    if as_json:
        _print_json({**_addresses(state), "tokens": tokens, "services": _services(state)})
        return
    console = Console()
    table = Table(show_header=False, box=None)
    for name, value in (("API", state.api), ("documents", f"{state.api}/docs"), ("bootstrap", state.bootstrap)):
        table.add_row(name, value)
    table.add_row("data", state.data)
    console.print(table, _parts(state))
    typer.echo("Tokens (Authorization: Bearer ...), one per role, valid for a day:")
    for role, text in tokens.items():
        typer.echo(f"  {role:<10} {text}")


def _left(left: "Sequence[Part]", data: Path) -> str:
    """What runs of a stack whose supervisor was killed, and how that ends."""
    if not left:
        return ""
    named = ", ".join(f"{part.name} (pid {part.pid})" for part in left)
    ends = f"`medfund down --data {data}` ends them, `medfund up --data {data}` takes them over"
    return f", but its supervisor was killed and left {named}: {ends}"


def _services(state: "State") -> dict[str, Any]:
    return _processes(state.parts)


def _processes(parts: "Sequence[Part]") -> dict[str, Any]:
    return {part.name: {"address": part.address, "pid": part.pid, "log": part.log} for part in parts}


def _parts(state: "State") -> Table:
    table = Table("part", "pid", "address", "log")
    for part in state.parts:
        log = Path(part.log).relative_to(state.data)
        table.add_row(part.name, str(part.pid or "not running"), part.address, str(log))
    return table


def _say(told: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        _print_json(told)
    else:
        typer.echo(text)


def _print_json(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stdout.flush()
