"""`python -m medfund.bank --root DIR --state FILE --once|--follow`: a bank on a pair of folders."""

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


WRONG = f"What to do wrong: name[:which][=code],...; the names: {', '.join(misbehaviour.NAMES)}."


def bank(
    root: Annotated[Path, typer.Option(help="The folder with out/ and in/.")],
    state: Annotated[Path, typer.Option(help="Where the bank keeps its books; on the same file system as the root.")],
    accounts: Annotated[
        Path | None,
        typer.Option(help='To begin the books: JSON, [{"number", "name", "bank", "balance": "1.00"}, ...].'),
    ] = None,
    day: Annotated[str, typer.Option(help="The bank's day; days before it are closed with their statements.")] = "",
    misbehave: Annotated[str, typer.Option(help=WRONG)] = "",
    give_back: Annotated[
        list[str],
        typer.Option(help="A payment that comes back now, and why: its end-to-end id, =, a code. May repeat."),
    ] = [],  # noqa: B006 - the library's own way to say none
    once: Annotated[bool, typer.Option("--once", help="Work what lies in out/ and end.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Work until stopped.")] = False,
    close: Annotated[bool, typer.Option("--close", help="Close the day when all is worked.")] = False,
) -> None:
    """Be a bank: take payment files, pay them, and report."""
    if once == follow or (follow and close):
        raise typer.BadParameter("say --once, with or without --close, or --follow")
    if accounts is None and not state.exists():
        raise typer.BadParameter("there are no books yet: say --accounts")
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
        for payment in give_back:
            name, _, code = payment.partition("=")
            try:
                opened.give_back(name, code=code)
            except ValueError as error:
                raise typer.BadParameter(str(error)) from None
        if close:
            opened.close_day()
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(desk.summary(opened))).decode() + "\n")


def _openings(accounts: Path | None) -> list[Opening]:
    return msgspec.json.decode(accounts.read_bytes(), type=list[Opening]) if accounts else []


if __name__ == "__main__":
    typer.run(bank)
