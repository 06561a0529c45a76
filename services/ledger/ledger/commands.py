"""`medfund verify`: prove the books, from the command line."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from medfund import garbage

if TYPE_CHECKING:
    from ledger.settings import VerifySettings
    from ledger.verify import Report


def verify(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data folder of the local stack.")] = Path(
        ".data"
    ),
    lane: Annotated[list[int] | None, typer.Option(help="Only this lane; may be repeated.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every lane; this is the default.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Recount the books from the log and from the journal. Exit code 0 only when everything holds.

    KAFKA_BOOTSTRAP and LEDGER_READER_DSN name other servers than those of the local stack.
    """
    settings = _settings(data)
    garbage.collect_seldom()
    report = _report(settings, lane or list(range(settings.lanes)))
    if as_json:
        sys.stdout.write(msgspec.json.encode(report.as_json()).decode() + "\n")
    else:
        _tell(report)
    raise typer.Exit(0 if report.ok else 1)


class NotTheseBooks(Exception):
    """Part of the books would be proved, and taken for all of them."""


def _report(settings: "VerifySettings", lanes: list[int]) -> "Report":
    from medfund.ending import NOT_REACHED
    from medfund.postgres import connect

    try:
        return uvloop.run(_prove(settings, lanes))
    except NotTheseBooks as error:
        typer.echo(f"nothing is proved: {error}", err=True)
        raise typer.Exit(1) from error
    except NOT_REACHED as error:
        typer.echo(f"nothing is proved: {connect.why(error)}", err=True)
        raise typer.Exit(1) from error


def _settings(data: Path) -> "VerifySettings":
    from ledger.settings import VerifySettings
    from medfund import environment
    from medfund.local import CannotRun, running

    try:
        if "LEDGER_READER_DSN" not in os.environ:
            os.environ.update(running.environment(data.absolute()))
        return environment.load(VerifySettings)
    except environment.Incomplete as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except CannotRun as error:
        typer.echo(f"{error}, or give KAFKA_BOOTSTRAP and LEDGER_READER_DSN of servers of your own", err=True)
        raise typer.Exit(1) from error


async def _prove(settings: "VerifySettings", lanes: list[int]) -> "Report":
    from ledger import control, statements
    from ledger import verify as proof
    from ledger.service import Ledger
    from medfund.lanes.kafka import KafkaLog
    from medfund.postgres import connect
    from medfund.progress import Bar

    log = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    service = Ledger(lanes=settings.lanes, prefix=settings.topic_prefix)
    async with connect.connection(settings.database_url, name="ledger verify") as connection:
        if (found := await connection.fetchval(proof.SQL.count_lanes)) not in (0, settings.lanes):
            raise NotTheseBooks(f"the books have {found} lanes, and MEDFUND_LANES says {settings.lanes}")
        total = await proof.count_records(connection, lanes)
        with Bar("Proving", total=total) as bar:
            report = await proof.verify(connection, log, service, lanes, advance=bar.advance)
        if settings.clearing_url:
            async with connect.connection(settings.clearing_url, name="ledger verify") as clearing:
                await control.compare(report, connection, clearing, log, lanes)
                await statements.compare(report, connection, clearing, log, lanes, of=settings.lanes)
        if settings.direct_pay_url:
            async with connect.connection(settings.direct_pay_url, name="ledger verify") as direct_pay:
                await control.compare(report, connection, direct_pay, log, lanes, control.DIRECT_PAY)
    return report


def _tell(report: "Report") -> None:
    console = Console()
    if report.problems:
        _name(console, "[bold red]The books do not hold[/]", report.problems)
        return
    table = Table("proved", "", title="The books hold", show_header=False)
    for name in ("lanes", "records", "accepted", "repeats", "quarantined", "lines"):
        table.add_row(name, f"{getattr(report, name):,}")
    table.add_row("open items", _compared(report.open_items))
    table.add_row("bank statements", _compared(report.statements))
    for book, funds in report.as_json()["amounts"].items():  # type: ignore[attr-defined]
        for fund, amount in funds.items():
            table.add_row(f"{book} {fund}: debit = credit, yuan", amount)
    console.print(table)
    if report.differences:
        _name(console, "[bold yellow]The bank says otherwise[/]", report.differences)
    if report.not_compared:
        _name(console, "[bold yellow]Not compared[/]", report.not_compared)


def _name(console: Console, heading: str, rows: list[str]) -> None:
    console.print(f"{heading}: {len(rows)} rows are named")
    for row in rows:
        console.print(f"  {row}", highlight=False, markup=False)


def _compared(count: int | None) -> str:
    return "not compared" if count is None else f"{count:,}"
