"""`medfund city`: write a synthetic city's events as JSON lines, and say what is in them."""

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import msgspec
import typer

from medfund import money, progress
from medfund.city import model, papers, profiles, publication, purchases

if TYPE_CHECKING:
    from rich.table import Table

BUFFER_BYTES = 1 << 20
LINES_PER_DRAW = 1000

_NUMBER = "a number of settlements, or a share of them such as 500ppm"


def city(
    profile: Annotated[str, typer.Option(help="Which city: " + ", ".join(profiles.PROFILES))] = "xilingol",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    out: Annotated[str, typer.Option(metavar="FILE|-", help="Where to write; - is standard output.")] = "-",
    scale: Annotated[str, typer.Option(help="Counts and money times this, for example 0.01.")] = "1",
    reversals: Annotated[str, typer.Option(metavar="N", help=f"Taken back later: {_NUMBER}.")] = "0",
    duplicates: Annotated[str, typer.Option(metavar="N", help=f"Published twice: {_NUMBER}.")] = "0",
    late: Annotated[str, typer.Option(metavar="N", help=f"Published 3 to 35 days late: {_NUMBER}.")] = "0",
    bad: Annotated[str, typer.Option(metavar="N", help=f"Extra events that must be refused: {_NUMBER}.")] = "0",
    visitors: Annotated[str, typer.Option(metavar="N", help=f"Insured in another area: {_NUMBER}.")] = "0",
    suppliers: Annotated[
        bool, typer.Option("--suppliers", help="What hospitals buy in a year, instead of visits: orders to statements.")
    ] = False,
    year: Annotated[int, typer.Option(help="In which those purchases are paid.", min=2024, max=2098)] = 2025,
    json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Write a synthetic city's events as JSON lines, the agency's first, for `medfund publish`."""
    drawn = model.City(_profile(profile, scale), seed)
    if suppliers:
        _purchases(drawn, year, out, json=json)
        return
    wanted = {"reversals": reversals, "duplicates": duplicates, "late": late, "bad": bad, "visitors": visitors}
    extras = {name: _number(text, name, drawn.count) for name, text in wanted.items()}
    file = publication.Publication(drawn, publication.Extras(**extras))
    began = time.monotonic()
    with _destination(out) as stream:
        size = write(file, stream)
    seconds = time.monotonic() - began
    _report(file, size, seconds, json=json, to_stderr=out == "-")


def _purchases(city: model.City, year: int, out: str, *, json: bool) -> None:
    if city.profile.purchases is None:
        having = ", ".join(name for name, profile in profiles.PROFILES.items() if profile.purchases)
        raise typer.BadParameter(f"{city.profile.name} has no suppliers; there are those of {having}")
    bought = purchases.Purchases(city, year)
    counts: Counter[str] = Counter()
    with _destination(out) as stream, progress.Bar("Writing", total=0) as bar:
        for number, event in enumerate(bought.events(), 1):
            counts[event.type.removesuffix(".v1")] += 1
            stream.write(papers.line(event))
            if number % LINES_PER_DRAW == 0:
                bar.at(number)
    told = bought_summary(bought, counts)
    if json:
        typer.echo(msgspec.json.encode(told).decode(), err=out == "-")
        return
    typer.echo(
        f"{sum(counts.values()):,} events: {_said(counts)}. "
        f"{told['amount']} yuan in {told['statements']:,} statements, to be paid {told['cycle_days']} days after "
        f"acceptance; arrears of {told['arrears']}.",
        err=out == "-",
    )


def bought_summary(bought: purchases.Purchases, counts: Mapping[str, int]) -> dict[str, Any]:
    """What was written of a year's purchases, as JSON."""
    fen_days, fen = bought.cycle
    return {
        "profile": bought.city.profile.name,
        "area": bought.area,
        "seed": bought.city.seed,
        "year": bought.year,
        "lines": counts,
        "statements": len(bought.expected),
        "amount": money.yuan(fen),
        "cycle_days": f"{fen_days / fen:.2f}",
        "arrears": money.yuan(purchases.ARREARS),
    }


def write(file: publication.Publication, stream: BinaryIO) -> int:
    """Write every line; how many bytes there were."""
    size = 0
    with progress.Bar("Writing", total=file.city.count) as bar:
        for number, line in enumerate(file.lines(), 1):
            size += stream.write(line)
            if number % LINES_PER_DRAW == 0:
                bar.at(number)
    return size


def summary(file: publication.Publication) -> dict[str, Any]:
    """What was written, as JSON: counts and money by kind of visit and fund."""
    city, found = file.city, file.summary
    return {
        "profile": city.profile.name,
        "area": city.profile.area,
        "source": city.profile.source,
        "seed": city.seed,
        "lines": dict(found.lines),
        "visits": [
            {"visit": kind.name, "clr_type": kind.clr_type, "count": total.count, "paid": money.yuan(total.paid)}
            for kind in city.profile.visits
            for total in (found.visits[kind.name],)
        ],
        "funds": _by_fund(found.funds),
        "reversed": _by_fund(found.reversed),
    }


def _by_fund(sums: dict[tuple[str, str], publication.Sum]) -> list[dict[str, Any]]:
    return [
        {"visit": visit, "fund": fund, "count": total.count, "paid": money.yuan(total.paid)}
        for (visit, fund), total in sorted(sums.items())
    ]


def _profile(name: str, scale: str) -> profiles.Profile:
    if name not in profiles.PROFILES:
        raise typer.BadParameter(f"no profile {name!r}; there are: {', '.join(profiles.PROFILES)}")
    try:
        return profiles.PROFILES[name].scaled(scale)
    except (ValueError, ArithmeticError):
        raise typer.BadParameter(f"--scale {scale!r} is not a decimal number above zero") from None


def _number(text: str, name: str, count: int) -> int:
    digits = text.removesuffix("ppm")
    if not digits.isascii() or not digits.isdigit():
        raise typer.BadParameter(f"--{name} {text!r} is neither a number nor a share such as 500ppm")
    number = int(digits) * count // 1_000_000 if text.endswith("ppm") else int(digits)
    if number > count:
        raise typer.BadParameter(f"--{name} {number} is more than the {count} settlements there are")
    return number


@contextlib.contextmanager
def _destination(out: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name when it is complete."""
    if out == "-":
        with _no_reader_is_no_failure():
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    part = Path(f"{out}.part")
    try:
        with part.open("wb", buffering=BUFFER_BYTES) as stream:
            yield stream
        part.rename(out)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {out}: {error.strerror}") from error


@contextlib.contextmanager
def _no_reader_is_no_failure() -> Iterator[None]:
    """`medfund city | head` ends with the reader, without a traceback."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None


def _report(file: publication.Publication, size: int, seconds: float, *, json: bool, to_stderr: bool) -> None:
    content = summary(file)
    content["bytes"] = size
    if json:
        typer.echo(msgspec.json.encode(content).decode(), err=to_stderr)
        return
    from rich.console import Console  # only where a table is drawn

    console = Console(stderr=to_stderr)
    console.print(_table(content))
    count = sum(content["lines"][name] for name in ("agency", "settlements"))
    console.print(
        f"{_said(content['lines'])}; {size:,} bytes in {seconds:.1f} s ({count / max(seconds, 0.001):,.0f}/s)"
    )


def _said(lines: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in lines.items())


def _table(content: dict[str, Any]) -> "Table":
    from rich.table import Table

    table = Table(title=f"{content['profile']} ({content['area']}), seed {content['seed']}")
    table.add_column("visit")
    table.add_column("fund")
    for title in ("settlements", "paid, yuan"):
        table.add_column(title, justify="right")
    for visit in content["visits"]:
        table.add_row(visit["visit"], "all", f"{visit['count']:,}", visit["paid"], style="bold")
        for part in content["funds"]:
            if part["visit"] == visit["visit"]:
                table.add_row("", part["fund"], f"{part['count']:,}", part["paid"])
    return table
