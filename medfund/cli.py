"""The `medfund` command: puts together the commands that live with their capabilities.

Only the module of the command that was asked for is imported, so that a command starts as fast as it can.
"""

import importlib
import sys
from importlib import metadata
from typing import Annotated

import typer

COMMANDS = {
    "up": "medfund.local.commands",
    "down": "medfund.local.commands",
    "status": "medfund.local.commands",
    "token": "medfund.local.commands",
    "keys": "medfund.local.commands",
    "prepare": "medfund.local.commands",
    "publish": "medfund.publish.command",
    "claim": "medfund.publish.claiming",
    "einvoices": "medfund.publish.einvoices",
    "city": "medfund.city.command",
    "verify": "ledger.commands",
    "bankfile": "clearing.bank.commands",
    "demo": "medfund.demo.command",
}
"""Command -> the module with a function of that name."""


def assemble(*names: str) -> typer.Typer:
    """The application with these commands."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
    app.callback()(_root)
    for name in names:
        app.command(name)(getattr(importlib.import_module(COMMANDS[name]), name))
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(metadata.version("medfund"))
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Settlement ledger of a public medical-insurance fund."""


def main() -> None:
    asked = sys.argv[1:2]
    app = assemble(*asked) if asked and asked[0] in COMMANDS else assemble(*COMMANDS)
    app(prog_name="medfund")


if __name__ == "__main__":
    main()
