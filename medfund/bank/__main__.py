"""`python -m medfund.bank --root DIR --accounts FILE --state FILE --once|--follow`: a bank on a pair of folders."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from medfund import money
from medfund.bank import desk, misbehaviour
from medfund.bankfiles.messages import Account
from medfund.calendar import SHANGHAI


class Opening(Struct, frozen=True):
    """An account in the accounts file, and the yuan in it when the books begin."""

    number: str
    name: str
    bank: str
    balance: str


def bank(
    root: Annotated[Path, typer.Option(help="The folder with out/ and in/.")],
    accounts: Annotated[Path, typer.Option(help='JSON: [{"number", "name", "bank", "balance": "1.00"}, ...].')],
    state: Annotated[Path, typer.Option(help="Where the bank keeps its books; on the same file system as the root.")],
    day: Annotated[str, typer.Option(help="The bank's day; days before it are closed with their statements.")] = "",
    misbehave: Annotated[str, typer.Option(help="What to do wrong: name[:which][=code],...")] = "",
    once: Annotated[bool, typer.Option("--once", help="Work what lies in out/ and end.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Work until stopped.")] = False,
    close: Annotated[bool, typer.Option("--close", help="Close the day when all is worked.")] = False,
) -> None:
    """Be a bank: take payment files, pay them, and report."""
    if once == follow or (follow and close):
        raise typer.BadParameter("say --once, with or without --close, or --follow")
    wanted = date.fromisoformat(day) if day else None
    with desk.opened(
        root=root,
        state=state,
        day=wanted or datetime.now(SHANGHAI).date(),
        accounts=[(Account(of.number, of.name, of.bank), money.fen(of.balance)) for of in _openings(accounts)],
        wishes=misbehaviour.wishes(misbehave),
    ) as opened:
        if wanted:
            opened.to_day(wanted)
        if follow:
            opened.follow()
        opened.work()
        if close:
            opened.close_day()
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(desk.summary(opened))).decode() + "\n")


def _openings(accounts: Path) -> list[Opening]:
    return msgspec.json.decode(accounts.read_bytes(), type=list[Opening])


if __name__ == "__main__":
    typer.run(bank)
