"""`medfund bankfile check`: what the product makes of a bank's file, from the command line."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from clearing.bank.checking import Told, Verdict
    from clearing.bank.register import Register


class What(StrEnum):
    CHECK = "check"


def bankfile(
    what: Annotated[What, typer.Argument(help="`check` says what would become of the file.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file as the bank writes it.", dir_okay=False)],
    accounts: Annotated[
        Path | None, typer.Option(envvar="MEDFUND_BANK_ACCOUNTS", help="The register, by which accounts are known.")
    ] = None,
    lines: Annotated[int, typer.Option(help="How many lines of each account are shown.", min=0)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> None:
    """Say what a bank's file would come to, touching nothing. Exit code 0 only where it would be taken, at once or when
    its day has come.

    CLEARING_BANK_DSN names the books that its lines are matched with, by the register; without it, they are only read.
    """
    register, dsn = _register(accounts), os.environ.get("CLEARING_BANK_DSN")
    if dsn and register is None:
        _wrong("CLEARING_BANK_DSN names the books, and no register says whose accounts are in them: give --accounts")
    if not file.is_file():
        _wrong(f"{file} is no file")
    verdict = _verdict(file, register, dsn, lines)
    if as_json:
        sys.stdout.write(msgspec.json.encode(verdict).decode() + "\n")
    else:
        _tell(verdict)
    raise typer.Exit(1 if verdict.code else 0)


def _wrong(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)


def _verdict(file: Path, register: "Register | None", dsn: str | None, most: int) -> "Verdict":
    from clearing.bank import checking
    from medfund.ending import NOT_REACHED
    from medfund.postgres import connect

    try:
        return uvloop.run(checking.check(file, register, dsn, most=most))
    except NOT_REACHED as error:
        typer.echo(f"nothing is known of {file}: {connect.why(error)}", err=True)
        raise typer.Exit(2) from error


def _register(accounts: Path | None) -> "Register | None":
    from clearing.bank import register

    if accounts is None:
        return None
    try:
        return register.read(accounts)
    except register.BadRegister as error:
        _wrong(str(error))


def _tell(verdict: "Verdict") -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    if verdict.code:
        console.print(f"{verdict.file}: 不予接收 would be refused ({verdict.code})", markup=False)
        console.print(f"{verdict.reason[0]} {verdict.reason[1]}\n{verdict.detail}", markup=False)
        return
    if verdict.waits_for:
        console.print(f"{verdict.file}: 暂不接收 would wait in in/\n{verdict.waits_for}", markup=False)
    else:
        console.print(f"{verdict.file}: 可以接收 would be taken", markup=False)
    if not verdict.log_asked:
        console.print(
            "未查询账务与消息日志 neither books nor log were asked: days are judged by this host's clock alone"
        )
    for told in verdict.told:
        _tell_one(console, told)


def _tell_one(console: Console, told: "Told") -> None:
    about = [told.kind, told.message, told.account, told.fund, str(told.day or ""), told.closing]
    console.print(" ".join(filter(None, about)), markup=False)
    for what, counted in told.comes_to.items():
        console.print(f"  {counted.number} {what} {counted.total}", markup=False)
    if told.only_announced:
        console.print(f"  {told.only_announced} 仅为预告 only announced, and left out", markup=False)
    if told.of_nothing:
        console.print(f"  {told.of_nothing} 金额为零 of nothing, and left out", markup=False)
    if told.lines:
        console.print(_table(told))


def _table(told: "Told") -> Table:
    table = Table("流水号 number", "方向", "金额 amount", "记账日 booked", "起息日 valued", "将作 would be")
    for line in told.lines:
        becomes = "\n".join(f"{part.amount} {part.becomes[0]} {part.of}" for part in line.parts)
        days = str(line.booked_on), str(line.value_date)
        table.add_row(line.bank_txn, line.direction, line.amount, *days, becomes)
    return table
